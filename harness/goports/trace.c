/* The trace command: reads the script and hands its words to a port. */
#include "harness/goports/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/count_of.h"
#include "harness/base/exit.h"
#include "harness/base/names.h"
#include "maps/go/sizeclass.h"

enum {
    SYNC_MAP = 1,
    CLASSIC_MAP = 2,
    SWISS_MAP = 4,
    PLAIN_MAP = CLASSIC_MAP | SWISS_MAP,
    WORD_CHARS_MAX = 128
};

static const struct traced_map {
    const char *name;
    int kind;
    int release; /* of Go, 124 for 1.24 */
    uint64_t seed_max;
    trace_fn *run;
} traced_maps[] = {
    {"go_hmap", CLASSIC_MAP, 123, UINT32_MAX, trace_go_hmap},
    {"go_hmap@1.21", CLASSIC_MAP, 121, UINT32_MAX, trace_go_hmap},
    {"go_hmap@1.22", CLASSIC_MAP, 122, UINT32_MAX, trace_go_hmap},
    {"go_hmap@1.23", CLASSIC_MAP, 123, UINT32_MAX, trace_go_hmap},
    {"go_swiss", SWISS_MAP, 127, UINT64_MAX, trace_go_swiss},
    {"go_swiss@1.24", SWISS_MAP, 124, UINT64_MAX, trace_go_swiss},
    {"go_swiss@1.25", SWISS_MAP, 125, UINT64_MAX, trace_go_swiss},
    {"go_swiss@1.26", SWISS_MAP, 126, UINT64_MAX, trace_go_swiss},
    {"go_swiss@1.27", SWISS_MAP, 127, UINT64_MAX, trace_go_swiss},
    {"go_swiss_split", SWISS_MAP, 127, UINT64_MAX, trace_go_swiss_split},
    {"go_syncmap", SYNC_MAP, 123, UINT64_MAX, trace_go_syncmap},
    {"go_syncmap@1.22", SYNC_MAP, 122, UINT64_MAX, trace_go_syncmap},
    {"go_syncmap@1.23", SYNC_MAP, 123, UINT64_MAX, trace_go_syncmap},
};

/* The operands behind the word. */
enum operands { NOTHING, NUMBER, NUMBERS, RANGE };

static const struct word_form {
    const char *name;
    int maps;
    enum trace_kind kind;
    enum operands operands;
    const char *form;
} word_forms[] = {
    {"make", PLAIN_MAP, TRACE_MAKE, NUMBER, "make HINT"},
    {"insert", PLAIN_MAP, TRACE_INSERT, RANGE, "insert FIRST..LAST"},
    {"delete", PLAIN_MAP, TRACE_DELETE, RANGE, "delete FIRST..LAST"},
    {"slide", PLAIN_MAP, TRACE_SLIDE, NUMBERS, "slide WIDTH TIMES"},
    {"clear", PLAIN_MAP, TRACE_CLEAR, NOTHING, "clear"},
    {"clone", SWISS_MAP, TRACE_CLONE, NOTHING, "clone"},
    {"get", PLAIN_MAP, TRACE_GET, RANGE, "get FIRST..LAST"},
    {"seed", PLAIN_MAP, TRACE_SEED, NUMBER, "seed NUMBER"},
    {"store", SYNC_MAP, TRACE_STORE, NUMBER, "store KEY"},
    {"load", SYNC_MAP, TRACE_LOAD, NUMBER, "load KEY"},
    {"delete", SYNC_MAP, TRACE_REMOVE, NUMBER, "delete KEY"},
    {"range", SYNC_MAP, TRACE_RANGE, NOTHING, "range"},
};

/* A number in C notation up to one of the characters in `ends`; *text is left there. */
static bool read_number(const char **text, const char *ends, int base, uint64_t *number) {
    char *end;
    if (**text < '0' || (base == 10 && **text > '9')) return false;
    errno = 0;
    *number = strtoull(*text, &end, base);
    if (errno != 0 || end == *text || (*end && !strchr(ends, *end))) return false;
    *text = end;
    return true;
}

/* A range names its last key, so there is none beyond UINT64_MAX - 1, and loops over it end. */
static bool read_operands(const char *text, enum operands operands, struct trace_word *word) {
    if (operands == NOTHING) return *text == 0;
    if (!read_number(&text, operands == RANGE ? "." : " ", 0, &word->a)) return false;
    if (operands == RANGE && strncmp(text, "..", 2) == 0)
        text += 2;
    else if (operands == RANGE)
        return false;
    text += strspn(text, " ");
    if (operands == NUMBER) return *text == 0;
    return read_number(&text, "", 0, &word->b) && word->b < UINT64_MAX;
}

/* Reads one word of the script; false: `why` names it. */
static bool read_word(const char *text, const struct traced_map *map, struct trace_word *word,
                      struct why *why) {
    const char *names[COUNT_OF(word_forms)];
    size_t known = 0, length = strcspn(text, " ");
    char name[WORD_CHARS_MAX];
    snprintf(name, sizeof name, "%.*s", (int)length, text);
    for (size_t i = 0; i < COUNT_OF(word_forms); i++) {
        const struct word_form *form = &word_forms[i];
        if (!(form->maps & map->kind)) continue;
        names[known++] = form->name;
        if (strcmp(name, form->name) != 0) continue;
        word->kind = form->kind;
        if (!read_operands(text + length + strspn(text + length, " "), form->operands, word))
            return why_say(why, "trace script: '%s' is not of the form '%s'", text, form->form);
        if (form->operands == RANGE && word->a > word->b)
            why_say(why, "trace script: the range of '%s' runs backwards", text);
        else if (form->kind == TRACE_SEED && word->a > map->seed_max)
            why_say(why, "trace script: '%s': a seed of %s is at most 0x%" PRIx64, text, map->name,
                    map->seed_max);
        else
            return true;
        return false;
    }
    return unknown_name("trace word", name, names, known, why);
}

/* The words of a script, malloced; NULL: `why` names the bad one. */
static struct trace_word *read_script(const char *ops, const struct traced_map *map, size_t *count,
                                      struct why *why) {
    size_t room = 1;
    for (const char *p = ops; *p; p++) room += *p == ';';
    struct trace_word *words = calloc(room, sizeof *words);
    if (!words) {
        why_say(why, "trace: out of memory");
        return NULL;
    }
    *count = 0;
    for (const char *at = ops; *at;) {
        char text[WORD_CHARS_MAX];
        at += strspn(at, " \t\n");
        size_t length = strcspn(at, ";"), used = length;
        while (used > 0 && strchr(" \t\n", at[used - 1])) used--;
        snprintf(text, sizeof text, "%.*s", (int)(used < sizeof text ? used : sizeof text), at);
        for (char *p = text; *p; p++)
            if (*p == '\t' || *p == '\n') *p = ' ';
        at += length + (at[length] == ';');
        if (used == 0) continue;
        if (used >= sizeof text) {
            why_say(why, "trace script: '%.40s...' is too long for a word", text);
        } else if (read_word(text, map, &words[*count], why)) {
            ++*count;
            continue;
        }
        free(words);
        return NULL;
    }
    if (*count > 0) return words;
    why_say(why, "trace needs a script: --ops \"insert 0..99; delete 10..19\"");
    free(words);
    return NULL;
}

/* Four words of up to 16 hex digits, with commas between them. */
static bool read_hashkey(const char *text, uint64_t key[4], struct why *why) {
    const char *at = text;
    for (size_t i = 0; i < 4; i++) {
        size_t digits = strspn(at, "0123456789abcdefABCDEF");
        if (digits == 0 || digits > 16 || at[digits] != (i < 3 ? ',' : 0))
            return why_say(why, "--hashkey '%s': four hex numbers of 1 to 16 digits with commas between them",
                           text);
        key[i] = strtoull(at, NULL, 16);
        at += digits + 1;
    }
    return true;
}

static bool read_assignment(const struct traced_map *map, const char *text, struct trace_options *options,
                            struct why *why) {
    static const char *const names[] = {"generic", "fast", "pointer"};
    options->assignment = TRACE_ASSIGN_FAST;
    if (!text || !*text) return true;
    if (map->kind != SWISS_MAP)
        return why_say(why, "--assign: %s is the same for every assignment; only go_swiss prunes by it",
                       map->name);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        options->assignment = (enum trace_assignment)i;
        if (strcmp(text, names[i]) == 0) return true;
    }
    return unknown_name("assignment", text, names, COUNT_OF(names), why);
}

static bool read_options(const struct traced_map *map, const char *hashkey, const char *seed,
                         struct trace_options *options, struct why *why) {
    if (hashkey && *hashkey && !read_hashkey(hashkey, options->hashkey, why)) return false;
    const char *at = seed;
    if (!seed || !*seed || (read_number(&at, "", 0, &options->seed) && options->seed <= map->seed_max))
        return true;
    return why_say(why, "--seed '%s': a number in C notation, at most 0x%" PRIx64 " for %s", seed,
                   map->seed_max, map->name);
}

void trace_print_bytes(FILE *out, size_t count, const struct go_occupied *occupied) {
    fprintf(out, "{\"count\":%zu,\"bytes\":%zu,\"blocks\":%zu,\"bytes_per_entry\":", count, occupied->bytes,
            occupied->blocks);
    if (count)
        fprintf(out, "%.3f}\n", (double)occupied->bytes / (double)count);
    else
        fputs("null}\n", out);
}

struct counted {
    char label[24];
    size_t count;
};

static int by_label(const void *a, const void *b) {
    return strcmp(((const struct counted *)a)->label, ((const struct counted *)b)->label);
}

/* The reference lists counts in the order of their labels as texts: "1024" before "512". */
void trace_print_counts(FILE *out, const char *name, const size_t *counts, bool log2) {
    struct counted counted[TRACE_COUNTED_MAX];
    size_t n = 0;
    for (size_t i = 0; i < TRACE_COUNTED_MAX; i++) {
        if (!counts[i]) continue;
        snprintf(counted[n].label, sizeof counted[n].label, "%" PRIu64,
                 log2 ? (uint64_t)1 << i : (uint64_t)i);
        counted[n++].count = counts[i];
    }
    if (n) qsort(counted, n, sizeof *counted, by_label);
    fprintf(out, "\"%s\":{", name);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s\"%s\":%zu", i ? "," : "", counted[i].label, counted[i].count);
    fputs("},", out);
}

int trace_command(const char *name, const char *ops, const char *hashkey, const char *seed,
                  const char *assignment, enum trace_output output) {
    const char *names[COUNT_OF(traced_maps)];
    struct why why;
    struct trace_options options = {.output = output, .out = stdout};
    for (size_t i = 0; i < COUNT_OF(traced_maps); i++) {
        const struct traced_map *map = &traced_maps[i];
        names[i] = map->name;
        if (!name || strcmp(name, map->name) != 0) continue;
        size_t count;
        struct trace_word *words = NULL;
        if (output == TRACE_BYTES && map->kind == SYNC_MAP) {
            fprintf(stderr,
                    "mapbench: --bytes: what %s occupies in Go is not modelled; go_hmap and go_swiss are\n",
                    name);
            return EXIT_USAGE;
        }
        options.release = map->release;
        if (!read_assignment(map, assignment, &options, &why) ||
            !read_options(map, hashkey, seed, &options, &why) ||
            !(words = read_script(ops ? ops : "", map, &count, &why)))
            return complain(EXIT_USAGE, why.text);
        int status = map->run(&options, words, count, &why);
        free(words);
        if (status != EXIT_OK) fprintf(stderr, "mapbench: trace %s: %s\n", name, why.text);
        return status;
    }
    unknown_name("map to trace", name ? name : "", names, COUNT_OF(traced_maps), &why);
    return complain(EXIT_USAGE, why.text);
}

#include "harness/plan/options.h"

#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "harness/keys/keys.h"
#include "harness/keys/keyspec.h"
#include "harness/base/names.h"
#include "harness/plan/rate.h"
#include "harness/plan/registry.h"
#include "harness/plan/releases.h"
#include "harness/shapes/shape.h"
#include "harness/base/sizes.h"
#include "harness/plan/workload.h"

static const struct option_facts options[] = {
#define OPTION(id, name, argument, fallback, scope, commands, help)                                          \
    {name, argument, fallback, commands, help, OPTION_SCOPE_##scope},
#include "harness/plan/options.def"
#undef OPTION
};

enum { WORDS_MAX = 512 };

/* The words an option's list may contain. */
struct words {
    const char *kind;
    size_t count;
    const char *word[WORDS_MAX];
};

static void words_add(struct words *words, const char *word) {
    if (words->count < WORDS_MAX) words->word[words->count++] = word;
}

static struct words words_of(enum option_id id) {
    struct words w = {.kind = options[id].name};
    switch (id) {
    case OPTION_MAPS:
        w.kind = "map";
        for (size_t i = 0; i < registry_map_count(); i++) words_add(&w, registry_map_name(i));
        for (size_t i = 0; i < registry_alias_count(); i++) words_add(&w, registry_alias(i)->name);
        words_add(&w, "all"), words_add(&w, "ours"), words_add(&w, "adapters"), words_add(&w, "engines");
        break;
    case OPTION_SHAPES:
        w.kind = "shape";
        for (size_t i = 0; i < shape_count(); i++) words_add(&w, shape_at(i)->name);
        words_add(&w, "all");
        break;
    case OPTION_WORKLOADS:
        w.kind = "workload";
        for (size_t i = 0; i < workload_count(); i++) words_add(&w, workload_at(i)->name);
        words_add(&w, "all");
        break;
    case OPTION_KEYS:
        w.kind = "key stream";
        for (size_t i = 0; i < keys_stream_count(); i++) words_add(&w, keys_stream_at(i)->name);
        break;
    case OPTION_HEAP:
#define HEAP(name, shapes, summary) words_add(&w, #name);
#include "harness/heaps/heaps.def"
#undef HEAP
        break;
    case OPTION_HASH:
        w.kind = "hash policy", words_add(&w, "common"), words_add(&w, "native");
        break;
    case OPTION_RECORD:
        w.kind = "recorder";
        words_add(&w, "time"), words_add(&w, "latency"), words_add(&w, "memory"), words_add(&w, "counters");
        words_add(&w, "structure"), words_add(&w, "scaling"), words_add(&w, "all");
        break;
    case OPTION_THP:
        w.kind = "setting of huge pages";
        words_add(&w, "set"), words_add(&w, "small"), words_add(&w, "huge");
        break;
    case OPTION_ORDER:
        words_add(&w, "shuffled"), words_add(&w, "insertion");
        break;
    case OPTION_PERF:
        w.kind = "perf mode", words_add(&w, "off"), words_add(&w, "stat"), words_add(&w, "record");
        break;
    case OPTION_PROGRESS:
        words_add(&w, "auto"), words_add(&w, "bar"), words_add(&w, "lines"), words_add(&w, "off");
        break;
    default:
        break;
    }
    return w;
}

static bool count_item(void *count, const char *item) {
    (void)item;
    ++*(size_t *)count;
    return true;
}

static bool check_words(enum option_id id, const struct words *words, const char *text, struct why *why) {
    bool one = strcmp(options[id].argument, "LIST") != 0;
    size_t items = 0;
    names_split(text, count_item, &items);
    if (!names_check(text, words->kind, words->word, words->count, why)) return false;
    if (items > 0 && !(one && items > 1)) return true;
    return why_say(why, "--%s takes %s, not '%s'", options[id].name, one ? "one word" : "a list of names",
                   text);
}

struct stream_check {
    struct words words;
    size_t items;
    struct why *why;
};

/* A key stream's parameters, behind a colon, must make sense for one kind of key at least. */
static bool check_stream(void *context, const char *item) {
    struct stream_check *check = context;
    struct keyspec spec;
    size_t length = strcspn(item, ":"), k = 0;
    check->items++;
    while (k < check->words.count &&
           (strncmp(check->words.word[k], item, length) != 0 || check->words.word[k][length] != '\0'))
        k++;
    if (k == check->words.count)
        return unknown_name(check->words.kind, item, check->words.word, k, check->why);
    return keyspec_parse(item, 64, &spec, check->why) || keyspec_parse(item, 0, &spec, NULL);
}

static bool check_streams(const char *text, struct why *why) {
    struct stream_check check = {words_of(OPTION_KEYS), 0, why};
    if (!names_split(text, check_stream, &check)) return false;
    if (check.items > 0) return true;
    return why_say(why, "--keys takes a list of names, not '%s'", text);
}

struct workload_check {
    struct words workloads, maps;
    size_t items;
    struct why *why;
};

/* A map behind a colon must be one that there is, and the workload one that walks another map. */
static bool check_workload(void *context, const char *item) {
    struct workload_check *check = context;
    char name[64];
    size_t length = strcspn(item, ":");
    check->items++;
    snprintf(name, sizeof name, "%.*s", (int)length, item);
    if (!names_check(name, check->workloads.kind, check->workloads.word, check->workloads.count, check->why))
        return false;
    if (item[length] == '\0') return true;
    if (strcmp(name, "all") == 0 || !workload_takes_map(workload_find(name)))
        return why_say(check->why, "--workloads '%s': %s walks no other map", item, name);
    if (item[length + 1] == '\0')
        return why_say(check->why, "--workloads '%s': name a map behind the colon", item);
    return names_check(item + length + 1, "map", check->maps.word, check->maps.count, check->why);
}

static bool check_workloads(const char *text, struct why *why) {
    struct workload_check check = {words_of(OPTION_WORKLOADS), {.kind = "map"}, 0, why};
    for (size_t i = 0; i < registry_map_count(); i++) words_add(&check.maps, registry_map_name(i));
    for (size_t i = 0; i < registry_alias_count(); i++) words_add(&check.maps, registry_alias(i)->name);
    if (!names_split(text, check_workload, &check)) return false;
    return check.items > 0 || why_say(why, "--workloads takes a list of names, not '%s'", text);
}

static bool check_number(enum option_id id, const char *text, uint64_t least, uint64_t most,
                         struct why *why) {
    char *stop;
    errno = 0;
    unsigned long long value = strtoull(text, &stop, 0);
    if (*text == '\0' || *text == '-' || *stop || errno || value < least || value > most) {
        if (most == UINT64_MAX)
            why_say(why, "--%s takes a whole number from %llu on, not '%s'", options[id].name,
                    (unsigned long long)least, text);
        else
            why_say(why, "--%s takes a whole number from %llu to %llu, not '%s'", options[id].name,
                    (unsigned long long)least, (unsigned long long)most, text);
        return false;
    }
    return true;
}

static bool check_seconds(enum option_id id, const char *text, struct why *why) {
    char *end;
    errno = 0;
    double seconds = strtod(text, &end);
    if (isdigit((unsigned char)*text) && *end == '\0' && errno == 0 && seconds > 0 && seconds < 1e9)
        return true;
    return why_say(why, "--%s takes a number of seconds above 0, not '%s'", options[id].name, text);
}

static bool check_positive(enum option_id id, const char *text, struct why *why) {
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 0);
    if (*text != '-' && end != text && *end == '\0' && errno == 0 && value > 0) return true;
    return why_say(why, "--%s '%s' is not a whole number above 0", options[id].name, text);
}

static bool check_size(const char *text, struct why *why) {
    struct sizes sizes;
    if (!sizes_parse(text, &sizes, why)) return false;
    if (sizes.count == 1) return true;
    return why_say(why, "--n takes one size, not '%s'", text);
}

static bool check_shard(const char *text, struct why *why) {
    unsigned i, n;
    char rest;
    bool unsigned_numbers =
        text[strspn(text, "0123456789/")] == '\0'; /* sscanf would take -1 for a large one */
    if (unsigned_numbers && sscanf(text, "%u/%u%c", &i, &n, &rest) == 2 && i < n) return true;
    return why_say(why, "--shard takes I/N with I from 0 to N-1, not '%s'", text);
}

static bool check_filter(const char *text, struct why *why) {
    regex_t regex;
    int error = regcomp(&regex, text, REG_EXTENDED | REG_NOSUB);
    if (!error) return regfree(&regex), true;
    char reason[96];
    regerror(error, &regex, reason, sizeof reason);
    return why_say(why, "--filter '%s' is not a regular expression: %s", text, reason);
}

static bool check_value(enum option_id id, const char *text, struct why *why) {
    struct sizes sizes;
    struct rates rates;
    struct words words;
    switch (id) {
    case OPTION_MAPS:
        words = words_of(id);
        return releases_of_maps_check(text, why) && check_words(id, &words, text, why);
    case OPTION_RETAIN_MAPS: /* the names themselves are checked with the rest of retain's */
        return releases_of_maps_check(text, why);
    case OPTION_RELEASES:
    case OPTION_RUN_RELEASES:
        return releases_check(text, why);
    case OPTION_RUN_LIBS:
        return registry_libraries_check(text, why);
    case OPTION_KEYS:
        return check_streams(text, why);
    case OPTION_WORKLOADS:
        return check_workloads(text, why);
    case OPTION_BUDGET:
        return check_seconds(id, text, why);
    case OPTION_RATE:
        return rates_parse(text, &rates, why);
    case OPTION_N:
        return sizes_parse(text, &sizes, why);
    case OPTION_RETAIN_N:
        return check_size(text, why);
    case OPTION_THREADS:
        if (strcmp(text, "1") == 0) return true;
        return why_say(why, "--threads %s: the workloads are single-threaded, only 1 can be measured", text);
    case OPTION_SEED:
        return check_number(id, text, 0, INT64_MAX, why); /* JSON integers are signed */
    case OPTION_REPEAT:
    case OPTION_BATCHES:
        return check_number(id, text, 1, 1000, why);
    case OPTION_LIMIT:
        return check_number(id, text, 1, 86400, why);
    case OPTION_RETAIN_SEED:
    case OPTION_RETAIN_LIMIT:
        return check_positive(id, text, why);
    case OPTION_SHARD:
        return check_shard(text, why);
    case OPTION_FILTER:
        return check_filter(text, why);
    case OPTION_FIGURES:
        if (strcmp(text, "yes") == 0 || strcmp(text, "no") == 0) return true;
        return why_say(why, "--figures takes yes or no, not '%s'", text);
    default: /* of the others, those that have a list of words here are checked here */
        words = words_of(id);
        return words.count == 0 || check_words(id, &words, text, why);
    }
}

const struct option_facts *option_facts(enum option_id id) {
    return &options[id];
}

bool option_find(const char *name, const char *command, enum option_id *id) {
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (strcmp(options[i].name, name) == 0 && names_has(options[i].commands, command))
            return *id = (enum option_id)i, true;
    return false;
}

size_t option_list(const char *command, const char *names[OPTION_COUNT]) {
    size_t count = 0;
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (names_has(options[i].commands, command)) names[count++] = options[i].name;
    return count;
}

const char *option_commands(const char *name) {
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (strcmp(options[i].name, name) == 0) return options[i].commands;
    return NULL;
}

bool option_selects(const char *command) {
    return names_has(options[OPTION_MAPS].commands, command);
}

bool option_set(struct option_values *values, enum option_id id, const char *text, struct why *why) {
    if (!check_value(id, text, why)) return false;
    free(values->text[id]);
    values->text[id] = strdup(text);
    return true;
}

const char *option_text(const struct option_values *values, enum option_id id) {
    return values->text[id] ? values->text[id] : options[id].fallback;
}

uint64_t option_number(const struct option_values *values, enum option_id id) {
    return strtoull(option_text(values, id), NULL, 0);
}

bool option_names(const struct option_values *values, enum option_id id, const char *word) {
    return names_has(option_text(values, id), word);
}

bool option_has(const struct option_values *values, enum option_id id, const char *word) {
    return names_select(option_text(values, id), word);
}

void option_inherit(struct option_values *values, const struct option_values *defaults) {
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (!values->text[i] && defaults->text[i]) values->text[i] = strdup(defaults->text[i]);
}

void option_values_free(struct option_values *values) {
    for (size_t i = 0; i < OPTION_COUNT; i++) free(values->text[i]);
    memset(values, 0, sizeof *values);
}

void option_help(const char *command, FILE *out) {
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_facts *o = &options[i];
        const char *argument = o->argument ? o->argument : "";
        char left[40];
        if (!names_has(o->commands, command)) continue;
        snprintf(left, sizeof left, "--%s%s%s", o->name, *argument && *argument != '[' ? " " : "", argument);
        fprintf(out, "  %-22s %s", left, o->help);
        if (o->fallback[0]) fprintf(out, " (%s)", o->fallback);
        fputc('\n', out);
    }
}

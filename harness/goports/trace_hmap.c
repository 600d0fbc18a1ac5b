/* The trace of go_hmap: rows, events and digests as the real runtime's were recorded. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/exit.h"
#include "harness/base/why.h"
#include "harness/goports/trace.h"

#define UNIT_HASH_native
#include "harness/goports/port.h"
static int traced_release; /* whose rules all maps follow */
#define GO_HMAP_RELEASE traced_release
#include "maps/go/hmap.h"
#include "maps/go/hmap_bytes.h"

/* The overflow buckets are counted after each of the first operations, then after every so many, as was
 * recorded. */
enum { WALK_EACH_BELOW = 4096, WALK_EVERY = 256 };

/* Above this makemap takes the hint for 0 (maxAlloc of runtime/malloc.go, linux/amd64). */
static const uint64_t GO_MAX_ALLOC_BYTES = (uint64_t)1 << 48;

struct trace {
    const struct trace_options *options;
    struct go_hash_keys keys;
    struct map *map;
    uint64_t ops;
    int failure;             /* the exit code if a word cannot be done */
    uint64_t growth_inserts; /* stores since the growth under way began, its first included */
    bool redrawn; /* the map became empty and drew a seed that the real runtime's would not be ... */
    bool stale;   /* ... and entries have been placed by it */
};

/* State that an operation may change, remembered to tell events. */
struct before {
    size_t count;
    const struct go_bmap *buckets;
    bool growing;
    uint8_t B;
};

static struct before trace_before(const struct trace *t) {
    return (struct before){t->map->h.count, t->map->h.buckets, go_growing(t->map), t->map->h.B};
}

static bool trace_make(struct trace *t, uint64_t hint) {
    if (t->map) map_destroy(t->map);
    if (hint > GO_MAX_ALLOC_BYTES / sizeof(struct go_bmap)) hint = 0;
    t->map = map_create(NULL, hint);
    if (!t->map) return false;
    t->map->keys = &t->keys;
    t->map->h.hash0 = (uint32_t)t->options->seed;
    t->redrawn = t->stale = false;
    return true;
}

/* Refuses a seed for a map that is not empty, as the recorders of the real runtime did. */
static bool trace_seed(struct trace *t, uint64_t seed, struct why *why) {
    if (t->map->h.count > 0) {
        why_say(why, "seed: the map holds %zu entries; only an empty one can be given a seed",
                t->map->h.count);
        t->failure = EXIT_USAGE;
        return false;
    }
    t->map->h.hash0 = (uint32_t)seed;
    t->redrawn = false;
    return true;
}

static size_t trace_overflows(const struct map *map) {
    size_t overflows = 0;
    for (size_t n = 0; map->h.buckets && n <= go_mask(map->h.B); n++)
        for (const struct go_bmap *b = map->h.buckets[n].overflow; b; b = b->overflow) overflows++;
    return overflows;
}

static void print_row(struct trace *t, char op, uint64_t key) {
    const struct go_hmap *h = &t->map->h;
    bool walked = t->ops < WALK_EACH_BELOW || t->ops % WALK_EVERY == 0;
    fprintf(t->options->out, "%c,%" PRIu64 ",%zu,%u,%u,%u,%zu,%d,", op, key, h->count, h->B, h->flags,
            h->noverflow, h->nevacuate, go_growing(t->map));
    if (walked)
        fprintf(t->options->out, "%zu\n", trace_overflows(t->map));
    else
        fputs("-1\n", t->options->out);
}

/* A growth that began, and one that ended in a later operation. slide: which repetition; -1 otherwise. */
static void print_events(struct trace *t, const struct before *was, int64_t slide) {
    const struct go_hmap *h = &t->map->h;
    FILE *out = t->options->out;
    bool grew = was->buckets && was->buckets != h->buckets;
    if (grew) t->growth_inserts = 1;
    if (grew && slide >= 0) {
        fprintf(out,
                "{\"B\":%u,\"churn_op\":%" PRId64
                ",\"count\":%zu,\"ev\":\"%s\",\"flags\":%u,\"noverflow_after\":%u}\n",
                h->B, slide, h->count, h->B == was->B ? "grow_same_size" : "grow", h->flags, h->noverflow);
    } else if (grew && h->B == was->B) {
        fprintf(out,
                "{\"B\":%u,\"count\":%zu,\"ev\":\"grow_same_size\",\"flags\":%u,\"noverflow_after\":%u}\n",
                h->B, h->count, h->flags, h->noverflow);
    } else if (grew) {
        fprintf(out,
                "{\"B_from\":%u,\"B_to\":%u,\"count_after_insert\":%zu,\"ev\":\"grow\",\"nevacuate_after_"
                "first_insert\":%zu,"
                "\"noverflow_after\":%u}\n",
                was->B, h->B, h->count, h->nevacuate, h->noverflow);
    } else if (was->growing && !go_growing(t->map) && h->count > 0 && slide < 0) { /* clear ends none */
        fprintf(
            out,
            "{\"B\":%u,\"actual_overflow\":%zu,\"count\":%zu,\"ev\":\"evacuated\",\"inserts_taken\":%" PRIu64
            ",\"noverflow\":%u}\n",
            h->B, trace_overflows(t->map), h->count, t->growth_inserts, h->noverflow);
    }
}

/* After every operation. An emptied map has drawn a new seed: from here on the real runtime's would differ.
 */
static void trace_after(struct trace *t, const struct before *was, char op, uint64_t key, int64_t slide) {
    bool redrawn = was->count > 0 && t->map->h.count == 0;
    FILE *out = t->options->out;
    if (op == 'I') t->growth_inserts++;
    if (op == 'I') t->stale |= t->redrawn;
    if (t->options->output == TRACE_ROWS) print_row(t, op, key);
    if (t->options->output == TRACE_EVENTS) print_events(t, was, slide);
    if (redrawn && t->options->output == TRACE_ROWS)
        fprintf(out, "# seed re-drawn at op %" PRIu64 "\n", t->ops);
    if (redrawn && t->options->output == TRACE_EVENTS)
        fprintf(out, "{\"ev\":\"seed_redrawn\",\"op\":%" PRIu64 ",\"seed_redrawn\":true}\n", t->ops);
    t->redrawn |= redrawn;
    t->ops++;
}

static bool trace_insert(struct trace *t, uint64_t key, int64_t slide) {
    struct before was = trace_before(t);
    map_val *val = map_put(t->map, key);
    if (!val) return false;
    *val = 3 * key;
    trace_after(t, &was, 'I', key, slide);
    return true;
}

static void trace_delete(struct trace *t, uint64_t key, int64_t slide) {
    struct before was = trace_before(t);
    (void)map_del(t->map, key);
    trace_after(t, &was, 'D', key, slide);
}

static uint64_t fnv1a64(uint64_t hash, const uint8_t *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

static uint64_t fnv1a64_word(uint64_t hash, uint64_t word) {
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(word >> (8 * i));
    return fnv1a64(hash, bytes, sizeof bytes);
}

enum { CHAIN_MAX = 4096 };
struct digest {
    uint64_t fnv;
    size_t overflows;
    uint64_t occupancy[CHAIN_MAX * GO_SLOTS + 1], chains[CHAIN_MAX + 1];
};

static bool digest_chain(struct digest *digest, struct go_bmap *b) {
    size_t live = 0, length = 0;
    for (; b; b = b->overflow) {
        if (++length > CHAIN_MAX) return false;
        digest->fnv = fnv1a64(digest->fnv, b->top, sizeof b->top);
        for (size_t i = 0; i < GO_SLOTS; i++) {
            if (b->top[i] < GO_TOP_MIN) continue;
            digest->fnv = fnv1a64_word(fnv1a64_word(digest->fnv, b->key[i]), b->val[i]);
            live++;
        }
    }
    digest->overflows += length - 1;
    digest->occupancy[live]++;
    digest->chains[length]++;
    return true;
}

static void print_histogram(FILE *out, const char *name, const uint64_t *counts, size_t n, bool stale) {
    if (stale) {
        fprintf(out, ",\"%s\":null", name);
        return;
    }
    while (n > 0 && counts[n - 1] == 0) n--;
    fprintf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < n; i++) fprintf(out, "%s%" PRIu64, i ? "," : "", counts[i]);
    fputc(']', out);
}

/* Prints null for what depends on where entries lie, once a seed has placed them that the real runtime does
 * not have. */
static bool print_digest(const struct trace *t, struct why *why) {
    const struct go_hmap *h = &t->map->h;
    struct digest *digest = calloc(1, sizeof *digest);
    bool ok = digest != NULL;
    if (ok) digest->fnv = 0xcbf29ce484222325u;
    for (size_t n = 0; ok && h->buckets && n <= go_mask(h->B); n++) ok = digest_chain(digest, &h->buckets[n]);
    if (ok) {
        FILE *out = t->options->out;
        fprintf(out,
                "{\"count\":%zu,\"B\":%u,\"noverflow\":%u,\"actual_overflow\":%zu,\"nevacuate\":%zu,"
                "\"growing\":%s",
                h->count, h->B, h->noverflow, digest->overflows, h->nevacuate,
                go_growing(t->map) ? "true" : "false");
        print_histogram(out, "occupancy_hist", digest->occupancy, CHAIN_MAX * GO_SLOTS + 1, t->stale);
        print_histogram(out, "chain_hist", digest->chains, CHAIN_MAX + 1, t->stale);
        if (t->stale)
            fputs(",\"layout_fnv1a64\":null,\"seed_redrawn\":true}\n", out);
        else
            fprintf(out, ",\"layout_fnv1a64\":\"%016" PRIx64 "\"%s}\n", digest->fnv,
                    t->redrawn ? ",\"seed_redrawn\":true" : "");
    } else {
        why_say(why, digest ? "a chain is longer than %d buckets" : "out of memory", CHAIN_MAX);
    }
    free(digest);
    return ok;
}

static bool trace_word(struct trace *t, const struct trace_word *word, struct why *why) {
    bool ok = true;
    struct before was;
    switch (word->kind) {
    case TRACE_MAKE:
        return trace_make(t, word->a);
    case TRACE_INSERT:
        for (uint64_t key = word->a; ok && key <= word->b; key++) ok = trace_insert(t, key, -1);
        return ok;
    case TRACE_DELETE:
        for (uint64_t key = word->a; key <= word->b; key++) trace_delete(t, key, -1);
        return true;
    case TRACE_SLIDE:
        for (uint64_t j = 0; ok && j < word->b; j++) {
            trace_delete(t, j, (int64_t)j);
            ok = trace_insert(t, word->a + j, (int64_t)j);
        }
        return ok;
    case TRACE_CLEAR:
        was = trace_before(t);
        map_clear(t->map);
        trace_after(t, &was, 'C', 0, -1);
        return true;
    case TRACE_GET:
        for (uint64_t key = word->a; key <= word->b; key++) {
            was = trace_before(t);
            const map_val *val = map_get(t->map, key);
            trace_after(t, &was, 'G', key, -1);
            if (!val || *val == 3 * key) continue;
            why_say(why, "a lookup of %" PRIu64 " found another value than was stored", key);
            t->failure = EXIT_CHECK_FAILED;
            return false;
        }
        return true;
    case TRACE_SEED:
        return trace_seed(t, word->a, why);
    default:
        return false;
    }
}

int trace_go_hmap(const struct trace_options *options, const struct trace_word *words, size_t count,
                  struct why *why) {
    struct trace t = {.options = options, .failure = EXIT_CANNOT};
    traced_release = options->release;
    memcpy(t.keys.hashkey, options->hashkey, sizeof t.keys.hashkey);
    bool ok = trace_make(&t, 0);
    why_say(why, "out of memory");
    if (options->output == TRACE_ROWS)
        fputs("op,key,count,B,flags,noverflow,nevacuate,growing,actual_overflow\n", options->out);
    for (size_t i = 0; ok && i < count; i++) {
        ok = trace_word(&t, &words[i], why);
        if (ok && options->output == TRACE_DIGEST) ok = print_digest(&t, why);
        if (!ok || options->output != TRACE_BYTES) continue;
        struct go_occupied occupied = go_hmap_occupied(t.map, true);
        trace_print_bytes(options->out, t.map->h.count, &occupied);
    }
    const char *fault = ok ? map_check(t.map) : NULL;
    if (t.map) map_destroy(t.map);
    if (!fault) return ok ? EXIT_OK : t.failure;
    why_say(why, "after %" PRIu64 " operations: %s", t.ops, fault);
    return EXIT_CHECK_FAILED;
}

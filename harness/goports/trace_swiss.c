/* Structural traces of go_swiss (harness/goports/trace.h): the map for 64-bit keys and values, compiled here
 * (harness/goports/port.h) with a hook that reports each replacement of a table. */
#include "harness/goports/trace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/goports/port.h"
#include "harness/base/exit.h"
#include "harness/base/why.h"

/* A table that was replaced, or of which tombstones were pruned: `freed` is then not 0. */
struct rehash {
    size_t cap_from, cap_to, used_before, tombstones_before, freed;
    int64_t dir_len_before, dir_len;
    unsigned global_depth, local_depth;
};

/* What happened to tables in one operation. A split that sends every entry the same way is followed by
 * another, once for each bit of the hash at most; a table doubles six times before. */
enum { REHASHES_MAX = 80 };
struct rehash_log {
    struct rehash rehash[REHASHES_MAX];
    size_t count;
};

static void rehash_log_add(struct rehash_log *log, struct rehash rehash) {
    if (log && log->count < REHASHES_MAX) log->rehash[log->count++] = rehash;
}

/* The release and the assignment are the map's here, so that one program follows the rules of all. */
#define GO_SWISS_OBSERVER                                                                                    \
    struct rehash_log *log;                                                                                  \
    int release;                                                                                             \
    enum trace_assignment assignment;
#define GO_SWISS_RELEASE_OF(map) ((map)->release)
#define GO_ASSIGNMENT_OF(map) ((enum go_assignment)(map)->assignment)
#define GO_SWISS_OBSERVE(map, old_slots, old_used, old_tombstones, replacement, old_dir_len)                 \
    rehash_log_add((map)->log, (struct rehash){.cap_from = (old_slots),                                      \
                                               .cap_to = (replacement)->capacity,                            \
                                               .used_before = (old_used),                                    \
                                               .tombstones_before = (old_tombstones),                        \
                                               .dir_len_before = (old_dir_len),                              \
                                               .dir_len = (map)->dir_len,                                    \
                                               .global_depth = (map)->global_depth,                          \
                                               .local_depth = (replacement)->local_depth})
#define GO_SWISS_OBSERVE_PRUNE(map, table, tombstones, freed_slots)                                          \
    rehash_log_add((map)->log, (struct rehash){.cap_from = (table)->capacity,                                \
                                               .used_before = (table)->used,                                 \
                                               .tombstones_before = (tombstones),                            \
                                               .freed = (freed_slots),                                       \
                                               .dir_len = (map)->dir_len})
#define UNIT_HASH_native 1
#include "maps/go/swiss.h"
#include "maps/go/swiss_bytes.h"

struct tracer {
    const struct trace_options *options;
    struct go_hash_keys keys;
    struct map *map;
    struct rehash_log log;
    int failure;         /* the exit code if a word cannot be done */
    uint64_t ops;        /* done so far, get included */
    bool seed_redrawn;   /* the map became empty and drew a seed that the real runtime's would not be ... */
    bool stale;          /* ... and entries have been placed by it */
    size_t tables;       /* for the rows, so that not each walks the directory */
    int64_t growth_left; /* of all tables */
};

/* --- rows --- */

static void recount(struct tracer *tracer) {
    tracer->tables = 0;
    tracer->growth_left = 0;
    for (int64_t i = 0; i < tracer->map->dir_len; i++) {
        const struct go_table *table = go_directory(tracer->map)[i];
        if (table->index != i) continue;
        tracer->tables++;
        tracer->growth_left += table->growth_left;
    }
}

static int64_t growth_left_of(const struct map *map, uint64_t key) {
    return map->dir_len ? go_table_of(map, go_swiss_hash(map, &key))->growth_left : 0;
}

static void print_row(struct tracer *tracer, char op, uint64_t key) {
    const struct map *map = tracer->map;
    fprintf(tracer->options->out, "%c,%" PRIu64 ",%" PRIu64 ",%" PRId64 ",%u,%zu,%zu,%" PRId64 "\n", op, key,
            map->used, map->dir_len, map->global_depth, tracer->tables, map->slots, tracer->growth_left);
}

/* --- events --- */

/* As the recorders of the newer releases print it, in an insert without churn_op. */
static void print_prune(FILE *out, const struct rehash *prune, int64_t churn_op) {
    fprintf(out, "{\"cap\":%zu,", prune->cap_from);
    if (churn_op >= 0) fprintf(out, "\"churn_op\":%" PRId64 ",", churn_op);
    fprintf(out,
            "\"dirLen\":%" PRId64
            ",\"ev\":\"prune\",\"freed\":%zu,\"live_before\":%zu,\"tombstones_before\":%zu}\n",
            prune->dir_len, prune->freed, prune->used_before, prune->tombstones_before);
}

static const char *event_name(const struct rehash *rehash) {
    if (rehash->dir_len_before == 0) return "small_to_table";
    return rehash->cap_to > rehash->cap_from ? "grow" : "split";
}

/* churn_op: the number of the operation in a slide, from 0; -1 in an insert. */
static void print_events(struct tracer *tracer, int64_t churn_op) {
    FILE *out = tracer->options->out;
    for (size_t i = 0; i < tracer->log.count; i++) {
        const struct rehash *rehash = &tracer->log.rehash[i];
        if (rehash->freed) {
            print_prune(out, rehash, churn_op);
            continue;
        }
        fprintf(out, "{\"cap_from\":%zu,\"cap_to\":%zu,", rehash->cap_from, rehash->cap_to);
        if (churn_op >= 0) {
            fprintf(out,
                    "\"churn_op\":%" PRId64 ",\"dirLen\":%" PRId64
                    ",\"ev\":\"rehash\",\"live_in_old_table\":%zu",
                    churn_op, rehash->dir_len, rehash->used_before);
            if (GO_SINCE(tracer->map, 125))
                fprintf(out, ",\"tombstones_in_old_table\":%zu", rehash->tombstones_before);
            fputs("}\n", out);
            continue;
        }
        fprintf(out,
                "\"count\":%" PRIu64 ",\"dirLen\":%" PRId64
                ",%s\"ev\":\"%s\",\"globalDepth\":%u,\"localDepth\":%u,"
                "\"old_table_used_before\":%zu}\n",
                tracer->map->used, rehash->dir_len,
                rehash->dir_len > rehash->dir_len_before ? "\"directory_doubled\":true," : "",
                event_name(rehash), rehash->global_depth, rehash->local_depth, rehash->used_before);
    }
}

static void note_redrawn_seed(struct tracer *tracer) {
    tracer->seed_redrawn = true;
    if (tracer->options->output == TRACE_ROWS)
        fprintf(tracer->options->out, "# seed re-drawn at op %" PRIu64 "\n", tracer->ops - 1);
    if (tracer->options->output == TRACE_EVENTS)
        fprintf(tracer->options->out, "{\"ev\":\"seed_redrawn\",\"op\":%" PRIu64 ",\"seed_redrawn\":true}\n",
                tracer->ops - 1);
}

/* --- digests --- */

struct digest {
    size_t tables, tombstones, full_groups;
    size_t by_capacity[TRACE_COUNTED_MAX]; /* index: log2 */
    size_t by_local_depth[TRACE_COUNTED_MAX];
    size_t group_live[GO_GROUP_SLOTS + 1];
    uint64_t growth_left, fnv1a64;
};

static void digest_bytes(struct digest *digest, const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) digest->fnv1a64 = (digest->fnv1a64 ^ bytes[i]) * 0x100000001b3u;
}

static void digest_word(struct digest *digest, uint64_t word) {
    uint8_t bytes[sizeof word];
    for (size_t i = 0; i < sizeof word; i++) bytes[i] = (uint8_t)(word >> (8 * i));
    digest_bytes(digest, bytes, sizeof bytes);
}

static void digest_group(struct digest *digest, struct go_group *group) {
    size_t live = 0;
    digest_bytes(digest, group->ctrl, sizeof group->ctrl);
    for (size_t i = 0; i < GO_GROUP_SLOTS; i++) {
        if (group->ctrl[i] & GO_CTRL_EMPTY) continue;
        live++;
        digest_word(digest, *go_slot_key(go_slot_of(group, i)));
        digest_word(digest, *go_slot_elem(go_slot_of(group, i)));
    }
    digest->group_live[live]++;
    digest->full_groups += go_match_empty(group->ctrl) == 0;
}

static void digest_table(struct digest *digest, const struct go_table *table) {
    digest->tables++;
    digest->tombstones += go_table_tombstones(table);
    digest->growth_left += table->growth_left;
    digest->by_capacity[__builtin_ctz(table->capacity)]++;
    digest->by_local_depth[table->local_depth]++;
    for (uint64_t i = 0; i <= table->length_mask; i++) digest_group(digest, &table->groups[i]);
}

/* Prints null for what depends on where entries lie, once a seed has placed them that the real runtime does
 * not have. */
static void print_digest(struct tracer *tracer) {
    const struct map *map = tracer->map;
    FILE *out = tracer->options->out;
    struct digest digest = {.fnv1a64 = 0xcbf29ce484222325u};
    if (map->dir_len == 0 && map->dir_ptr) digest_group(&digest, (struct go_group *)map->dir_ptr);
    for (int64_t i = 0; i < map->dir_len; i++)
        if (go_directory(map)[i]->index == i) digest_table(&digest, go_directory(map)[i]);
    fprintf(out,
            "{\"count\":%" PRIu64 ",\"dirLen\":%" PRId64 ",\"globalDepth\":%u,\"tables\":%zu,\"slots\":%zu,"
            "\"growthLeft\":%" PRIu64 ",\"tombstones\":%zu,",
            map->used, map->dir_len, map->global_depth, digest.tables, map->slots, digest.growth_left,
            digest.tombstones);
    trace_print_counts(out, "tables_by_capacity", digest.by_capacity, true);
    trace_print_counts(out, "tables_by_localDepth", digest.by_local_depth, false);
    if (tracer->stale) {
        fputs(
            "\"full_groups\":null,\"group_live_hist\":null,\"layout_fnv1a64\":null,\"seed_redrawn\":true}\n",
            out);
        return;
    }
    fprintf(out, "\"full_groups\":%zu,\"group_live_hist\":[", digest.full_groups);
    for (size_t i = 0; i <= GO_GROUP_SLOTS; i++) fprintf(out, "%s%zu", i ? "," : "", digest.group_live[i]);
    fprintf(out, "],\"layout_fnv1a64\":\"%016" PRIx64 "\"%s}\n", digest.fnv1a64,
            tracer->seed_redrawn ? ",\"seed_redrawn\":true" : "");
}

/* --- operations --- */

/* The hint as NewMap takes it: for none if there could be more slots than this, its limit being maxAlloc of
 * runtime/malloc.go (linux/amd64) bytes in as many groups as there are slots. */
static uint64_t hint_taken(uint64_t hint) {
    const uint64_t slots_max = ((uint64_t)1 << 48) / sizeof(struct go_group);
    if (hint <= GO_GROUP_SLOTS) return hint;
    if (hint > slots_max) return 0;
    uint64_t capacity = hint * GO_GROUP_SLOTS / GO_GROUP_LOAD_MAX;
    uint64_t tables = (capacity + GO_TABLE_CAPACITY_MAX - 1) / GO_TABLE_CAPACITY_MAX;
    return go_align_up_pow2(tables) > slots_max / GO_TABLE_CAPACITY_MAX ? 0 : hint;
}

/* Tables are allocated one by one: a machine without the memory would notice too late. */
static bool could_allocate(uint64_t hint) {
    void *room = malloc((hint / GO_GROUP_LOAD_MAX + 1) * sizeof(struct go_group));
    __asm__ volatile("" : "+r"(room)); /* or the compiler drops both calls */
    free(room);
    return room != NULL;
}

static bool make(struct tracer *tracer, uint64_t hint) {
    hint = hint_taken(hint);
    if (tracer->map) map_destroy(tracer->map);
    tracer->map = could_allocate(hint) ? map_create(NULL, hint) : NULL;
    if (!tracer->map) return false;
    tracer->map->keys = &tracer->keys;
    tracer->map->seed = tracer->options->seed;
    tracer->map->log = &tracer->log;
    tracer->map->release = tracer->options->release;
    tracer->map->assignment = tracer->options->assignment;
    tracer->seed_redrawn = tracer->stale = false;
    recount(tracer);
    return true;
}

/* Goes on with a clone of the map, as maps.Clone makes it. */
static bool replace_by_clone(struct tracer *tracer) {
    struct map *clone = map_copy(tracer->map);
    if (!clone) return false;
    clone->log = &tracer->log;
    clone->release = tracer->options->release;
    clone->assignment = tracer->options->assignment;
    map_destroy(tracer->map);
    tracer->map = clone;
    tracer->ops++;
    if (!GO_SINCE(clone, 125)) tracer->seed_redrawn = tracer->stale = map_len(clone) > 0;
    recount(tracer);
    return true;
}

/* Refuses a seed for a map that is not empty, as the recorders of the real runtime did. */
static bool set_seed(struct tracer *tracer, uint64_t seed) {
    if (map_len(tracer->map) > 0) {
        tracer->failure = EXIT_USAGE;
        return false;
    }
    tracer->map->seed = seed;
    tracer->seed_redrawn = false;
    return true;
}

static bool insert(struct tracer *tracer, uint64_t key, int64_t churn_op) {
    int64_t before = growth_left_of(tracer->map, key);
    tracer->log.count = 0;
    tracer->ops++;
    uint64_t *val = map_put(tracer->map, key);
    if (!val) return false;
    *val = 3 * key;
    tracer->stale |= tracer->seed_redrawn;
    if (tracer->log.count)
        recount(tracer);
    else
        tracer->growth_left += growth_left_of(tracer->map, key) - before;
    if (tracer->options->output == TRACE_ROWS) print_row(tracer, 'I', key);
    if (tracer->options->output == TRACE_EVENTS) print_events(tracer, churn_op);
    return true;
}

static void delete (struct tracer *tracer, uint64_t key) {
    uint64_t seed = tracer->map->seed;
    int64_t before = growth_left_of(tracer->map, key);
    tracer->ops++;
    map_del(tracer->map, key);
    bool redrawn = tracer->map->seed != seed;
    if (redrawn)
        recount(tracer);
    else
        tracer->growth_left += growth_left_of(tracer->map, key) - before;
    if (tracer->options->output == TRACE_ROWS) print_row(tracer, 'D', key);
    if (redrawn) note_redrawn_seed(tracer);
}

static void clear(struct tracer *tracer) {
    uint64_t seed = tracer->map->seed;
    tracer->ops++;
    map_clear(tracer->map);
    recount(tracer);
    if (tracer->options->output == TRACE_ROWS) print_row(tracer, 'C', 0);
    if (tracer->map->seed != seed) note_redrawn_seed(tracer);
}

/* False: the value is not the one stored. */
static bool get(struct tracer *tracer, uint64_t key) {
    const uint64_t *val = map_get(tracer->map, key);
    tracer->ops++;
    if (tracer->options->output == TRACE_ROWS) print_row(tracer, 'G', key);
    if (!val || *val == 3 * key) return true;
    tracer->failure = EXIT_CHECK_FAILED;
    return false;
}

/* False: `problem` says why. */
static bool run_word(struct tracer *tracer, const struct trace_word *word, const char **problem) {
    *problem = "out of memory";
    switch (word->kind) {
    case TRACE_MAKE:
        return make(tracer, word->a);
    case TRACE_INSERT:
        for (uint64_t key = word->a;; key++) {
            if (!insert(tracer, key, -1)) return false;
            if (key >= word->b) return true;
        }
    case TRACE_DELETE:
        for (uint64_t key = word->a;; key++) {
            delete (tracer, key);
            if (key >= word->b) return true;
        }
    case TRACE_SLIDE:
        for (uint64_t j = 0; j < word->b; j++) {
            delete (tracer, j);
            if (!insert(tracer, word->a + j, (int64_t)j)) return false;
        }
        return true;
    case TRACE_CLEAR:
        clear(tracer);
        return true;
    case TRACE_GET:
        *problem = "a lookup found another value than was stored";
        for (uint64_t key = word->a;; key++) {
            if (!get(tracer, key)) return false;
            if (key >= word->b) return true;
        }
    case TRACE_CLONE:
        return replace_by_clone(tracer);
    case TRACE_SEED:
        *problem = "seed: the map holds entries; only an empty one can be given a seed";
        return set_seed(tracer, word->a);
    case TRACE_STORE:
    case TRACE_LOAD:
    case TRACE_REMOVE:
    case TRACE_RANGE:
        break;
    }
    *problem = "store, load, delete K and range are words of go_syncmap";
    return false;
}

int trace_go_swiss(const struct trace_options *options, const struct trace_word *words, size_t count,
                   struct why *why) {
    struct tracer tracer = {.options = options, .keys = {.aes = false}, .failure = EXIT_CANNOT};
    const char *problem = "out of memory";
    memcpy(tracer.keys.hashkey, options->hashkey, sizeof tracer.keys.hashkey);
    bool ok = make(&tracer, 0);
    if (ok && options->output == TRACE_ROWS)
        fputs("op,key,count,dirLen,globalDepth,tables,slots,growthLeft_total\n", options->out);
    for (size_t i = 0; ok && i < count; i++) {
        ok = run_word(&tracer, &words[i], &problem);
        if (ok && options->output == TRACE_DIGEST) print_digest(&tracer);
        if (!ok || options->output != TRACE_BYTES) continue;
        struct go_occupied occupied = go_swiss_occupied(tracer.map, true);
        trace_print_bytes(options->out, map_len(tracer.map), &occupied);
    }
    if (ok && (problem = map_check(tracer.map))) {
        ok = false;
        tracer.failure = EXIT_CHECK_FAILED;
    }
    if (!ok) why_say(why, "go_swiss after %" PRIu64 " operations: %s", tracer.ops, problem);
    if (tracer.map) map_destroy(tracer.map);
    return ok ? EXIT_OK : tracer.failure;
}

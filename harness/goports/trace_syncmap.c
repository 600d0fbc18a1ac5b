/* trace go_syncmap: after each operation the columns that a real sync.Map (Go up to 1.23) shows.
 *
 * Rows are CSV and events JSON lines, one for each operation; a digest is the JSON line of the last
 * operation of each word. The fields have the names of the reference traces. A store and a delete have
 * no result; a load's is the value (or <nil>) and whether it was there, a range's the number of
 * entries met. `store K` stores the value K; inserts store three times the key.
 * No column depends on a hash: neither the hash key nor the seed of the options matters here.
 */
#include "harness/goports/trace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/goports/port.h"
#include "harness/base/exit.h"
#include "harness/base/why.h"

#define UNIT_HASH_common
#include "maps/go/syncmap.h"

struct tracer {
    const struct trace_options *options;
    struct map *map;
    uint64_t step;  /* of the next operation */
    const char *op; /* the last operation, and what it was about */
    bool has_key;
    uint64_t key;
    char result[48]; /* empty: it has none */
};

static void print_row(const struct tracer *t, const struct sync_state *s) {
    FILE *out = t->options->out;
    fprintf(out, "%s,", t->op);
    if (t->has_key) fprintf(out, "%" PRIu64, t->key);
    fprintf(out, ",%s,%zu,%ld,%s,%zu,%zu,%zu\n", t->result, s->len_read, s->len_dirty,
            s->amended ? "true" : "false", s->misses, s->nil_entries, s->expunged_entries);
}

static void print_json(const struct tracer *t, const struct sync_state *s) {
    FILE *out = t->options->out;
    fprintf(out, "{\"step\":%" PRIu64 ",\"op\":\"%s\",", t->step - 1, t->op);
    if (t->has_key) fprintf(out, "\"key\":%" PRIu64 ",", t->key);
    if (t->result[0]) fprintf(out, "\"result\":\"%s\",", t->result);
    fprintf(out,
            "\"len_read\":%zu,\"len_dirty\":%ld,\"amended\":%s,\"misses\":%zu,\"read_nil_entries\":%zu,"
            "\"read_expunged_entries\":%zu}\n",
            s->len_read, s->len_dirty, s->amended ? "true" : "false", s->misses, s->nil_entries,
            s->expunged_entries);
}

/* Ends every operation. */
static void tracer_show(struct tracer *t, const char *op, bool has_key, uint64_t key) {
    t->op = op;
    t->has_key = has_key;
    t->key = key;
    t->step++;
    if (t->options->output == TRACE_DIGEST) return;
    struct sync_state state = sync_state_of(t->map);
    if (t->options->output == TRACE_ROWS)
        print_row(t, &state);
    else
        print_json(t, &state);
}

static bool do_store(struct tracer *t, uint64_t key, uint64_t val) {
    if (!map_store(t->map, key, val)) return false;
    t->result[0] = 0;
    tracer_show(t, "Store", true, key);
    return true;
}

static void do_load(struct tracer *t, uint64_t key) {
    uint64_t val;
    if (map_load(t->map, key, &val))
        snprintf(t->result, sizeof t->result, "%" PRIu64 " true", val);
    else
        snprintf(t->result, sizeof t->result, "<nil> false");
    tracer_show(t, "Load", true, key);
}

static void do_delete(struct tracer *t, uint64_t key) {
    map_del(t->map, key);
    t->result[0] = 0;
    tracer_show(t, "Delete", true, key);
}

static void do_range(struct tracer *t) {
    struct map_iter iter;
    map_key key;
    const map_val *val;
    size_t met = 0;
    map_iter_start(t->map, &iter);
    while (map_iter_next(&iter, &key, &val)) met++;
    snprintf(t->result, sizeof t->result, "%zu", met);
    tracer_show(t, "Range", false, 0);
}

static void do_clear(struct tracer *t) {
    map_clear(t->map);
    t->result[0] = 0;
    tracer_show(t, "Clear", false, 0);
}

/* The words that stand for many operations; the value inserted is three times the key. False: out of memory.
 */
static bool do_many(struct tracer *t, const struct trace_word *word) {
    if (word->kind == TRACE_SLIDE) {
        for (uint64_t j = 0; j < word->b; j++) {
            do_delete(t, j);
            if (!do_store(t, word->a + j, 3 * (word->a + j))) return false;
        }
        return true;
    }
    for (uint64_t key = word->a;; key++) {
        if (word->kind == TRACE_DELETE) do_delete(t, key);
        if (word->kind == TRACE_GET) do_load(t, key);
        if (word->kind == TRACE_INSERT && !do_store(t, key, 3 * key)) return false;
        if (key == word->b) return true;
    }
}

static bool do_word(struct tracer *t, const struct trace_word *word) {
    switch (word->kind) {
    case TRACE_STORE:
        return do_store(t, word->a, word->a);
    case TRACE_LOAD:
        do_load(t, word->a);
        return true;
    case TRACE_REMOVE:
        do_delete(t, word->a);
        return true;
    case TRACE_RANGE:
        do_range(t);
        return true;
    case TRACE_CLEAR:
        do_clear(t);
        return true;
    default:
        return do_many(t, word);
    }
}

int trace_go_syncmap(const struct trace_options *options, const struct trace_word *words, size_t count,
                     struct why *why) {
    struct tracer t = {.options = options};
    for (size_t i = 0; i < count; i++)
        if (words[i].kind == TRACE_MAKE) {
            why_say(why, "make: a sync.Map has no size to be made with; leave the word out");
            return EXIT_USAGE;
        }
    t.map = map_create(NULL, 0);
    bool ok = t.map != NULL;
    if (options->output == TRACE_ROWS)
        fprintf(options->out, "op,key,result,len_read,len_dirty,amended,misses,read_nil_entries,"
                              "read_expunged_entries\n");
    for (size_t i = 0; ok && i < count; i++) {
        uint64_t before = t.step;
        ok = do_word(&t, &words[i]);
        if (!ok || options->output != TRACE_DIGEST || t.step == before) continue;
        struct sync_state state = sync_state_of(t.map);
        print_json(&t, &state);
    }
    if (!ok) why_say(why, "out of memory after %" PRIu64 " operations", t.step);
    if (t.map) map_destroy(t.map);
    return ok ? EXIT_OK : EXIT_CANNOT;
}

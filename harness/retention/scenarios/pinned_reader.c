/* Scenario 34, pinned_reader: one reader that does not leave its epoch section keeps every retired node.
 *
 * Epoch-based reclamation in its usual form (Fraser 2004, section 5.2.3): a node that is unlinked in epoch e
 * may be freed once the global epoch is e + 2, and the epoch advances only when every reader that is inside a
 * section has seen the present one. A reader that was put aside inside a section therefore stops all
 * freeing, not only that of nodes it can see. Once it leaves, the nodes are freed but stay resident, for live
 * ones lie above them in the heap.
 *
 * The readers are stand-ins: their entering and leaving is part of the story, so no thread is needed.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "harness/memory/resident.h"
#include "harness/retention/retention.h"
#include "harness/base/rng.h"

enum {
    KEYS = 1000,        /* live nodes: each update replaces one */
    PAYLOAD_BYTES = 80, /* with the two words of a node's head 96, or 112 as glibc counts them */
    READERS = 4,
    BAGS = 3,             /* epochs that can hold retired nodes at once */
    ADVANCE_EVERY = 64,   /* retired nodes between two attempts to advance the epoch */
    SECTION_UPDATES = 32, /* what a short section lasts */
    PURPOSE = 34,         /* of the random stream */
};

struct node {
    struct node *next_retired;
    uint64_t version;
    unsigned char payload[PAYLOAD_BYTES];
};

struct reader {
    bool inside;
    uint64_t seen; /* the epoch when it entered */
};

struct epochs {
    uint64_t now;
    struct reader reader[READERS];
    struct node *bag[BAGS]; /* retired in epoch e: bag[e % BAGS] */
    size_t pending[BAGS];
    size_t since_attempt;
};

struct table {
    struct node *node[KEYS];
    struct epochs epochs;
    size_t pinned_readers; /* the first so many never leave */
    size_t updates;
    size_t pending_max;
    uint64_t rng;
};

static void reader_enter(struct epochs *epochs, size_t i) {
    epochs->reader[i] = (struct reader){.inside = true, .seen = epochs->now};
}
static void reader_leave(struct epochs *epochs, size_t i) {
    epochs->reader[i].inside = false;
}

static void empty_bag(struct epochs *epochs, size_t bag) {
    for (struct node *node = epochs->bag[bag], *next; node; node = next) {
        next = node->next_retired;
        free(node);
    }
    epochs->bag[bag] = NULL;
    epochs->pending[bag] = 0;
}

/* The bag of epoch now - 2, which is that of now + 1, can be freed once the epoch has advanced: no reader is
 * older than now - 1 then. */
static bool epoch_advance(struct epochs *epochs) {
    for (size_t i = 0; i < READERS; i++)
        if (epochs->reader[i].inside && epochs->reader[i].seen != epochs->now) return false;
    epochs->now++;
    empty_bag(epochs, (epochs->now + 1) % BAGS);
    return true;
}

static void retire(struct epochs *epochs, struct node *node) {
    size_t bag = epochs->now % BAGS;
    node->next_retired = epochs->bag[bag];
    epochs->bag[bag] = node;
    epochs->pending[bag]++;
    if (++epochs->since_attempt < ADVANCE_EVERY) return;
    epochs->since_attempt = 0;
    epoch_advance(epochs);
}

static size_t pending_nodes(const struct epochs *epochs) {
    size_t nodes = 0;
    for (size_t i = 0; i < BAGS; i++) nodes += epochs->pending[i];
    return nodes;
}

static struct node *node_new(uint64_t version) {
    struct node *node = malloc(sizeof *node);
    if (!node) return NULL;
    node->next_retired = NULL;
    node->version = version;
    memset(node->payload, (int)(version & 0xff), sizeof node->payload);
    return node;
}

static bool update(struct retention *r, size_t i, void *context) {
    struct table *table = context;
    size_t key = rng_below(&table->rng, KEYS);
    struct node *fresh = node_new(i), *old = table->node[key];
    if (!fresh) return case_fail(r, "out of memory after %zu updates", i);
    if (i % SECTION_UPDATES == 0)
        for (size_t k = table->pinned_readers; k < READERS; k++) {
            reader_leave(&table->epochs, k);
            reader_enter(&table->epochs, k);
        }
    table->node[key] = fresh;
    retire(&table->epochs, old);
    table->updates++;
    if (pending_nodes(&table->epochs) > table->pending_max)
        table->pending_max = pending_nodes(&table->epochs);
    return true;
}

/* Counts what the program needs, the nodes that the table refers to. Called just before each checkpoint. */
static uint64_t live(struct retention *r, size_t done, void *context) {
    const struct table *table = context;
    (void)done;
    note_number(r, "pending_nodes", (double)pending_nodes(&table->epochs));
    note_number(r, "pending_bytes", (double)(pending_nodes(&table->epochs) * sizeof(struct node)));
    note_number(r, "epoch", (double)table->epochs.now);
    return KEYS * sizeof(struct node);
}

static bool checkpoint_here(struct retention *r, struct table *table, const char *label) {
    return checkpoint(r, label, table->updates, live(r, table->updates, table));
}

static bool all_leave(struct retention *r, struct table *table, const char *label) {
    for (size_t i = 0; i < READERS; i++) reader_leave(&table->epochs, i);
    for (size_t i = 0; i < BAGS; i++) epoch_advance(&table->epochs);
    mark_event(r, "leave", table->updates);
    return checkpoint_here(r, table, label);
}

static bool story(struct retention *r, struct table *table) {
    for (size_t i = 0; i < KEYS; i++)
        if (!(table->node[i] = node_new(i))) return case_fail(r, "out of memory: %d nodes", KEYS);
    for (size_t i = 0; i < READERS; i++) reader_enter(&table->epochs, i);
    mark_event(r, "enter", 0);
    if (!each_with_checkpoints(r, case_n(r), update, table, "updates", live)) return false;
    note_number(r, "pending_nodes_max", (double)table->pending_max);
    if (case_is(r, "left_late")) return all_leave(r, table, "end");
    if (!case_is(r, "left_late_trim"))
        return checkpoint_here(r, table, "end") &&
               (case_is(r, "short_sections") || all_leave(r, table, "left"));
    if (!all_leave(r, table, "left")) return false;
    malloc_trim(0);
    mark_event(r, "trim", table->updates);
    return checkpoint_here(r, table, "end");
}

static bool run(struct retention *r) {
    struct why why;
    if (!resident_small_pages(&why)) return case_fail(r, "%s", why.text);
    struct table *table = calloc(1, sizeof *table);
    malloc_trim(0); /* free memory from before would hide the first nodes */
    if (!table) return case_fail(r, "out of memory: a table of %d keys", KEYS);
    table->rng = rng_derive(case_seed(r), PURPOSE);
    table->pinned_readers = case_is(r, "short_sections") ? 0 : 1;
    bool ok = checkpoint(r, "base", 0, 0) && story(r, table);
    for (size_t i = 0; i < BAGS; i++) empty_bag(&table->epochs, i);
    for (size_t i = 0; i < KEYS; i++) free(table->node[i]);
    free(table);
    return ok;
}

const struct scenario scenario_pinned_reader = {
    .number = 34,
    .name = "pinned_reader",
    .about = ABOUT_ALLOCATOR,
    .heaps = ON_MALLOC,
    .n = 2000000,
    .claim = "A reader that stays inside an epoch section keeps every node that is retired from then on, and "
             "after it leaves the memory is free but still resident.",
    .fix = "Keep sections short: leave and enter again every few operations, never wait inside one.",
    .references = "crossbeam#566",
    .variant =
        VARIANTS({"pinned", VARIANT_LEAKY, "one reader of four stays inside its section"},
                 {"left_late", VARIANT_NO_FIX, "it leaves at the end: all is freed"},
                 {"left_late_trim", VARIANT_REFERENCE, "it leaves at the end, then malloc_trim(0)"},
                 {"short_sections", VARIANT_FIXED, "every reader leaves and enters again after 32 updates"}),
    .labels = "base updates end left",
    .verdict_label = "end",
    .release_label = "left",
    .bound_factor = 2,      /* three bags of at most a section each */
    .bound_bytes = 1 << 20, /* what glibc keeps at the top of its heap */
    .run = run,
};

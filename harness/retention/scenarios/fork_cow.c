/* Scenario 35, fork_cow: a child holds a snapshot while its parent updates 1 % of the entries.
 *
 * fork(2) shares every page until one side writes to it; then the page is copied whole. With 16-byte entries
 * a page of 4 KiB has 256, and the chance that a random 1 % leaves all of them alone is 0.99^256 = 8 %: nine
 * pages in ten are copied for 41 bytes each. What counts is how many pages are written to, not in which
 * order, so sorting the updates changes nothing; keeping what changes together does, and so does writing it
 * elsewhere until the child has ended.
 *
 * Counted is memory of the two processes together: pages that either has for itself and pages they share,
 * above what that was at the fork. What is semantically live of it: the bytes that were written.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/memory/resident.h"
#include "harness/retention/retention.h"
#include "harness/base/rng.h"
#include "harness/base/why.h"

enum { PURPOSE = 35, /* of the random stream */ PER_CENT_UPDATED = 1 };

struct entry {
    uint64_t key, value;
};

struct side_table {
    struct entry *entry; /* capacity of them; key 0: free (keys are stored + 1) */
    size_t capacity;
};

struct snapshot_case {
    size_t n, updates;
    struct entry *flat;     /* NULL: nodes */
    struct entry **node;    /* NULL: flat */
    uint32_t *order;        /* the entries to update, each once */
    struct side_table side; /* empty unless that variant */
    pid_t child;
    int hold_fd; /* the child ends when this is closed */
    struct resident_reader own, other;
    uint64_t total_at_fork_bytes, written_bytes;
};

static void *map_pages(size_t bytes) {
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

/* --- the entries --- */

static struct entry *entry_at(const struct snapshot_case *c, size_t i) {
    return c->flat ? &c->flat[i] : c->node[i];
}

static bool make_entries(struct retention *r, struct snapshot_case *c) {
    if (case_is(r, "nodes"))
        c->node = map_pages(c->n * sizeof *c->node);
    else
        c->flat = map_pages(c->n * sizeof *c->flat);
    for (size_t i = 0; i < c->n; i++) {
        if (c->node) c->node[i] = malloc(sizeof **c->node);
        if (!c->flat && (!c->node || !c->node[i])) return case_fail(r, "out of memory: %zu entries", c->n);
        *entry_at(c, i) = (struct entry){.key = i, .value = rng_mix(i)};
    }
    return true;
}

static int by_number(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* Chooses the entries that change. Grouped: they lie side by side, as when hot entries are kept together;
 * their number is the same. */
static bool make_order(struct retention *r, struct snapshot_case *c) {
    uint64_t rng = rng_derive(case_seed(r), PURPOSE);
    uint32_t *all = malloc(c->n * sizeof *all);
    c->order = all;
    if (!all) return case_fail(r, "out of memory: an order of %zu entries", c->n);
    for (size_t i = 0; i < c->n; i++) all[i] = (uint32_t)i;
    if (case_is(r, "grouped")) return true;
    for (size_t i = 0; i < c->updates; i++) {
        size_t j = i + rng_below(&rng, c->n - i);
        uint32_t kept = all[i];
        all[i] = all[j];
        all[j] = kept;
    }
    if (case_is(r, "sorted_batch")) qsort(all, c->updates, sizeof *all, by_number);
    return true;
}

/* --- the side table: linear probing, at most 3/4 full --- */

static bool side_open(struct retention *r, struct snapshot_case *c) {
    size_t capacity = 64;
    while (capacity * 3 / 4 < c->updates) capacity *= 2;
    c->side.entry = map_pages(capacity * sizeof *c->side.entry);
    c->side.capacity = capacity;
    return c->side.entry || case_fail(r, "out of memory: a side table of %zu entries", capacity);
}

static void side_put(struct side_table *side, uint64_t key, uint64_t value) {
    size_t at = rng_mix(key) & (side->capacity - 1);
    while (side->entry[at].key && side->entry[at].key != key + 1) at = (at + 1) & (side->capacity - 1);
    side->entry[at] = (struct entry){.key = key + 1, .value = value};
}

/* The child has ended: the pages are the parent's alone, and writing to them copies nothing. */
static void side_merge(struct snapshot_case *c) {
    for (size_t i = 0; i < c->side.capacity; i++)
        if (c->side.entry[i].key) entry_at(c, c->side.entry[i].key - 1)->value = c->side.entry[i].value;
    munmap(c->side.entry, c->side.capacity * sizeof *c->side.entry);
    c->side = (struct side_table){0};
}

/* --- the child --- */

/* The parent's changes may not show in what the child sees. */
static int hold_snapshot(const struct snapshot_case *c, int fd) {
    char unused;
    uint64_t before = 0, after = 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = 0; i < c->n; i++) before += entry_at(c, i)->value * (i + 1);
    while (read(fd, &unused, 1) > 0) continue;
    for (size_t i = 0; i < c->n; i++) after += entry_at(c, i)->value * (i + 1);
    return before == after ? 0 : 1;
}

static bool start_child(struct retention *r, struct snapshot_case *c) {
    int ends[2];
    struct why why;
    if (pipe(ends) != 0) return case_fail(r, "no pipe to a child process can be made");
    c->child = fork();
    if (c->child == 0) {
        close(ends[1]);
        _exit(hold_snapshot(c, ends[0]));
    }
    close(ends[0]);
    c->hold_fd = ends[1];
    if (c->child < 0) return case_fail(r, "out of memory or processes: cannot fork");
    if (!resident_open(&c->other, c->child, &why)) return case_fail(r, "%s", why.text);
    return true;
}

static bool end_child(struct retention *r, struct snapshot_case *c) {
    int status = 0;
    close(c->hold_fd);
    resident_close(&c->other);
    waitpid(c->child, &status, 0);
    c->child = 0;
    return status == 0 || case_fail(r, "the child saw an update of its parent, or died (status %d)", status);
}

/* --- measuring --- */

/* Pages that both have count once. */
static uint64_t total_bytes(const struct snapshot_case *c, uint64_t *own_private_bytes) {
    struct resident own = {0}, other = {0};
    resident_read(&c->own, &own);
    if (c->child > 0) resident_read(&c->other, &other);
    *own_private_bytes = own.private_dirty_bytes;
    return own.private_dirty_bytes + own.shared_dirty_bytes + other.private_dirty_bytes;
}

static uint64_t live(struct retention *r, size_t done, void *context) {
    struct snapshot_case *c = context;
    uint64_t own_private_bytes, total = total_bytes(c, &own_private_bytes);
    double kept = (double)total - (double)c->total_at_fork_bytes;
    (void)done;
    note_number(r, "private_dirty_bytes", (double)own_private_bytes);
    note_number(r, "written_bytes", (double)c->written_bytes);
    note_number(r, "kept_bytes", kept);
    return c->written_bytes;
}

static bool update(struct retention *r, size_t i, void *context) {
    struct snapshot_case *c = context;
    struct entry *entry = entry_at(c, c->order[i]);
    uint64_t value = rng_mix(i + c->n);
    (void)r;
    if (c->side.entry)
        side_put(&c->side, entry->key, value);
    else
        *entry = (struct entry){.key = entry->key, .value = value};
    c->written_bytes += sizeof *entry;
    return true;
}

static bool updates_arrived(struct retention *r, const struct snapshot_case *c) {
    for (size_t i = 0; i < c->updates; i++)
        if (entry_at(c, c->order[i])->value != rng_mix(i + c->n))
            return case_fail(r, "update %zu was lost", i);
    return true;
}

static bool story(struct retention *r, struct snapshot_case *c) {
    uint64_t unused;
    note_number(r, "kept_bytes", 0);
    if (!checkpoint(r, "base", 0, 0) || !start_child(r, c)) return false;
    mark_event(r, "fork", 0);
    c->total_at_fork_bytes = total_bytes(c, &unused);
    bool ok = (!case_is(r, "side_table") || side_open(r, c)) &&
              each_with_checkpoints(r, c->updates, update, c, "updates", live) &&
              checkpoint(r, "held", c->updates, live(r, c->updates, c));
    if (!end_child(r, c) || !ok) return false;
    mark_event(r, "child ended", c->updates);
    if (c->side.entry) side_merge(c);
    c->written_bytes = 0; /* one version again */
    return updates_arrived(r, c) && checkpoint(r, "ended", c->updates, live(r, c->updates, c));
}

static void release(struct snapshot_case *c) {
    for (size_t i = 0; c->node && i < c->n; i++) free(c->node[i]);
    if (c->node) munmap(c->node, c->n * sizeof *c->node);
    if (c->flat) munmap(c->flat, c->n * sizeof *c->flat);
    if (c->side.entry) munmap(c->side.entry, c->side.capacity * sizeof *c->side.entry);
    free(c->order);
}

static bool run(struct retention *r) {
    struct why why;
    struct snapshot_case c = {.n = case_n(r), .updates = case_n(r) / 100 * PER_CENT_UPDATED, .hold_fd = -1};
    if (c.updates == 0) return case_fail(r, "n is %zu: 1 %% of it needs at least 100", c.n);
    if (!resident_small_pages(&why))
        return case_fail(r, "%s", why.text); /* scenario 36 is about the other size */
    if (!resident_open(&c.own, 0, &why)) return case_fail(r, "%s", why.text);
    bool ok = make_entries(r, &c) && make_order(r, &c) && story(r, &c);
    release(&c);
    resident_close(&c.own);
    return ok;
}

const struct scenario scenario_fork_cow = {
    .number = 35,
    .name = "fork_cow",
    .about = ABOUT_ALLOCATOR,
    .heaps = ON_MALLOC,
    .n = 2000000,
    .claim =
        "While a forked child holds a snapshot, updating a random 1 % of small entries copies nine pages "
        "in ten.",
    .fix = "Keep entries that change together, or write them to a side table until the child has ended.",
    .references = "redis#8007",
    .variant = VARIANTS(
        {"flat", VARIANT_LEAKY, "16-byte entries in one array, updated in place"},
        {"nodes", VARIANT_REFERENCE, "each entry a block of its own, updated in place"},
        {"sorted_batch", VARIANT_NO_FIX, "the same updates in one batch, in the order of addresses"},
        {"grouped", VARIANT_FIXED, "the entries that change lie together"},
        {"side_table", VARIANT_FIXED, "updates go to a side table, merged when the child has ended"}),
    .labels = "base updates held ended",
    .verdict_label = "held",
    .release_label = "ended",
    .bound_factor = 3.5,       /* a side table just grown is 3/8 full, whole pages of it */
    .bound_bytes = 256 * 1024, /* pages of stack, heap and the harness that both write to */
    .run = run,
};

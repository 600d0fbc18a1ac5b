/* Scenario 36, presize_thp: a table presized for far more than it gets, on huge pages.
 *
 * Untouched pages cost nothing, so a generous hint is often taken to be free. A hash table touches its slots
 * at random: a handful of entries touches as many pages. With 4 KiB pages that is one page an entry; with
 * huge pages of 2 MiB a few hundred entries touch all of them, and the whole table is resident.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "harness/memory/resident.h"
#include "harness/retention/retention.h"
#include "harness/base/rng.h"
#include "harness/base/why.h"

enum {
    PURPOSE = 36,           /* of the random stream */
    HINT_PER_ENTRY = 10000, /* the table is filled to 0.01 % */
    CAPACITY_MIN = 16,
};

struct slot {
    uint64_t key, value; /* key 0: free */
};

struct table {
    struct slot *slot;
    void *block; /* what was mapped; the slots begin at a huge page's boundary in it */
    size_t capacity, len, block_bytes;
    int advice; /* MADV_HUGEPAGE or MADV_NOHUGEPAGE */
    uint64_t rng;
    struct resident_reader own;
};

static bool table_map(struct table *t, size_t capacity) {
    size_t bytes = capacity * sizeof(struct slot), huge = resident_huge_page_bytes();
    if (huge == 0) huge = 1;
    t->block_bytes = bytes + huge;
    t->block = mmap(NULL, t->block_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1, 0);
    if (t->block == MAP_FAILED) {
        t->block = NULL;
        return false;
    }
    t->slot = (struct slot *)(((uintptr_t)t->block + huge - 1) / huge * huge);
    t->capacity = capacity;
    /* Refused where the kernel has no huge pages: `cannot` has said so for the variant that needs them. */
    madvise(t->slot, bytes, t->advice);
    return true;
}

static void table_insert(struct table *t, uint64_t key, uint64_t value) {
    size_t at = rng_mix(key) & (t->capacity - 1);
    while (t->slot[at].key) at = (at + 1) & (t->capacity - 1);
    t->slot[at] = (struct slot){.key = key, .value = value};
    t->len++;
}

static bool table_grow(struct table *t) {
    struct table fresh = *t;
    fresh.len = 0;
    if (!table_map(&fresh, t->capacity * 2)) return false;
    for (size_t i = 0; i < t->capacity; i++)
        if (t->slot[i].key) table_insert(&fresh, t->slot[i].key, t->slot[i].value);
    munmap(t->block, t->block_bytes);
    *t = fresh;
    return true;
}

static bool put(struct retention *r, size_t i, void *context) {
    struct table *t = context;
    size_t before = t->capacity;
    if (t->len >= t->capacity / 4 * 3 && !table_grow(t))
        return case_fail(r, "out of memory: %zu slots", t->capacity * 2);
    if (t->capacity != before) mark_event(r, "grow", i);
    table_insert(t, rng_next(&t->rng) | 1, i);
    return true;
}

static uint64_t live(struct retention *r, size_t done, void *context) {
    const struct table *t = context;
    struct resident now = {0};
    (void)done;
    resident_read(&t->own, &now);
    note_number(r, "huge_bytes", (double)now.huge_bytes);
    note_number(r, "capacity", (double)t->capacity);
    note_number(r, "minor_faults", (double)now.minor_faults);
    return t->len * sizeof(struct slot);
}

static bool run(struct retention *r) {
    size_t n = case_n(r), capacity = CAPACITY_MIN;
    struct why why;
    struct table t = {.advice = case_is(r, "small_pages") ? MADV_NOHUGEPAGE : MADV_HUGEPAGE,
                      .rng = rng_derive(case_seed(r), PURPOSE)};
    if (!resident_open(&t.own, 0, &why)) return case_fail(r, "%s", why.text);
    while (!case_is(r, "grown") && capacity < n * HINT_PER_ENTRY) capacity *= 2;
    if (!table_map(&t, capacity)) return case_fail(r, "out of memory: address space for %zu slots", capacity);
    live(r, 0, &t);
    bool ok = checkpoint(r, "base", 0, 0) && each_with_checkpoints(r, n, put, &t, "filling", live) &&
              checkpoint(r, "filled", n, live(r, n, &t));
    munmap(t.block, t.block_bytes);
    resident_close(&t.own);
    return ok;
}

static const char *cannot(const struct map_unit *unit, const char *variant) {
    char setting[32];
    (void)unit;
    if (strcmp(variant, "huge_pages") != 0) return NULL;
    resident_thp_setting(setting, sizeof setting);
    if (setting[0] == '\0') return "this kernel has no transparent huge pages";
    return strcmp(setting, "never") == 0
               ? "transparent huge pages are off (/sys/kernel/mm/transparent_hugepage/enabled says never)"
               : NULL;
}

const struct scenario scenario_presize_thp = {
    .number = 36,
    .name = "presize_thp",
    .about = ABOUT_ALLOCATOR,
    .heaps = ON_MALLOC,
    .n = 1677, /* in a table of 2^24 slots, 256 MiB */
    .claim =
        "A table presized for far more than it gets is resident whole on huge pages: every one of them is "
        "touched by some entry.",
    .fix = "Give no hint that is not meant, or keep such a table on small pages (MADV_NOHUGEPAGE).",
    .variant =
        VARIANTS({"huge_pages", VARIANT_LEAKY, "presized for 10,000 times as many entries, huge pages"},
                 {"small_pages", VARIANT_FIXED, "the same table on 4 KiB pages (MADV_NOHUGEPAGE)"},
                 {"grown", VARIANT_FIXED, "no hint: the table grows as entries come"}),
    .labels = "base filling filled",
    .verdict_label = "filled",
    .bound_factor = 257, /* one 4 KiB page an entry of 16 bytes */
    .bound_bytes = 1 << 20,
    .cannot = cannot,
    .run = run,
};

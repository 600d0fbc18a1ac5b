/* Scenario 33, fragmentation: entries of random sizes, a random 90 % of them deleted.
 *
 * The allocator can give a page back only when nothing on it lives. With a tenth of the entries left, some 25
 * to a page, most pages still hold one: the process stays nearly as large as it was, and no call of
 * malloc_trim changes that. Segregating sizes (slabs) does not help either as long as nothing moves. What
 * helps is to move the survivors together: copying them out of an arena, or filling each hole with the last
 * slot of its slab.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/memory/resident.h"
#include "harness/retention/retention.h"
#include "harness/base/rng.h"

enum {
    ENTRY_BYTES_MIN = 16,
    ENTRY_BYTES_MAX = 256,
    CLASS_BYTES = 16, /* slabs: sizes are rounded up to a multiple */
    CLASSES = ENTRY_BYTES_MAX / CLASS_BYTES,
    RELEASE_BYTES = 64 * 1024, /* a shrinking slab gives its end back in steps of so much */
    PURPOSE = 33,              /* of the random stream */
};

struct entry {
    unsigned char *at; /* NULL: deleted */
    uint32_t bytes;
};

/* One size class: slots side by side in address space reserved for as many as there can be. */
struct slab {
    unsigned char *base;
    uint32_t *owner; /* the entry in each slot */
    size_t slots, resident_slots;
    size_t free_slot; /* first of the list of holes through the slots + 1; 0: none (slabs that do not move) */
};

struct arena {
    unsigned char *base;
    size_t used_bytes, live_bytes, reserved_bytes;
};

struct store {
    struct entry *entry;
    uint32_t *victim; /* the order of deletion */
    size_t n, delete_count;
    uint64_t live_bytes;
    bool slabs, moves, arena_used;
    struct slab slab[CLASSES];
    struct arena arena;
};

static void *reserve(size_t bytes) {
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

/* --- slabs --- */

static size_t class_of(size_t bytes) {
    return (bytes - 1) / CLASS_BYTES;
}
static size_t slot_bytes(size_t class) {
    return (class + 1) * CLASS_BYTES;
}

static bool slabs_open(struct store *store) {
    for (size_t c = 0; c < CLASSES; c++) {
        store->slab[c].base = reserve(store->n * slot_bytes(c));
        store->slab[c].owner = reserve(store->n * sizeof(uint32_t));
        if (!store->slab[c].base || !store->slab[c].owner) return false;
    }
    return true;
}

static unsigned char *slab_new(struct store *store, uint32_t owner, size_t bytes) {
    struct slab *slab = &store->slab[class_of(bytes)];
    size_t slot = slab->slots;
    if (slab->free_slot) {
        slot = slab->free_slot - 1;
        memcpy(&slab->free_slot, slab->base + slot * slot_bytes(class_of(bytes)), sizeof slab->free_slot);
    } else {
        slab->slots++;
    }
    if (slab->slots > slab->resident_slots) slab->resident_slots = slab->slots;
    slab->owner[slot] = owner;
    return slab->base + slot * slot_bytes(class_of(bytes));
}

/* The pages behind the last slot go back to the system, some at a time. */
static void slab_release_end(struct slab *slab, size_t each) {
    if ((slab->resident_slots - slab->slots) * each < RELEASE_BYTES) return;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t from = (slab->slots * each + page - 1) / page * page,
           upto = (slab->resident_slots * each + page - 1) / page * page;
    if (upto > from) madvise(slab->base + from, upto - from, MADV_DONTNEED);
    slab->resident_slots = slab->slots;
}

static void slab_free(struct store *store, unsigned char *at, size_t bytes) {
    size_t class = class_of(bytes), each = slot_bytes(class);
    struct slab *slab = &store->slab[class];
    size_t slot = (size_t)(at - slab->base) / each;
    if (!store->moves) {
        memcpy(at, &slab->free_slot, sizeof slab->free_slot);
        slab->free_slot = slot + 1;
        return;
    }
    size_t last = --slab->slots;
    if (last != slot) {
        memcpy(at, slab->base + last * each, each);
        slab->owner[slot] = slab->owner[last];
        store->entry[slab->owner[slot]].at = at;
    }
    slab_release_end(slab, each);
}

/* --- an arena whose survivors are copied out once more than half of it is dead --- */

static unsigned char *arena_new(struct arena *arena, size_t bytes) {
    unsigned char *at = arena->base + arena->used_bytes;
    if (arena->used_bytes + bytes > arena->reserved_bytes) return NULL;
    arena->used_bytes += bytes;
    arena->live_bytes += bytes;
    return at;
}

static bool arena_copy_out(struct store *store) {
    struct arena fresh = {.reserved_bytes = store->arena.live_bytes};
    if (fresh.reserved_bytes == 0) fresh.reserved_bytes = 1;
    fresh.base = reserve(fresh.reserved_bytes);
    if (!fresh.base) return false;
    for (size_t i = 0; i < store->n; i++) {
        struct entry *entry = &store->entry[i];
        if (!entry->at) continue;
        unsigned char *to = arena_new(&fresh, entry->bytes);
        memcpy(to, entry->at, entry->bytes);
        entry->at = to;
    }
    munmap(store->arena.base, store->arena.reserved_bytes);
    store->arena = fresh;
    return true;
}

/* --- the story --- */

static unsigned char *entry_new(struct store *store, uint32_t i, size_t bytes) {
    if (store->slabs) return slab_new(store, i, bytes);
    return store->arena_used ? arena_new(&store->arena, bytes) : malloc(bytes);
}

static bool delete_one(struct retention *r, size_t i, void *context) {
    struct store *store = context;
    struct entry *entry = &store->entry[store->victim[i]];
    unsigned char *at = entry->at;
    entry->at = NULL;
    store->live_bytes -= entry->bytes;
    if (store->slabs) {
        slab_free(store, at, entry->bytes);
    } else if (store->arena_used) {
        store->arena.live_bytes -= entry->bytes;
        if (store->arena.live_bytes < store->arena.used_bytes / 2 && !arena_copy_out(store))
            return case_fail(r, "out of memory: no room to copy the survivors to");
    } else {
        free(at);
    }
    return true;
}

static uint64_t live_now(struct retention *r, size_t done, void *context) {
    (void)r, (void)done;
    return ((const struct store *)context)->live_bytes;
}

/* The index and the order of deletion are made and touched before the base: not part of what is measured. */
static bool prepare(struct retention *r, struct store *store) {
    uint64_t rng = rng_derive(case_seed(r), PURPOSE);
    size_t bytes_in_all = 0;
    store->entry = calloc(store->n, sizeof *store->entry);
    store->victim = malloc(store->n * sizeof *store->victim);
    if (!store->entry || !store->victim) return case_fail(r, "out of memory: an index of %zu", store->n);
    for (size_t i = 0; i < store->n; i++) {
        store->entry[i].bytes =
            (uint32_t)(ENTRY_BYTES_MIN + rng_below(&rng, ENTRY_BYTES_MAX - ENTRY_BYTES_MIN + 1));
        bytes_in_all += store->entry[i].bytes;
        size_t j = rng_below(&rng, i + 1);
        store->victim[i] = store->victim[j];
        store->victim[j] = (uint32_t)i;
    }
    malloc_trim(0); /* free memory from before would hide the first entries */
    store->arena.reserved_bytes = bytes_in_all;
    if (store->slabs && !slabs_open(store)) return case_fail(r, "out of memory: address space of the slabs");
    if (store->arena_used && !(store->arena.base = reserve(bytes_in_all)))
        return case_fail(r, "out of memory: an arena of %zu bytes", bytes_in_all);
    return true;
}

static bool fill(struct retention *r, struct store *store) {
    for (size_t i = 0; i < store->n; i++) {
        struct entry *entry = &store->entry[i];
        entry->at = entry_new(store, (uint32_t)i, entry->bytes);
        if (!entry->at) return case_fail(r, "out of memory after %zu of %zu entries", i, store->n);
        memset(entry->at, (int)(i & 0xff), entry->bytes);
        store->live_bytes += entry->bytes;
    }
    return true;
}

/* Checks that every entry still holds its bytes, wherever it was moved to. */
static bool intact(struct retention *r, const struct store *store) {
    for (size_t i = 0; i < store->n; i++)
        for (size_t b = 0; store->entry[i].at && b < store->entry[i].bytes; b++)
            if (store->entry[i].at[b] != (i & 0xff)) return case_fail(r, "entry %zu was damaged", i);
    return true;
}

static void release(struct store *store) {
    for (size_t i = 0; store->entry && !store->slabs && !store->arena_used && i < store->n; i++)
        free(store->entry[i].at);
    for (size_t c = 0; c < CLASSES; c++) {
        if (store->slab[c].base) munmap(store->slab[c].base, store->n * slot_bytes(c));
        if (store->slab[c].owner) munmap(store->slab[c].owner, store->n * sizeof(uint32_t));
    }
    if (store->arena.base) munmap(store->arena.base, store->arena.reserved_bytes);
    free(store->entry);
    free(store->victim);
}

static bool run(struct retention *r) {
    struct store store = {.n = case_n(r),
                          .slabs = case_is(r, "slab") || case_is(r, "slab_compact"),
                          .moves = case_is(r, "slab_compact"),
                          .arena_used = case_is(r, "arena_copy")};
    store.delete_count = store.n - store.n / 10;
    struct why why;
    if (!resident_small_pages(&why)) return case_fail(r, "%s", why.text);
    bool ok = prepare(r, &store) && checkpoint(r, "base", 0, 0) && fill(r, &store) &&
              checkpoint(r, "filled", store.n, store.live_bytes) &&
              each_with_checkpoints(r, store.delete_count, delete_one, &store, "deleting", live_now);
    if (ok && case_is(r, "malloc_trim")) {
        malloc_trim(0);
        mark_event(r, "trim", store.delete_count);
    }
    note_number(r, "live_bytes_per_entry", store.n ? (double)store.live_bytes / (double)(store.n / 10) : 0);
    ok = ok && intact(r, &store) && checkpoint(r, "deleted", store.delete_count, store.live_bytes);
    release(&store);
    return ok;
}

const struct scenario scenario_fragmentation = {
    .number = 33,
    .name = "fragmentation",
    .about = ABOUT_ALLOCATOR,
    .heaps = ON_MALLOC,
    .n = 500000,
    .claim =
        "After a random 90 % of small entries is freed, nearly every page still holds a survivor, and the "
        "process stays almost as large as it was.",
    .fix = "Keep entries where they can move: copy survivors to a new arena, or fill each hole with the last "
           "slot of its slab.",
    .references = "redis#354",
    .variant = VARIANTS(
        {"malloc", VARIANT_LEAKY, "entries from malloc, freed one by one"},
        {"malloc_trim", VARIANT_NO_FIX, "the same, then malloc_trim(0)"},
        {"slab", VARIANT_NO_FIX, "a slab per size class, holes reused but nothing moves"},
        {"slab_compact", VARIANT_FIXED, "the last slot of a slab fills each hole, the end is given back"},
        {"arena_copy", VARIANT_FIXED, "survivors copied to a new arena once half of the old one is dead"}),
    .labels = "base filled deleting deleted",
    .verdict_label = "deleted",
    .bound_factor = 2.25,   /* an arena is copied when half of it is dead; a slab rounds sizes up */
    .bound_bytes = 1 << 20, /* the last pages of 16 slabs, 64 KiB each */
    .run = run,
};

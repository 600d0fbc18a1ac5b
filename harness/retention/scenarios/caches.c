/* 38, 39: a cache without a bound, and a pool that keeps whatever it is given. */
#include <stddef.h>

#include "harness/retention/program/program.h"
#include "harness/base/rng.h"

static const struct gosim_field pointer_field[] = {{"", 0}};
static const struct gosim_type type_elements = {"[]*list.Element", sizeof(void *), pointer_field, 1, 0};

/* --- 38 --- */

enum {
    WORKING_SET = 1000, /* of the last so many keys the program still asks */
    BLOCK_BYTES = 1024,
    WHEEL_SLOTS = 10,
    SLOT_REQUESTS = WORKING_SET / WHEEL_SLOTS,
};

/* container/list: Element and List, and what an element's value points to. */
struct element {
    struct element *next, *prev, *list;
    struct any value;
};
struct list {
    struct element root;
    size_t len;
};
struct block {
    struct str key;
    void *data;
    size_t len, cap;
};
static const struct gosim_field element_fields[] = {{"next", offsetof(struct element, next)},
                                                    {"prev", offsetof(struct element, prev)},
                                                    {"list", offsetof(struct element, list)},
                                                    {"value", offsetof(struct element, value.data)}};
static const struct gosim_field block_fields[] = {{"key", offsetof(struct block, key.text)},
                                                  {"data", offsetof(struct block, data)}};
enum { ELEMENT_FIELDS = sizeof element_fields / sizeof *element_fields };
static const struct gosim_type type_element = {"list.Element", sizeof(struct element), element_fields,
                                               ELEMENT_FIELDS, 0};
static const struct gosim_type type_list = {"list.List", sizeof(struct list), element_fields, ELEMENT_FIELDS,
                                            0};
static const struct gosim_type type_block = {"block", sizeof(struct block), block_fields, 2, 0};
static const struct any_type any_block = {"*block", sizeof(void *), true};

struct cache {
    struct retention *r;
    struct program_map entries;
    struct list *order;     /* oldest first; a root */
    struct element **wheel; /* WHEEL_SLOTS times SLOT_REQUESTS of what came in a tenth of the time; a root */
    size_t in_slot[WHEEL_SLOTS];
};

static void link_after(struct cache *c, struct element *at, struct element *e) {
    struct gosim *heap = case_gosim(c->r);
    gosim_store(heap, &e->prev, at);
    gosim_store(heap, &e->next, at->next);
    gosim_store(heap, &at->next->prev, e);
    gosim_store(heap, &at->next, e);
    gosim_store(heap, &e->list, c->order);
    c->order->len++;
}

/* List.Remove clears the element's links, or a held element would hold its neighbours. */
static void evict(struct cache *c, struct element *e) {
    struct gosim *heap = case_gosim(c->r);
    const struct block *b = e->value.data;
    program_del(&c->entries, &b->key);
    gosim_store(heap, &e->prev->next, e->next);
    gosim_store(heap, &e->next->prev, e->prev);
    gosim_store(heap, &e->next, NULL);
    gosim_store(heap, &e->prev, NULL);
    gosim_store(heap, &e->list, NULL);
    c->order->len--;
}

static struct element *new_element(struct cache *c, size_t i) {
    struct gosim *heap = case_gosim(c->r);
    struct str key = program_key(c->r, i);
    void *data = program_new(c->r, &type_bytes, BLOCK_BYTES);
    struct block *b = program_new(c->r, &type_block, 1);
    struct element *e = program_new(c->r, &type_element, 1);
    if (!key.text || !data || !b || !e) return NULL;
    gosim_store(heap, &b->key.text, (void *)(uintptr_t)key.text);
    b->key.len = key.len;
    gosim_store(heap, &b->data, data);
    b->len = b->cap = BLOCK_BYTES;
    e->value.type = &any_block;
    gosim_store(heap, &e->value.data, b);
    return e;
}

static void empty_slot(struct cache *c, size_t slot) {
    for (size_t i = 0; i < c->in_slot[slot]; i++) {
        struct element **place = &c->wheel[slot * SLOT_REQUESTS + i];
        evict(c, *place);
        gosim_store(case_gosim(c->r), place, NULL);
    }
    c->in_slot[slot] = 0;
}

static bool request(struct retention *r, size_t i, void *context) {
    struct cache *c = context;
    size_t slot = i / SLOT_REQUESTS % WHEEL_SLOTS;
    if (case_is(r, "ttl_wheel") && i % SLOT_REQUESTS == 0) empty_slot(c, slot);
    struct element *e = new_element(c, i);
    if (!e) return false;
    link_after(c, c->order->root.prev, e);
    if (!program_put(&c->entries, &((struct block *)e->value.data)->key, &e)) return false;
    if (case_is(r, "lru") && c->order->len > WORKING_SET) evict(c, c->order->root.next);
    if (case_is(r, "ttl_wheel"))
        gosim_store(case_gosim(r), &c->wheel[slot * SLOT_REQUESTS + c->in_slot[slot]++], e);
    return true;
}

static uint64_t working_set(struct retention *r, size_t done, void *context) {
    (void)r, (void)context;
    return (uint64_t)(done < WORKING_SET ? done : WORKING_SET) * BLOCK_BYTES;
}

static bool run_cache(struct retention *r) {
    struct cache c = {.r = r};
    struct gosim *heap = case_gosim(r);
    size_t n = case_n(r);
    gosim_root(heap, &c.order, "order");
    gosim_root(heap, &c.wheel, "wheel");
    c.order = program_new(r, &type_list, 1);
    c.wheel = program_new(r, &type_elements, WHEEL_SLOTS * SLOT_REQUESTS);
    if (!c.order || !c.wheel || !program_map_make(r, &c.entries, NULL, 0, "entries")) return false;
    gosim_store(heap, &c.order->root.next, &c.order->root);
    gosim_store(heap, &c.order->root.prev, &c.order->root);
    if (!checkpoint(r, "base", 0, 0) || !each_with_checkpoints(r, n, request, &c, "requests", working_set))
        return false;
    note_number(r, "len", (double)program_len(&c.entries));
    bool ok = checkpoint(r, "end", n, working_set(r, n, NULL));
    program_map_drop(&c.entries);
    gosim_unroot(heap, &c.wheel);
    gosim_unroot(heap, &c.order);
    return ok;
}

const struct scenario scenario_unbounded_cache = {
    .number = 38,
    .name = "unbounded_cache",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_ptr",
    .n = 20000,
    .claim =
        "A cache without a bound is a leak with a hit rate: it grows with the requests, not with what they "
        "still ask for.",
    .fix = "Bound it: by number with an LRU list, by age with a wheel.",
    .variant = VARIANTS({"leaky", VARIANT_LEAKY, "no bound"},
                        {"lru", VARIANT_FIXED, "the least recently used entry goes when 1000 are in"},
                        {"ttl_wheel", VARIANT_FIXED, "entries go by age, a slot of the wheel at a time"}),
    .labels = "base requests end",
    .verdict_label = "end",
    /* Some maps leave pointers in the slots of deleted entries, as many as there are free slots. */
    .bound_factor = 2.5,
    .bound_bytes = 256 << 10,
    .run = run_cache,
};

/* --- 39 --- */

enum {
    POOLED_AT_ONCE = 64,
    GIANT_BYTES = 1 << 20,
    USUAL_BYTES = 1 << 10,
    POOLED_MOST_BYTES = 64 << 10, /* the capped pool takes nothing larger */
    PURPOSE = 39,                 /* of the random stream */
};

/* Free buffers, last in first out, in a slice of slices that grows as append makes it. */
static const struct gosim_type type_buffers = {"[][]byte", sizeof(struct slice), pointer_field, 1, 0};

struct pool {
    struct retention *r;
    struct slice *free; /* a root */
    size_t count, room;
    size_t most_bytes; /* of a buffer that it takes; 0: any */
    /* sync.Pool: what the collection before the last one left; a root. */
    struct slice *victim;
    size_t victims;
};

/* Room for one more. append doubles a slice of so few elements, and 24 bytes times a power of two is a size
 * class of its own up to POOLED_AT_ONCE elements. */
static bool pool_reserve(struct pool *p) {
    if (p->count < p->room) return true;
    size_t room = p->room ? 2 * p->room : 1;
    struct slice *free = program_new(p->r, &type_buffers, room);
    if (!free) return false;
    for (size_t i = 0; i < p->count; i++) {
        free[i] = (struct slice){NULL, p->free[i].len, p->free[i].cap};
        program_store(p->r, &free[i].data, p->free[i].data);
    }
    p->free = free;
    p->room = room;
    return true;
}

static bool pool_put(struct pool *p, struct slice buffer) {
    if (p->most_bytes && buffer.cap > p->most_bytes) return true;
    if (!pool_reserve(p)) return false;
    struct slice *to = &p->free[p->count++];
    program_store(p->r, &to->data, buffer.data);
    to->len = 0;
    to->cap = buffer.cap;
    return true;
}

static struct slice take_last(struct pool *p, struct slice *from, size_t *count) {
    struct slice *last = &from[--*count], buffer = *last;
    program_store(p->r, &last->data, NULL);
    return buffer;
}

/* data NULL: out of memory. */
static struct slice pool_get(struct pool *p) {
    if (p->count) return take_last(p, p->free, &p->count);
    if (p->victims) return take_last(p, p->victim, &p->victims);
    return (struct slice){program_new(p->r, &type_bytes, USUAL_BYTES), 0, USUAL_BYTES};
}

/* sync.poolCleanup, which the runtime calls at the start of each collection: twice before a checkpoint, which
 * collects twice. */
static void pool_cleanup(struct pool *p) {
    p->victim = p->free, p->victims = p->count;
    p->free = NULL, p->count = p->room = 0;
}

/* Serves POOLED_AT_ONCE requests at once; one of them, by chance, needs a giant. */
static bool serve_round(struct pool *p, uint64_t *random) {
    struct slice taken[POOLED_AT_ONCE];
    size_t giant = (size_t)rng_below(random, POOLED_AT_ONCE);
    for (size_t j = 0; j < POOLED_AT_ONCE; j++) {
        taken[j] = pool_get(p);
        if (j == giant && taken[j].cap < GIANT_BYTES)
            taken[j] = (struct slice){program_new(p->r, &type_bytes, GIANT_BYTES), 0, GIANT_BYTES};
        if (!taken[j].data) return false;
    }
    for (size_t j = 0; j < POOLED_AT_ONCE; j++)
        if (!pool_put(p, taken[j])) return false;
    return true;
}

/* An eighth of the rounds. */
struct rounds {
    struct pool *pool;
    size_t count;
    uint64_t random;
};

static bool serve_rounds(void *opaque) {
    struct rounds *rounds = opaque;
    for (size_t i = 0; i < rounds->count; i++)
        if (!serve_round(rounds->pool, &rounds->random)) return false;
    return true;
}

static bool run_pool(struct retention *r) {
    enum { STEPS = 8 };
    struct pool p = {.r = r, .most_bytes = case_is(r, "capped") ? POOLED_MOST_BYTES : 0};
    size_t n = case_n(r), eighth = n / STEPS ? n / STEPS : 1;
    struct rounds rounds = {&p, eighth, rng_derive(case_seed(r), PURPOSE)};
    uint64_t live = (uint64_t)POOLED_AT_ONCE * USUAL_BYTES;
    if (!checkpoint(r, "base", 0, 0)) return false;
    program_root(r, &p.free, "pool");
    program_root(r, &p.victim, "pool.victim");
    for (size_t done = eighth; done <= n; done += eighth) {
        if (!program_phase(r, serve_rounds, &rounds)) return false;
        if (!checkpoint_raw(r, "rounds_uncollected", done, live)) return false;
        if (case_is(r, "sync_pool")) pool_cleanup(&p), pool_cleanup(&p);
        if (!checkpoint(r, "rounds", done, live)) return false;
    }
    program_unroot(r, &p.victim);
    program_unroot(r, &p.free);
    return true;
}

static const struct boehm_settings pool_on_boehm = {
    .bound_factor = 1.5, .bound_bytes = GIANT_BYTES + (16 << 10), /* one giant that a stray word may pin */
};

const struct scenario scenario_pool_keeps_giants = {
    .number = 39,
    .name = "pool_keeps_giants",
    .about = ABOUT_COLLECTOR,
    .heaps = ON_GOSIM | ON_BOEHM | ON_GO,
    .n = 512,
    .claim = "A pool that takes buffers of any size ends up with giants only, though one request in 64 needs "
             "one.",
    .fix = "Leave buffers above a cap to the collector.",
    .references = "go#23199",
    .variant = VARIANTS({"leaky", VARIANT_LEAKY, "a free list takes buffers back at any size"},
                        {"capped", VARIANT_FIXED, "buffers above 64 KiB are left to the collector"},
                        {"sync_pool", VARIANT_REFERENCE, "sync.Pool at any size: two collections empty it"}),
    .labels = "base rounds_uncollected rounds",
    .verdict_label = "rounds",
    .bound_factor = 1.5,
    .bound_bytes = 16 << 10,
    .on_boehm = &pool_on_boehm,
    .run = run_pool,
};

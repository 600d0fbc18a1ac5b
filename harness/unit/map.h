/* The interface between a map and everything that drives it.
 *
 * Words: a MAP is one implementation of a strategy (one file in maps/); a SHAPE fixes its key and value
 * types, hash and equality; a HEAP says where its memory comes from; a UNIT is a map compiled for a shape, a
 * hash policy and a heap: one translation unit, made by including those files into map_unit.c.
 *
 * A unit exports one const struct map_unit. Speed is measured only through its `run` table: whole loops over
 * thousands of operations behind one pointer call, with the map inlined into them. The `op` table drives
 * single operations for tests and tools; timing through it would add 1-2 ns and lost overlap to every
 * operation.
 */
#ifndef MAPBENCH_MAP_H
#define MAPBENCH_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/heaps/books.h"

#ifdef __cplusplus
extern "C" {
#endif

struct heap;     /* where memory comes from; NULL for the malloc heap */
struct engine;   /* a program that runs the loops instead of this one, engine.h */
struct recorder; /* per-operation latencies and growth events, recorder.h */

/* What a map is, stated in its own file as `static const struct map_facts map_facts`. */
enum map_trait {
    TRAIT_BASELINE = 1 << 0,        /* not a map: does nothing, its checksums are not compared */
    TRAIT_ADAPTER = 1 << 1,         /* a third-party library */
    TRAIT_ABORTS_ON_OOM = 1 << 2,   /* the library ends the process when memory runs out */
    TRAIT_IGNORES_HINT = 1 << 3,    /* cannot be presized: put equals put_grow */
    TRAIT_STABLE_SLOTS = 1 << 4,    /* a value's address survives growth */
    TRAIT_KEY_ORDER = 1 << 5,       /* iterates in key order */
    TRAIT_INSERTION_ORDER = 1 << 6, /* iterates in insertion order while nothing is deleted */
    TRAIT_TOMBSTONES = 1 << 7,      /* a delete may leave a mark that lookups must pass */
    TRAIT_SHRINKS = 1 << 8,         /* gives memory back as entries are deleted */
    TRAIT_HINT_INEXACT =
        1 << 9, /* can be presized, but may grow before it holds as many entries as the hint says */
};

struct map_facts {
    const char *summary;    /* one line for `list` */
    const char *source;     /* paper, library, file and version the design comes from */
    const char *invariants; /* what map_check verifies */
    const char *cost;       /* bytes and work per operation, in words */
    const char *options;    /* max load, growth factor and the like, as compiled */
    const char *fairness;   /* advantage or handicap against the other maps here; required */
    const char *package;    /* Debian package, NULL for maps of this project */
    unsigned traits;
};

/* What the program knows of a map before any unit of it is loaded. */
struct map_head {
    const struct map_facts *facts;
    const char *unavailable; /* NULL, or why no unit of it can run: a library is missing */
    const char
        *broken; /* NULL, or the compiler's first error line, where the program was built without the map */
};

/* What a unit can say of its inner state; zero where it does not apply. */
struct map_structure {
    size_t capacity;     /* slots, buckets or nodes the present arrays hold */
    size_t tombstones;   /* slots that are neither live nor free */
    size_t probe_max;    /* steps of the longest successful lookup, 1 = first place looked at */
    double probe_mean;   /* the same, averaged over the live entries */
    size_t array_bytes;  /* bytes of the map's arrays, without per-entry nodes */
    size_t old_capacity; /* what the array that is still being emptied held; 0: there is none */
};

/* Arguments of one measured loop. The caller owns all memory. */
struct run_args {
    const void *keys;     /* keys of the shape: n of them; churn: n pairs victim, newcomer */
    size_t n;             /* operations (scan: whole scans; clear, copy: maps; small_put: maps) */
    uint64_t first_value; /* operation i stores the value made from first_value + i */
    size_t zero; /* 0, but the compiler cannot know: makes get_chain's next key depend on its last value */
    void **maps; /* clear, copy, small_put, small_get: the maps (copy and small_put fill the array) */
    union {      /* by loop */
        const uint32_t *entries_of_map;   /* small_put: keys that map i gets */
        const uint32_t *map_of_operation; /* small_get: the map that operation i looks into */
        const uint32_t *operations;       /* mixed: what operation i does, MIXED_* */
    };
    struct recorder *recorder; /* the _timed and _open variants record here; NULL otherwise */
};

/* An operation of the mixed loop, in the low bits of run_args.operations[i]; above them, the number whose
 * value a store stores. */
enum { MIXED_GET, MIXED_DEL, MIXED_PUT, MIXED_BITS = 2 };

/* Runs the loop on one map and returns its checksum (loops.inc says of what). Maps that hold the same
 * entries return the same checksum. A store that runs out of memory ends the loop early, which the checksum
 * shows. */
typedef uint64_t run_fn(void *map, const struct run_args *args);

/* The loops that engines run too; the others and the open loops are only in units compiled into this program,
 * and NULL elsewhere. */
#define MAP_SHARED_LOOPS(X)                                                                                  \
    X(put) X(get) X(get_chain) X(get_call) X(del) X(churn) X(scan) X(clear) X(copy) X(small_put) X(small_get)
#define MAP_SHARED_TIMED_LOOPS(X) X(put) X(get) X(del) X(churn)

#define MAP_LOOPS(X) MAP_SHARED_LOOPS(X) X(mixed) X(get_batch) X(drain)
/* _timed: each operation clocked by itself, the next begins when the last has ended (closed loop). */
#define MAP_TIMED_LOOPS(X) MAP_SHARED_TIMED_LOOPS(X) X(mixed) X(drain)
/* _open: operations arrive by the recorder's schedule, and are clocked from their arrival (open loop). */
#define MAP_OPEN_LOOPS(X) X(put) X(get) X(churn) X(mixed)

struct map_runs {
#define X(loop) run_fn *loop;
    MAP_LOOPS(X)
#undef X
#define X(loop) run_fn *loop##_timed;
    MAP_TIMED_LOOPS(X)
#undef X
#define X(loop) run_fn *loop##_open;
    MAP_OPEN_LOOPS(X)
#undef X
};

/* Called for each entry; return false to stop. */
typedef bool map_visit_fn(void *context, const void *key, const void *val);

struct map_ops {
    void *(*create)(struct heap *heap,
                    size_t hint); /* empty, ready for `hint` entries; NULL: out of memory */
    void (*destroy)(void *map);   /* accepts NULL */
    bool (*get)(void *map, const void *key, void *val); /* copies the value out; false: absent */
    bool (*put)(void *map, const void *key,
                const void *val);            /* insert or overwrite; false: out of memory, map intact */
    bool (*del)(void *map, const void *key); /* false: it was absent */
    size_t (*len)(const void *map);
    size_t (*capacity)(const void *map); /* changes exactly when the map grows, shrinks or splits */
    void (*clear)(void *map);            /* empty afterwards; may keep its arrays */
    void *(*copy)(void *map);            /* an independent equal map; NULL: out of memory */
    void (*each)(void *map, map_visit_fn *visit, void *context); /* every entry once; no changes meanwhile */
    const char *(*check)(void *map);                             /* NULL, or the broken invariant in words */
    void (*structure)(void *map, struct map_structure *out);
    /* A walk that can be left standing; NULL walk: out of memory. Ended by walk_end, also before its end. The
     * three are NULL where there is none (engines). */
    void *(*walk_begin)(void *map);
    bool (*walk_next)(void *walk, void *key, void *val); /* copies the entry out; false: at the end */
    void (*walk_end)(void *walk);
    /* NULL for maps that grow at once. What the old array held while its entries move to the new one little
     * by little; 0 when nothing moves. Takes constant time. */
    size_t (*old_capacity)(const void *map);
};

/* What a program and the units it loads from a file (pair.h) must agree on; the number before the sizes goes
 * up when the meaning of a field changes but no size does. */
#define MAP_UNIT_ABI                                                                                         \
    ((uint64_t)1 << 48 | (uint64_t)sizeof(struct map_unit) << 32 | sizeof(struct run_args) << 16 |           \
     sizeof(struct map_facts))

struct map_unit {
    uint64_t abi;                          /* MAP_UNIT_ABI */
    const char *map, *shape, *hash, *heap; /* hash: "common" or "native" */
    const struct map_facts *facts;
    const char *unavailable; /* NULL, or why this unit cannot run; then op and run may be empty */
    struct engine *engine;   /* NULL: compiled into this program */
    struct heap *own_heap;   /* what create and small_put are given; NULL: malloc */
    /* NULL: the heap keeps no books, its memory is counted at malloc. `collect`: reads them after a
     * collection of all that is dead. */
    void (*heap_books)(struct heap *heap, bool collect, struct heap_books *out);
    size_t key_size, val_size;
    struct map_ops op;
    struct map_runs run;
};

#ifdef __cplusplus
}
#endif
#endif

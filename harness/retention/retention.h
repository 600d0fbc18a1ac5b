/* Retention: scenarios in which a program keeps more alive than it needs, on heaps that can tell.
 *
 * A SCENARIO is a story with VARIANTS: leaky ones, fixes, and fixes that do not work. Run on a heap (and,
 * where it is about maps, with a map), it makes CHECKPOINTS: after two forced collections, what is live by
 * meaning (the scenario says) and what is kept (the heap says). One scenario, variant, map, heap and engine
 * is a CASE; each case runs in a child process of its own.
 */
#ifndef MAPBENCH_RETENTION_H
#define MAPBENCH_RETENTION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/unit/map.h"

struct gosim;
struct snapshot;
struct retention; /* a case under way */

enum variant_role {
    VARIANT_LEAKY,
    VARIANT_FIXED,     /* must keep no more than its bound */
    VARIANT_NO_FIX,    /* believed to be one */
    VARIANT_REFERENCE, /* neither: what it is compared with */
};

struct variant {
    const char *name; /* as in the recordings of real Go where there are some: "append_copy" */
    enum variant_role role;
    const char *summary; /* half a sentence */
};
/* A scenario's variants, with the end mark. */
#define VARIANTS(...) ((const struct variant[]){__VA_ARGS__, {NULL, VARIANT_REFERENCE, NULL}})

/* Releases of Go in which those variants keep too much: 124 is Go 1.24. */
struct affected {
    const char *variants; /* a list of names */
    int from;             /* 0: from the first on */
    int fixed_in;         /* 0: in none that is known */
    bool in_bytes;        /* false: the bytes kept do not show it, numbers of the scenario's own do */
};
#define AFFECTED_NEVER 999
#define IN_NONE(variants)                                                                                    \
    { variants, AFFECTED_NEVER, 0, true } /* only maps that are not Go's */
#define SINCE(variants, release)                                                                             \
    { variants, release, 0, true }
#define UNTIL(variants, fixed_in)                                                                            \
    { variants, 0, fixed_in, true }
#define BETWEEN(variants, release, fixed_in)                                                                 \
    { variants, release, fixed_in, true }
#define NOT_IN_BYTES(variants)                                                                               \
    { variants, 0, 0, false }
/* All of a scenario, with the end mark. */
#define AFFECTED(...) ((const struct affected[]){__VA_ARGS__, {NULL, 0, 0, false}})

enum scenario_about { ABOUT_MAP, ABOUT_COLLECTOR, ABOUT_ALLOCATOR };

enum case_heap {
#define CASE_HEAP(WORD, name) CASE_##WORD,
#include "harness/retention/heaps.def"
#undef CASE_HEAP
    CASE_HEAPS,
};
/* Places where a scenario runs: the heaps of this program, and real Go, by an engine. */
enum {
#define CASE_HEAP(WORD, name) ON_##WORD = 1 << CASE_##WORD,
#include "harness/retention/heaps.def"
#undef CASE_HEAP
    ON_GO = 1 << CASE_HEAPS,
};

/* Settings that differ when a scenario runs on libgc; its program is the same. */
struct boehm_settings {
    const char *shape; /* ABOUT_MAP: of its map */
    /* The bound, in place of the scenario's: objects are larger by a byte, rounded up to 16; libgc's tables
     * of finalizers and links are counted, and never shrink; and some objects may be pinned by a stray word.
     */
    double bound_factor;
    uint64_t bound_bytes;
};

struct scenario {
    int number; /* of the catalogue (docs/retention.md) */
    const char *name;
    enum scenario_about about;
    unsigned heaps;    /* ON_..., or-ed */
    const char *shape; /* ABOUT_MAP: key and value type its map needs */
    const char *
        further_shapes; /* NULL, or those that its variants need besides, a space between: built beforehand */
    const char *maps;   /* ABOUT_MAP: the maps it makes sense for; NULL: all */
    size_t n;           /* default */
    const char *claim, *fix;       /* a sentence each */
    const char *references;        /* "go#20135"; NULL: none */
    const struct variant *variant; /* VARIANTS(...); ends with a NULL name */
    const char *labels; /* of its checkpoints, a space between; a checkpoint with another one is an error */
    /* The checkpoint that the verdict is about: the last one with this label. */
    const char *verdict_label;
    size_t verdict_step; /* of that one; 0: n or more */
    /* What is kept is counted from the first checkpoint with this label; NULL: from the case's first. */
    const char *from_label;
    /* Checkpoints after it with this label show the release: operations until a leaky variant is within its
     * bound. NULL: it never is by itself. */
    const char *release_label;
    /* The bound of fixed variants, bytes that they may keep at the verdict: `bound_factor` times what is
     * live, `bound_bytes_per_n` times n, for a table that stays, and `bound_bytes`. */
    double bound_factor;
    uint64_t bound_bytes_per_n, bound_bytes;
    /* What holds in some releases of Go only; variants that it does not name are as their role says in all:
     * leaky ones affected, fixed ones not. May be NULL. */
    const struct affected *affected;
    /* NULL, or why a map (NULL where none) cannot express a variant. May be NULL. */
    const char *(*cannot)(const struct map_unit *unit, const char *variant);
    /* Settings of an ON_GOSIM scenario that is ON_BOEHM too, if every variant can run there; else NULL. */
    const struct boehm_settings *on_boehm;
    bool timed; /* it reads a clock, so that nothing else may run beside it */
    bool (*run)(struct retention *r);
};

/* The table that n entries leave behind: maps here double at a load of 3/4 or more, so that it has up to
 * three slots for each; 8 bytes a slot are for tags, a kept hash, its share of an overflow pointer. */
#define TABLE_BYTES_PER_N(slot_bytes) (3 * ((slot_bytes) + 8))

/* All, in the catalogue's order. */
size_t scenario_count(void);
const struct scenario *scenario_at(size_t i);
const struct scenario *scenario_find(const char *name);

#include "harness/retention/scenarios.h"

/* --- for the files that implement scenarios (harness/retention/scenarios/NAME.c) --- */

const char *case_variant(const struct retention *r);
bool case_is(const struct retention *r, const char *variant);
size_t case_n(const struct retention *r);
uint64_t case_seed(const struct retention *r);
struct gosim *case_gosim(const struct retention *r); /* NULL: on another heap */
const struct map_unit *
case_unit(const struct retention *r); /* ABOUT_MAP: compiled for `shape` and the heap */

/* A checkpoint: collects twice and writes a line. live_bytes: what the program still needs, by the scenario's
 * own count. `step`: elementary operations done in this phase. The first of a case must be labelled "base".
 * False: out of memory or interrupted; the scenario returns false at once. */
bool checkpoint(struct retention *r, const char *label, size_t step, uint64_t live_bytes);
/* The same without collecting first. */
bool checkpoint_raw(struct retention *r, const char *label, size_t step, uint64_t live_bytes);
/* More numbers for the next checkpoint's "extra". */
void note_number(struct retention *r, const char *name, double value);
/* Runs f for 0..n-1 with a checkpoint after every eighth of them, as the recordings have it. */
bool each_with_checkpoints(struct retention *r, size_t n,
                           bool (*f)(struct retention *r, size_t i, void *context), void *context,
                           const char *label,
                           uint64_t (*live)(struct retention *r, size_t done, void *context));
/* An event mark for the curve: "grow", "evacuate", "evacuated" (program_map_mark), "fork". Collections of the
 * story's own are marked by the next checkpoint, as "collect"; those that a checkpoint forces are not. At
 * most 256 between two checkpoints. */
void mark_event(struct retention *r, const char *what, size_t step);
/* The case cannot go on: a line for the user. Returns false. */
bool case_fail(struct retention *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

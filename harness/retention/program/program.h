/* The program that a scenario plays: its strings, structs and maps on a gosim heap, with Go's sizes, or on
 * the Boehm collector. */
#ifndef MAPBENCH_RETENTION_PROGRAM_H
#define MAPBENCH_RETENTION_PROGRAM_H

#include "harness/heaps/gosim/gosim.h"
#include "harness/retention/retention.h"
#include "harness/shapes/any.h"
#include "harness/shapes/str.h"

/* Types that several scenarios allocate. */
extern const struct gosim_type type_bytes;   /* []byte */
extern const struct gosim_type type_strings; /* []string: 16 bytes an element, pointer first */
extern const struct gosim_type type_pair;    /* struct { a, b int }: 16 bytes, noscan */
extern const struct gosim_type type_user;    /* struct { ID int; Data [1024]byte }: 1032 bytes, noscan */
extern const struct gosim_type type_payload; /* struct { data [64 << 10]byte } */

/* Values as shapes have them (harness/shapes/NAME.h). */
struct slice {
    void *data;
    size_t len, cap;
};

/* --- the heap below, gosim or boehm; on boehm a type is scanned whole or, without pointers, not at all ---
 */

bool program_on_boehm(const struct retention *r);
/* Variables outside the heap. Until the variable is no root, it must stay where it is. */
void program_root(struct retention *r, void *slot, const char *name);
void program_unroot(struct retention *r, void *slot);
/* A pointer into a field of an object. */
void program_store(struct retention *r, void *slot, void *value);
/* One collection, and what it makes due. */
bool program_collect(struct retention *r);
/* A part of the program, in which boehm runs on a thread of its own and collects nothing: what was in its
 * registers and on its stack is gone at the next checkpoint. Returns what f does. */
bool program_phase(struct retention *r, bool (*f)(void *context), void *context);

/* The same as in gosim.h and boehm_special.h. False, NULL: out of memory. */
bool program_set_finalizer(struct retention *r, void *object, void (*f)(void *object));
bool program_add_cleanup(struct retention *r, void *object, void (*f)(void *argument), void *argument);
void *program_weak_make(struct retention *r, void *object); /* an object of the heap */
bool program_ephemeron(struct retention *r, void *key, void *value);

/* --- objects and maps --- */

/* NULL when memory runs out: the case has the reason, the scenario returns false. */
void *program_new(struct retention *r, const struct gosim_type *type, size_t count);
/* A string of its own, and the key of index i: "key-%012d", one allocation of 16 bytes without pointers. */
struct str program_string(struct retention *r, const char *text, size_t len);
struct str program_key(struct retention *r, size_t i);

/* A map in a variable of the program. The variable is a root until program_map_drop. */
struct program_map {
    struct retention *r;
    const struct map_unit *unit;
    void *map;                     /* NULL: the variable is nil */
    size_t capacity, old_capacity; /* when last looked at, by the two functions below */
};
/* `unit` NULL: the case's. False: out of memory. */
bool program_map_make(struct retention *r, struct program_map *m, const struct map_unit *unit, size_t hint,
                      const char *name);
/* Marks what the map did with its arrays since it was last looked at, as events of `step`: "grow", and of
 * maps that empty the old array little by little "evacuate" when that began and "evacuated" when it was done.
 */
void program_map_mark(struct program_map *m, size_t step);
void program_map_seen(struct program_map *m); /* looks without marking */
void program_map_nil(struct program_map *m);  /* m = nil; the variable stays a root */
void program_map_drop(struct program_map *m); /* the variable ends */

/* Keys and values by address, as the shape has them. put: false: out of memory. */
bool program_put(struct program_map *m, const void *key, const void *val);
bool program_get(struct program_map *m, const void *key, void *val);
bool program_del(struct program_map *m, const void *key);
size_t program_len(const struct program_map *m);
void program_clear(struct program_map *m);

#endif

/* A snapshot: the objects of a heap, who points to whom, and the roots; copied, so that the heap can go on.
 *
 * Nodes are numbered: first the objects, then one node for each root (a variable, 0 bytes), last the SUMMIT,
 * which points to all roots. Edges are in compressed rows: those of node v are first_edge[v] to
 * first_edge[v + 1] - 1, in the order in which they were added.
 *
 * Limits: 2^32 - 2 nodes and as many edges; a builder that is given more fails. Ids of 32 bits halve the
 * memory of every pass over the graph.
 */
#ifndef MAPBENCH_SNAPSHOT_H
#define MAPBENCH_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/why.h"
#include "harness/retention/snapshot/names.h"

#define SNAPSHOT_NONE UINT32_MAX

struct gosim;

enum snapshot_root_kind { ROOT_GLOBAL, ROOT_STACK, ROOT_TIMER, ROOT_FINALIZER, ROOT_KINDS };
const char *snapshot_root_kind_name(enum snapshot_root_kind kind); /* "global" */

struct snapshot {
    uint32_t nodes, objects, roots; /* nodes = objects + roots + 1 */
    uint32_t edges;
    uint64_t total_bytes; /* of all objects */

    /* Arrays by node. Roots: bytes and address 0, type is the variable's name. The summit: the name is
     * "(roots)". */
    uint64_t *address, *bytes;
    uint32_t *type;       /* index into names */
    uint32_t *first_edge; /* nodes + 1 */
    uint8_t *root_kind;   /* by root: 0 .. roots - 1 */

    /* Arrays by edge. */
    uint32_t *to;
    uint32_t *field;   /* index into names; the empty name: the pointer is the element itself */
    uint32_t *element; /* SNAPSHOT_NONE: the object is not an array */

    struct names names; /* of types, fields and variables */
};

static inline uint32_t snapshot_summit(const struct snapshot *s) {
    return s->nodes - 1;
}
static inline bool snapshot_is_object(const struct snapshot *s, uint32_t node) {
    return node < s->objects;
}
static inline bool snapshot_is_root(const struct snapshot *s, uint32_t node) {
    return node >= s->objects && node < s->nodes - 1;
}
static inline enum snapshot_root_kind snapshot_root_kind_of(const struct snapshot *s, uint32_t root_node) {
    return (enum snapshot_root_kind)s->root_kind[root_node - s->objects];
}
static inline const char *snapshot_type_name(const struct snapshot *s, uint32_t node) {
    return s->names.text[s->type[node]];
}
static inline const char *snapshot_field_name(const struct snapshot *s, uint32_t edge) {
    return s->names.text[s->field[edge]];
}

/* --- building --- */

struct snapshot_builder;

/* NULL: out of memory. After a failure every call does nothing; snapshot_finish then returns NULL. */
struct snapshot_builder *snapshot_begin(void);
/* The number of a text, the same for equal texts. Copies it. */
uint32_t snapshot_name(struct snapshot_builder *builder, const char *text);
/* Numbers the objects 0, 1, 2 in the order of the calls. */
uint32_t snapshot_add_object(struct snapshot_builder *builder, uint64_t address, uint64_t bytes,
                             uint32_t type);
/* `from` must not fall from one call to the next; `to` may come later. */
void snapshot_add_edge(struct snapshot_builder *builder, uint32_t from, uint32_t to, uint32_t field,
                       uint32_t element);
void snapshot_add_root(struct snapshot_builder *builder, enum snapshot_root_kind kind, const char *name,
                       uint32_t to);
/* Ends the builder in any case. NULL: it failed; `why` (may be NULL) says how. */
struct snapshot *snapshot_finish(struct snapshot_builder *builder, struct why *why);
void snapshot_free(struct snapshot *snapshot);

/* The objects that gosim's last collection left, NULL: as snapshot_finish. */
struct snapshot *snapshot_of_gosim(struct gosim *heap, struct why *why);

#endif

#include "harness/retention/snapshot/trie.h"

#include <stdlib.h>
#include <string.h>

#include "harness/retention/snapshot/export.h"
#include "harness/base/rng.h"

/* --- children by name --- */

static uint64_t hash_child(uint32_t parent, uint32_t field, uint32_t type, uint8_t kind) {
    return rng_mix(((uint64_t)parent << 32 | field) ^ rng_mix((uint64_t)type << 8 | kind));
}

static size_t find_slot(const struct trie *t, uint32_t parent, uint32_t field, uint32_t type, uint8_t kind) {
    size_t at = hash_child(parent, field, type, kind) & (t->slots - 1);
    for (; t->slot[at]; at = (at + 1) & (t->slots - 1)) {
        const struct trie_node *n = &t->node[t->slot[at] - 1];
        if (n->parent == parent && n->field == field && n->type == type && n->root_kind == kind) break;
    }
    return at;
}

static bool grow(struct trie *t) {
    size_t slots = t->slots ? 2 * t->slots : 256;
    struct trie_node *node = realloc(t->node, slots / 2 * sizeof *node);
    if (node) t->node = node;
    uint32_t *slot = node ? calloc(slots, sizeof *slot) : NULL;
    if (!slot) return false;
    free(t->slot);
    t->slot = slot;
    t->slots = slots;
    t->room = slots / 2;
    for (uint32_t i = TRIE_FIRST; i < t->count; i++) {
        const struct trie_node *n = &t->node[i];
        slot[find_slot(t, n->parent, n->field, n->type, n->root_kind)] = i + 1;
    }
    return true;
}

static bool type_above(const struct trie *t, uint32_t at, uint32_t type, uint8_t kind) {
    for (; at >= TRIE_FIRST; at = t->node[at].parent)
        if (t->node[at].type == type && t->node[at].root_kind == kind) return true;
    return false;
}

/* SNAPSHOT_NONE: out of memory. */
static uint32_t child_of(struct trie *t, uint32_t parent, uint32_t field, uint32_t type, uint8_t kind) {
    const struct trie_node *above = &t->node[parent];
    if (parent >= TRIE_FIRST && above->type == type && above->field == field && above->root_kind == kind)
        return parent;
    if (above->depth == TRIE_DEPTH) {
        parent = above->parent;
        field = SNAPSHOT_NONE;
    }
    if (t->count == t->room && !grow(t)) return SNAPSHOT_NONE;
    size_t at = find_slot(t, parent, field, type, kind);
    if (t->slot[at]) return t->slot[at] - 1;
    t->node[t->count] = (struct trie_node){.parent = parent,
                                           .depth = t->node[parent].depth + 1,
                                           .field = field,
                                           .type = type,
                                           .root_kind = kind,
                                           .outermost = !type_above(t, parent, type, kind)};
    t->slot[at] = ++t->count;
    return t->count - 1;
}

/* --- filling --- */

static void add(struct trie *t, uint32_t at, const struct snapshot *s, uint32_t node) {
    t->node[at].objects += snapshot_is_object(s, node);
    t->node[at].bytes += s->bytes[node];
}

static bool add_reachable(struct trie *t, const struct snapshot *s, const struct dominators *d,
                          const uint32_t *held_by, uint32_t *place) {
    place[0] = TRIE_SUMMIT;
    for (uint32_t order = 1; order < d->reached; order++) {
        uint32_t node = d->node_at[order], above = place[d->parent[order]];
        uint8_t kind = snapshot_is_root(s, node) ? (uint8_t)snapshot_root_kind_of(s, node) : ROOT_KINDS;
        uint32_t field =
            d->parent[order] && held_by[order] != SNAPSHOT_NONE ? s->field[held_by[order]] : SNAPSHOT_NONE;
        uint32_t at = child_of(t, above, field, s->type[node], kind);
        if (at == SNAPSHOT_NONE) return false;
        place[order] = at;
        add(t, at, s, node);
        if (at != above && t->node[at].outermost) t->node[at].retained += d->retained[order];
    }
    return true;
}

static bool add_unreachable(struct trie *t, const struct snapshot *s, const struct dominators *d) {
    for (uint32_t node = 0; node < s->objects; node++) {
        if (d->order_of[node] != DOMINATORS_NONE) continue;
        uint32_t at = child_of(t, TRIE_UNREACHABLE, SNAPSHOT_NONE, s->type[node], ROOT_KINDS);
        if (at == SNAPSHOT_NONE) return false;
        add(t, at, s, node);
    }
    return true;
}

struct trie *trie_build(const struct snapshot *s, const struct dominators *d) {
    struct trie *t = calloc(1, sizeof *t);
    uint32_t *held_by = export_holding_edges(s, d), *place = malloc(d->reached * sizeof *place);
    bool built = t && held_by && place && grow(t);
    if (built) {
        memset(t->node, 0, TRIE_FIRST * sizeof *t->node);
        t->count = TRIE_FIRST;
        built = add_reachable(t, s, d, held_by, place) && add_unreachable(t, s, d);
    }
    free(held_by);
    free(place);
    if (built) return t;
    trie_free(t);
    return NULL;
}

void trie_free(struct trie *t) {
    if (!t) return;
    free(t->node);
    free(t->slot);
    free(t);
}

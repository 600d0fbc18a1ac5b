#include <stdlib.h>
#include <string.h>

#include "harness/retention/snapshot/query.h"

/* --- which objects are in both --- */

struct by_address {
    uint64_t address;
    uint32_t node;
};

static int compare_addresses(const void *a, const void *b) {
    const struct by_address *x = a, *y = b;
    if (x->address != y->address) return x->address < y->address ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

/* The objects in the order of their addresses: as they are, if they come from a heap. */
static struct by_address *sorted(const struct snapshot *s) {
    struct by_address *list = malloc((s->objects ? s->objects : 1) * sizeof *list);
    if (!list) return NULL;
    bool rising = true;
    for (uint32_t i = 0; i < s->objects; i++) {
        list[i] = (struct by_address){.address = s->address[i], .node = i};
        rising &= !i || s->address[i - 1] <= s->address[i];
    }
    if (!rising) qsort(list, s->objects, sizeof *list, compare_addresses);
    return list;
}

/* same_as[node of after] = node of before, or SNAPSHOT_NONE; stays[node of before]: it has one. */
static bool match(const struct snapshot *before, const struct snapshot *after, uint32_t *same_as,
                  bool *stays) {
    struct by_address *old = sorted(before), *new = sorted(after);
    if (old && new) {
        for (uint32_t i = 0, j = 0; i < before->objects && j < after->objects;) {
            if (old[i].address != new[j].address) {
                if (old[i].address < new[j].address)
                    i++;
                else
                    j++;
                continue;
            }
            if (strcmp(snapshot_type_name(before, old[i].node), snapshot_type_name(after, new[j].node)) ==
                0) {
                same_as[new[j].node] = old[i].node;
                stays[old[i].node] = true;
            }
            i++;
            j++;
        }
    }
    bool ok = old && new;
    free(old);
    free(new);
    return ok;
}

/* A root is the same if its kind and name are; of several, the first. */
static uint32_t find_root(const struct snapshot *before, const struct snapshot *after, uint32_t root) {
    for (uint32_t r = before->objects; r < before->objects + before->roots; r++)
        if (snapshot_root_kind_of(before, r) == snapshot_root_kind_of(after, root) &&
            strcmp(snapshot_type_name(before, r), snapshot_type_name(after, root)) == 0)
            return r;
    return SNAPSHOT_NONE;
}

/* --- by type --- */

static int compare_names(const void *a, const void *b) {
    return strcmp(((const struct type_change *)a)->type, ((const struct type_change *)b)->type);
}

/* One entry for each name of either snapshot, sorted. Names that are no types stay empty and go later. */
static bool list_types(struct snapshot_change *c, const struct snapshot *before,
                       const struct snapshot *after) {
    size_t room = (size_t)before->names.count + after->names.count;
    c->types = calloc(room ? room : 1, sizeof *c->types);
    if (!c->types) return false;
    for (size_t i = 0; i < room; i++) {
        const char *name =
            i < before->names.count ? before->names.text[i] : after->names.text[i - before->names.count];
        c->types[i].type = strdup(name);
        c->count = i + 1;
        if (!c->types[i].type) return false;
    }
    qsort(c->types, c->count, sizeof *c->types, compare_names);
    size_t kept = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (kept && strcmp(c->types[kept - 1].type, c->types[i].type) == 0)
            free(c->types[i].type);
        else
            c->types[kept++] = c->types[i];
    }
    c->count = kept;
    return true;
}

/* Maps each name of a snapshot to its place in the list. */
static size_t *index_names(const struct snapshot_change *c, const struct snapshot *s) {
    size_t *index = malloc((s->names.count ? s->names.count : 1) * sizeof *index);
    for (uint32_t i = 0; index && i < s->names.count; i++) {
        struct type_change key = {.type = s->names.text[i]};
        const struct type_change *found = bsearch(&key, c->types, c->count, sizeof key, compare_names);
        index[i] = (size_t)(found - c->types);
    }
    return index;
}

static bool count_types(struct snapshot_change *c, const struct snapshot *before,
                        const struct snapshot *after, const uint32_t *same_as, const bool *stays) {
    size_t *old = index_names(c, before), *new = index_names(c, after);
    bool ok = old && new;
    for (uint32_t i = 0; ok && i < before->objects; i++) {
        struct type_change *t = &c->types[old[before->type[i]]];
        t->objects_before++;
        t->bytes_before += before->bytes[i];
        if (stays[i]) continue;
        t->objects_gone++;
        t->bytes_gone += before->bytes[i];
        c->objects_gone++;
        c->bytes_gone += before->bytes[i];
    }
    for (uint32_t i = 0; ok && i < after->objects; i++) {
        struct type_change *t = &c->types[new[after->type[i]]];
        t->objects_after++;
        t->bytes_after += after->bytes[i];
        if (same_as[i] != SNAPSHOT_NONE) continue;
        t->objects_new++;
        t->bytes_new += after->bytes[i];
        c->objects_new++;
        c->bytes_new += after->bytes[i];
    }
    free(old);
    free(new);
    return ok;
}

static int compare_changes(const void *a, const void *b) {
    const struct type_change *x = a, *y = b;
    int64_t dx = (int64_t)(x->bytes_after - x->bytes_before),
            dy = (int64_t)(y->bytes_after - y->bytes_before);
    uint64_t mx = (uint64_t)(dx < 0 ? -dx : dx), my = (uint64_t)(dy < 0 ? -dy : dy);
    if (mx != my) return mx > my ? -1 : 1;
    if (dx != dy) return dx > dy ? -1 : 1;
    return strcmp(x->type, y->type);
}

static void keep_changed(struct snapshot_change *c) {
    size_t kept = 0;
    for (size_t i = 0; i < c->count; i++) {
        const struct type_change *t = &c->types[i];
        if (t->objects_new || t->objects_gone || t->bytes_before != t->bytes_after)
            c->types[kept++] = *t;
        else
            free(t->type);
    }
    c->count = kept;
    qsort(c->types, c->count, sizeof *c->types, compare_changes);
}

/* --- the whole --- */

/* Down the tree of what is new: an object that stays weighs nothing. */
static bool find_gain(struct snapshot_change *c, const struct snapshot *before,
                      const struct dominators *before_tree, const struct snapshot *after,
                      const struct dominators *after_tree, const uint32_t *same_as) {
    uint64_t *weight = calloc(after->nodes, sizeof *weight);
    if (!weight) return false;
    for (uint32_t i = 0; i < after->objects; i++)
        if (same_as[i] == SNAPSHOT_NONE) weight[i] = after->bytes[i];
    uint64_t *gain = dominators_sum(after_tree, weight);
    free(weight);
    bool ok = gain && snapshot_accumulation_of(after_tree, gain, &c->gained);
    free(gain);
    if (!ok || c->gained.node == SNAPSHOT_NONE) return ok;
    uint32_t node = c->gained.node;
    uint32_t old = snapshot_is_object(after, node) ? same_as[node] : find_root(before, after, node);
    c->retained_after_bytes = retained_by(after_tree, node);
    c->retained_before_bytes = old == SNAPSHOT_NONE ? 0 : retained_by(before_tree, old);
    return true;
}

struct snapshot_change *snapshot_compare(const struct snapshot *before, const struct dominators *before_tree,
                                         const struct snapshot *after, const struct dominators *after_tree) {
    struct snapshot_change *c = calloc(1, sizeof *c);
    uint32_t *same_as = malloc((after->objects ? after->objects : 1) * sizeof *same_as);
    bool *stays = calloc(before->objects ? before->objects : 1, sizeof *stays);
    bool ok = c && same_as && stays;
    if (ok) {
        memset(same_as, 0xff, after->objects * sizeof *same_as);
        ok = match(before, after, same_as, stays) && list_types(c, before, after) &&
             count_types(c, before, after, same_as, stays) &&
             find_gain(c, before, before_tree, after, after_tree, same_as);
    }
    free(same_as);
    free(stays);
    if (!ok) {
        snapshot_change_free(c);
        return NULL;
    }
    keep_changed(c);
    return c;
}

void snapshot_change_free(struct snapshot_change *c) {
    if (!c) return;
    for (size_t i = 0; i < c->count; i++) free(c->types[i].type);
    free(c->types);
    free(c);
}

#include "harness/retention/snapshot/diff_paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/retention/snapshot/trie.h"

/* --- the text of a trie's node --- */

/* "children[3]" and "children[7]" are one field. */
static int field_length(const char *field) {
    return (int)strcspn(field, "[");
}

/* Returns the text of a node whose parent has the text `above`; NULL: out of memory. */
static char *path_text(const struct snapshot *s, const struct trie_node *n, const char *above) {
    const char *type = s->names.text[n->type],
               *field = n->field == SNAPSHOT_NONE ? "" : s->names.text[n->field];
    char *text = NULL;
    int length;
    if (n->root_kind != ROOT_KINDS)
        length =
            asprintf(&text, "%s %s", snapshot_root_kind_name((enum snapshot_root_kind)n->root_kind), type);
    else if (n->parent == TRIE_SUMMIT)
        length = asprintf(&text, "(several roots) -> %s", type);
    else if (n->parent == TRIE_UNREACHABLE)
        length = asprintf(&text, "(not reachable) -> %s", type);
    else if (n->field == SNAPSHOT_NONE) /* no pointer of its own: by several ways below it */
        length = asprintf(&text, "%s -> ... -> %s", above, type);
    else
        length = asprintf(&text, "%s%s%.*s -> %s", above, field_length(field) ? "." : "", field_length(field),
                          field, type);
    return length < 0 ? NULL : text;
}

/* Finds the text after the last arrow; a root's text has no arrow. */
static const char *last_step(const char *path) {
    const char *at = path;
    for (const char *next = strstr(at, " -> "); next; next = strstr(at, " -> ")) at = next + strlen(" -> ");
    return at;
}

/* --- both sides in one list --- */

static struct path_side *side_of(struct path_change *change, bool is_after) {
    return is_after ? &change->after : &change->before;
}

/* A parent comes before its children: its text is there. */
static bool append(struct path_changes *list, const struct snapshot *s, const struct trie *t, bool is_after) {
    struct path_change *first = list->change + list->count;
    for (uint32_t i = TRIE_FIRST; i < t->count; i++) {
        const struct trie_node *n = &t->node[i];
        const char *above = n->parent >= TRIE_FIRST ? first[n->parent - TRIE_FIRST].path : "";
        struct path_change *change = &list->change[list->count];
        *change = (struct path_change){.path = path_text(s, n, above)};
        if (!change->path) return false;
        change->type = last_step(change->path);
        *side_of(change, is_after) = (struct path_side){n->objects, n->bytes, n->retained};
        list->count++;
    }
    return true;
}

static int compare_paths(const void *a, const void *b) {
    return strcmp(((const struct path_change *)a)->path, ((const struct path_change *)b)->path);
}

static void add_side(struct path_side *to, const struct path_side *more) {
    to->objects += more->objects;
    to->bytes += more->bytes;
    to->retained_bytes += more->retained_bytes;
}

static void merge_equal(struct path_changes *list) {
    size_t kept = 0;
    qsort(list->change, list->count, sizeof *list->change, compare_paths);
    for (size_t i = 0; i < list->count; i++) {
        struct path_change *last = kept ? &list->change[kept - 1] : NULL;
        if (!last || compare_paths(last, &list->change[i]) != 0) {
            list->change[kept++] = list->change[i];
            continue;
        }
        add_side(&last->before, &list->change[i].before);
        add_side(&last->after, &list->change[i].after);
        free(list->change[i].path);
    }
    list->count = kept;
}

static int compare_changes(const void *a, const void *b) {
    const struct path_change *x = a, *y = b;
    int64_t dx = (int64_t)(x->after.bytes - x->before.bytes),
            dy = (int64_t)(y->after.bytes - y->before.bytes);
    uint64_t mx = (uint64_t)(dx < 0 ? -dx : dx), my = (uint64_t)(dy < 0 ? -dy : dy);
    if (mx != my) return mx > my ? -1 : 1;
    if (dx != dy) return dx > dy ? -1 : 1;
    return strcmp(x->path, y->path);
}

static void keep_changed(struct path_changes *list) {
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct path_change *change = &list->change[i];
        if (change->before.objects != change->after.objects || change->before.bytes != change->after.bytes)
            list->change[kept++] = *change;
        else
            free(change->path);
    }
    list->count = kept;
    qsort(list->change, list->count, sizeof *list->change, compare_changes);
}

struct path_changes *diff_paths_find(const struct snapshot *before, const struct dominators *before_tree,
                                     const struct snapshot *after, const struct dominators *after_tree) {
    struct path_changes *list = calloc(1, sizeof *list);
    struct trie *old = trie_build(before, before_tree), *new = trie_build(after, after_tree);
    if (list && old && new) list->change = malloc(((size_t)old->count + new->count) * sizeof *list->change);
    bool ok = list && list->change && append(list, before, old, false) && append(list, after, new, true);
    trie_free(old);
    trie_free(new);
    if (!ok) {
        diff_paths_free(list);
        return NULL;
    }
    merge_equal(list);
    keep_changed(list);
    return list;
}

void diff_paths_free(struct path_changes *list) {
    if (!list) return;
    for (size_t i = 0; i < list->count; i++) free(list->change[i].path);
    free(list->change);
    free(list);
}

const char *diff_paths_kind(const struct path_change *c) {
    if (!c->before.objects) return "added";
    if (!c->after.objects) return "removed";
    if (c->before.bytes != c->after.bytes) return c->after.bytes > c->before.bytes ? "grew" : "shrank";
    return c->after.objects > c->before.objects ? "grew" : "shrank";
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/retention/snapshot/export.h"

enum { AHEAD = 16 };

struct export_report export_failed(const char *path, const char *what) {
    struct export_report report = {.ok = false};
    snprintf(report.message, sizeof report.message, "%s: %s", path, what);
    return report;
}

uint32_t *export_holding_edges(const struct snapshot *s, const struct dominators *d) {
    uint32_t *held_by = malloc(d->reached * sizeof *held_by);
    if (!held_by) return NULL;
    memset(held_by, 0xff, d->reached * sizeof *held_by);
    for (uint32_t order = 0; order < d->reached; order++) {
        uint32_t end = s->first_edge[d->node_at[order] + 1];
        for (uint32_t e = s->first_edge[d->node_at[order]]; e < end; e++) {
            if (end - e > AHEAD) __builtin_prefetch(&d->order_of[s->to[e + AHEAD]]);
            uint32_t to = d->order_of[s->to[e]];
            if (to != order && d->parent[to] == order && held_by[to] == SNAPSHOT_NONE) held_by[to] = e;
        }
    }
    return held_by;
}

/* The value at `place` of the values in falling order: Hoare's selection, middle of three as the pivot. */
static uint64_t select_falling(uint64_t *value, uint32_t count, uint32_t place) {
    uint32_t low = 0, high = count - 1;
    while (low < high) {
        uint64_t a = value[low], b = value[low + (high - low) / 2], c = value[high];
        uint64_t pivot = a > b ? (b > c ? b : a > c ? c : a) : (a > c ? a : b > c ? c : b);
        uint32_t i = low, j = high;
        for (;;) {
            while (value[i] > pivot) i++;
            while (value[j] < pivot) j--;
            if (i >= j) break;
            uint64_t swapped = value[i];
            value[i++] = value[j];
            value[j--] = swapped;
        }
        if (place <= j)
            high = j;
        else
            low = j + 1;
    }
    return value[place];
}

/* Above the limit all are taken, of those at the limit the first in the order of the search. A dominator
 * retains at least as much and comes earlier, so it is taken if what it dominates is. */
uint32_t *export_largest(const struct dominators *d, uint32_t *count) {
    uint32_t there = d->reached - 1;
    if (*count > there) *count = there;
    uint32_t *chosen = malloc((*count ? *count : 1) * sizeof *chosen);
    uint64_t *retained = malloc((there ? there : 1) * sizeof *retained);
    if (!chosen || !retained) {
        free(chosen);
        free(retained);
        return NULL;
    }
    uint64_t limit = 0;
    uint32_t at_limit = *count;
    if (*count && *count < there) {
        memcpy(retained, d->retained + 1, there * sizeof *retained);
        limit = select_falling(retained, there, *count - 1);
        for (uint32_t i = 1; i <= there; i++) at_limit -= d->retained[i] > limit;
    }
    free(retained);
    uint32_t taken = 0;
    for (uint32_t i = 1; taken < *count; i++) {
        bool all = *count == there;
        if (all || d->retained[i] > limit)
            chosen[taken++] = i;
        else if (d->retained[i] == limit && at_limit) {
            chosen[taken++] = i;
            at_limit--;
        }
    }
    return chosen;
}

/* What a plan will cost: coarse by design, so that a run too large is refused before it begins. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/plan/options.h"
#include "harness/plan/plan.h"
#include "harness/plan/rate.h"
#include "harness/base/sizes.h"
#include "harness/base/why.h"

/* The hungriest maps (a node and bucket per entry, or a doubled table at half load beside the old one) stay
 * below four times entry plus two pointers; string text is stored in up to two generations of 32 bytes. */
static double map_bytes(const struct cell *cell) {
    double entry = (double)(cell->shape->key_size + cell->shape->val_size + 16);
    return (double)cell->n * (entry * 4 + (cell->shape->key_bits ? 0 : 64));
}

/* Whether a map keeps what is deleted in memory until it is next rebuilt: go_syncmap, which cannot be
 * presized and never shrinks. */
static bool keeps_deleted(const struct map_unit *unit) {
    unsigned traits = unit->facts->traits & (TRAIT_TOMBSTONES | TRAIT_IGNORES_HINT | TRAIT_SHRINKS);
    return traits == (TRAIT_TOMBSTONES | TRAIT_IGNORES_HINT);
}

/* Whether a workload replaces the keys of its map, after doing so for two generations without a clock. */
static bool churns(enum workload_kind kind) {
    return kind == WORKLOAD_CHURN || kind == WORKLOAD_CHURN_AGE || kind == WORKLOAD_CHURN_SIZED ||
           kind == WORKLOAD_CHURN_WALK || kind == WORKLOAD_MIXED;
}

/* How many maps' worth of memory a workload takes at its peak. */
static double maps_at_once(const struct cell *cell, size_t w) {
    enum workload_kind kind = cell->workload[w]->kind;
    double most = kind == WORKLOAD_COPY || kind == WORKLOAD_COPY_PUT || kind == WORKLOAD_FORK_TOUCH ||
                          kind == WORKLOAD_RESERVE_FEW || kind == WORKLOAD_PUT_WALK ||
                          kind == WORKLOAD_CHURN_WALK || kind == WORKLOAD_DEL_WALK
                      ? 2
                      : 1;
    for (size_t u = 0; u < cell->units; u++)
        if (churns(kind) && cell->wanted[u][w] && keeps_deleted(cell->unit[u])) most = 3;
    return most;
}

/* Measured at 900k entries: 1.5 times the largest map where several maps had their turn in a process, which
 * keeps what they free, in pieces; beside it the memory recorder's child builds a map of its own. The harness
 * itself takes 12 MiB, with cold lookups 52, and the histograms some more. */
uint64_t cell_bytes_estimate(const struct cell *cell) {
    double maps = cell->units > 2 ? 1.5 : 1, own = 24 << 20; /* the first unit is the baseline */
    for (size_t w = 0; w < cell->workloads; w++) {
        maps = fmax(maps, maps_at_once(cell, w));
        if (cell->workload[w]->kind == WORKLOAD_GET_COLD) own = 64 << 20;
    }
    if (cell->record & RECORD_MEMORY) maps += 1;
    double bytes = map_bytes(cell) * maps + own;
    return bytes < 0x1p63 ? (uint64_t)bytes : UINT64_MAX;
}

/* Nanoseconds per operation of a middling map: 10 in the first caches, rising to 100 in memory. */
static double operation_ns(const struct cell *cell) {
    double bytes = (double)cell->n * (double)(cell->shape->key_size + cell->shape->val_size) * 2;
    double ns = bytes < 512e3 ? 12 : bytes < 16e6 ? 30 : 90;
    return cell->shape->key_bits ? ns : ns * 2;
}

double cell_seconds_estimate(const struct cell *cell) {
    const struct option_values *o = &cell->job->options;
    double rounds = (double)option_number(o, OPTION_REPEAT),
           batches = (double)option_number(o, OPTION_BATCHES);
    double build = (double)cell->n * operation_ns(cell) * 1e-9;
    double seconds = 0;
    struct rates loops;
    rates_parse(option_text(o, OPTION_RATE), &loops, NULL);
    for (size_t u = 0; u < cell->units; u++)
        for (size_t w = 0; w < cell->workloads; w++) {
            if (!cell->wanted[u][w]) continue;
            enum workload_kind kind = cell->workload[w]->kind;
            if (cell->record & RECORD_TIME) {
                double one = churns(kind)                          ? 6 * build
                             : kind == WORKLOAD_GET_COLD           ? 0.2 * batches
                             : workload_uses_up(cell->workload[w]) ? 3 * build
                                                                   : 0.5 * build;
                seconds += rounds * (one + (batches + 1) * 2e-3);
            }
            if ((cell->record & RECORD_SCALING) &&
                (cell->scale_all || workload_has_budget(cell->workload[w])))
                seconds += rounds * 8 * build;
            if (cell->record & RECORD_COUNTERS) seconds += 3 * build + 0.02;
            if (cell->record & RECORD_LATENCY) seconds += 3 * build * (double)loops.count + 0.05;
        }
    if (cell->record & RECORD_MEMORY) {
        double settings = option_names(o, OPTION_THP, "set") + option_names(o, OPTION_THP, "small") +
                          option_names(o, OPTION_THP, "huge");
        seconds += settings * (double)cell->units * (2 * build + 0.15);
    }
    return seconds;
}

void plan_print(const struct plan *plan) {
    double seconds = 0;
    uint64_t most = 0;
    for (size_t i = 0; i < plan->cells; i++) {
        const struct cell *cell = &plan->cell[i];
        size_t pairs = 0;
        char memory[32];
        printf("%s\n   maps     ", cell->id);
        for (size_t u = 0; u < cell->units; u++) printf(" %s", cell->unit[u]->map);
        printf("\n   workloads");
        for (size_t w = 0; w < cell->workloads; w++) printf(" %s", cell->workload[w]->name);
        for (size_t u = 0; u < cell->units; u++)
            for (size_t w = 0; w < cell->workloads; w++) pairs += cell->wanted[u][w];
        size_bytes_text((double)cell_bytes_estimate(cell), memory, sizeof memory);
        printf("\n   %zu measurements, about %.0f s, up to %s\n", pairs, cell_seconds_estimate(cell), memory);
        seconds += cell_seconds_estimate(cell);
        if (cell_bytes_estimate(cell) > most) most = cell_bytes_estimate(cell);
    }
    for (size_t i = 0; i < plan->skips; i++)
        printf("skipped: %s: %s\n", plan->skip[i].what, plan->skip[i].why);
    char memory[32];
    size_bytes_text((double)most, memory, sizeof memory);
    printf("%zu cells, about %.0f s, up to %s\n", plan->cells, seconds, memory);
}

static void add_measurements(json_t *cells, const struct cell *cell) {
    for (size_t u = 0; u < cell->units; u++)
        for (size_t w = 0; w < cell->workloads; w++) {
            const struct map_unit *unit = cell->unit[u];
            if (!cell->wanted[u][w]) continue;
            json_array_append_new(
                cells,
                json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:b, s:b, s:I}", "map", unit->map, "shape",
                          cell->shape->name, "workload", cell->workload[w]->name, "keys", cell->keys, "n",
                          (json_int_t)cell->n, "hash", unit->hash, "heap", unit->heap, "baseline",
                          (unit->facts->traits & TRAIT_BASELINE) != 0, "engine", unit->engine != NULL, "seed",
                          (json_int_t)option_number(&cell->job->options, OPTION_SEED)));
        }
}

void plan_print_json(const struct plan *plan) {
    json_t *cells = json_array(), *skipped = json_array();
    for (size_t i = 0; i < plan->cells; i++) add_measurements(cells, &plan->cell[i]);
    for (size_t i = 0; i < plan->skips; i++)
        json_array_append_new(
            skipped, json_pack("{s:s, s:s}", "cell", plan->skip[i].what, "reason", plan->skip[i].why));
    json_t *all = json_pack("{s:o, s:o}", "cells", cells, "skipped", skipped);
    char *text = json_dumps(all, JSON_COMPACT | JSON_PRESERVE_ORDER);
    puts(text);
    free(text);
    json_decref(all);
}

bool cell_fits_memory(const struct cell *cell, unsigned at_once, const struct memory_left *left,
                      struct why *why) {
    uint64_t one = cell_bytes_estimate(cell), bytes = one > UINT64_MAX / at_once ? UINT64_MAX : one * at_once;
    char size[24], need[32], have[32];
    if (!left->known || bytes <= left->bytes) return true;
    size_bytes_text((double)bytes, need, sizeof need);
    size_bytes_text((double)left->bytes, have, sizeof have);
    return why_say(why, "n %s of %s needs up to %s, but %s are available%s%s: %schoose a smaller --n",
                   size_text(cell->n, size), cell->shape->name, need, have, left->by[0] ? ", for " : "",
                   left->by, left->by[0] ? "raise the limit, or " : "");
}

bool plan_fits_memory(const struct plan *plan, const struct memory_left *left, struct why *why) {
    for (size_t i = 0; i < plan->cells; i++)
        if (!cell_fits_memory(&plan->cell[i], 1, left, why)) return false;
    return true;
}

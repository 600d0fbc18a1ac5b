/* Measuring a run: each recorder in each cell, a step at a time. */
#include <stdlib.h>
#include <string.h>

#include "harness/base/count_of.h"
#include "harness/base/project.h"
#include "harness/base/python.h"
#include "harness/base/why.h"
#include "harness/plan/registry.h"
#include "harness/run/parts.h"
#include "harness/run/info.h"
#include "harness/measure/table.h"

static const struct {
    unsigned kind;
    const char *name;
    measure_fn *measure;
    double share; /* of the cell's estimated work */
} recorders[] = {
    {RECORD_TIME, "time", measure_time, 0.7},
    {RECORD_LATENCY, "latency", measure_latency, 0.1},
    {RECORD_COUNTERS, "counters", measure_counters, 0.1},
    {RECORD_MEMORY, "memory", measure_memory, 0.08},
    {RECORD_STRUCTURE, "structure", measure_structure, 0.02},
    {RECORD_SCALING, "scaling", measure_scaling, 0.3},
};
enum { RECORDERS = COUNT_OF(recorders) };

static double recorder_seconds(const struct cell *cell, size_t r) {
    return cell->record & recorders[r].kind ? cell_seconds_estimate(cell) * recorders[r].share : 0;
}

double run_seconds_estimate(const struct plan *plan) {
    double seconds = 0;
    for (size_t i = 0; i < plan->cells; i++)
        for (size_t r = 0; r < RECORDERS; r++) seconds += recorder_seconds(&plan->cell[i], r);
    return seconds;
}

static bool plan_uses(const struct plan *plan, const char *map) {
    for (size_t i = 0; i < plan->cells; i++)
        for (size_t u = 0; u < plan->cell[i].units; u++)
            if (strcmp(plan->cell[i].unit[u]->map, map) == 0) return true;
    return false;
}

static bool attach_perf(struct run *run) {
    const char *mode = option_text(&run->profile->global, OPTION_PERF);
    char folder[PATH_MAX + 8];
    if (strcmp(mode, "off") == 0) return true;
    if (run->folder.steps_done > 0)
        return why_say(
            &run->why,
            "--perf cannot go on with an interrupted run, whose perf data is incomplete: measure again "
            "without --resume");
    snprintf(folder, sizeof folder, "%s/perf", run->folder.partial);
    run->measure.perf = calloc(registry_map_count(), sizeof *run->measure.perf);
    for (size_t i = 0; i < registry_map_count(); i++) {
        const struct map_unit *unit = registry_map_unit(i);
        if (unit->facts->traits & TRAIT_BASELINE || !plan_uses(run->plan, unit->map)) continue;
        if (unit->engine) {
            fprintf(stderr, "mapbench: --perf does not see %s: it runs in another process\n", unit->map);
            continue;
        }
        run->measure.perf[i] =
            perf_attach(strcmp(mode, "stat") == 0 ? PERF_STAT : PERF_RECORD, unit->map, folder, &run->why);
        if (!run->measure.perf[i]) return false;
    }
    return true;
}

void run_finish_perf(struct run *run) {
    char flamegraph[PATH_MAX + 32];
    struct why why; /* the run's own says why it ended */
    if (!run->measure.perf) return;
    const char *python = python_find(PYTHON_ANY, NULL);
    snprintf(flamegraph, sizeof flamegraph, "%s/plots/flamegraph.py", project_root());
    for (size_t i = 0; i < registry_map_count(); i++)
        if (run->measure.perf[i] && !perf_finish(run->measure.perf[i], python, flamegraph, &why)) {
            warnings_add(&run->warnings, WARNING_perf_failed, "%s", why.text);
            run->measure.unmeasured++;
        }
    free(run->measure.perf);
    run->measure.perf = NULL;
}

bool run_open_measure(struct run *run, const volatile sig_atomic_t *interrupted) {
    struct measure *m = &run->measure;
    size_t evict = 0;
    for (size_t i = 0; i < run->plan->cells; i++)
        for (size_t w = 0; w < run->plan->cell[i].workloads; w++)
            if (run->plan->cell[i].workload[w]->kind == WORKLOAD_GET_COLD) evict = bench_evict_bytes();
    m->clock = clock_calibrate();
    m->recorder = calloc(1, sizeof *m->recorder);
    m->counters = counters_open();
    m->interrupted = interrupted;
    cgroup_find("cpu", &m->cpu_group);
    if (m->recorder && m->counters && bench_room_open(&m->room, evict)) return attach_perf(run);
    return why_say(&run->why, "out of memory for the harness's own buffers");
}

void run_close_measure(struct run *run) {
    run_finish_perf(run);
    free(run->measure.recorder);
    counters_close(run->measure.counters);
    bench_room_close(&run->measure.room);
}

/* One recorder in one cell. */
static enum step_result run_step(struct run *run, const struct cell *cell, size_t r, struct keys **keys) {
    char step[PATH_MAX + 256];
    double work = recorder_seconds(cell, r);
    snprintf(step, sizeof step, "%s %s", recorders[r].name, cell->id);
    progress_step(&run->progress, step);
    if (!*keys)
        *keys = keys_open(cell->keys, cell->shape, cell->n, option_number(&cell->job->options, OPTION_SEED),
                          &run->why);
    if (!*keys) return STEP_KEYS;
    if (!runinfo_add_keys(run->info, cell->shape, keys_facts(*keys))) {
        why_say(
            &run->why,
            "the keys %s are not those that the interrupted run began with: measure again without --resume",
            cell->keys);
        return STEP_KEYS;
    }
    if (runfolder_step_done(&run->folder, step)) return progress_done(&run->progress, work, true), STEP_OK;
    json_t *gbench = json_array(), *rows = recorders[r].measure(&run->measure, cell, *keys, gbench);
    bool kept = rows && runfolder_append(&run->folder, step, rows, gbench, &run->why);
    if (kept) {
        runinfo_end(run->info, run->earlier_s + (double)(wall_ns() - run->begin_ns) * 1e-9, false);
        kept = runfolder_write_json(&run->folder, "run.json", run->info, &run->why);
    }
    if (rows && !kept) {
        /* The disk refuses: what was measured goes to the screen at least. */
        progress_end(&run->progress);
        table_print(rows, stdout);
    }
    json_decref(gbench);
    if (rows) json_decref(rows);
    progress_done(&run->progress, work, false);
    return !rows ? STEP_INTERRUPTED : kept ? STEP_OK : STEP_DISK;
}

enum step_result run_cells(struct run *run) {
    for (size_t i = 0; i < run->plan->cells; i++) {
        struct keys *keys = NULL;
        enum step_result result = STEP_OK;
        for (size_t r = 0; r < RECORDERS && result == STEP_OK; r++)
            if (run->plan->cell[i].record & recorders[r].kind)
                result = run_step(run, &run->plan->cell[i], r, &keys);
        keys_close(keys);
        if (result != STEP_OK) return result;
    }
    return STEP_OK;
}

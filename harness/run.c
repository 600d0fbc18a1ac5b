#include "harness/run.h"

#include <errno.h>
#include <sha2.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "build_info.h"
#include "harness/conditions.h"
#include "harness/engine.h"
#include "harness/machine.h"
#include "harness/measure.h"
#include "harness/progress.h"
#include "harness/python.h"
#include "harness/registry.h"
#include "harness/runfolder.h"
#include "harness/runinfo.h"
#include "harness/table.h"
#include "harness/warnings.h"

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
};
enum { RECORDERS = sizeof recorders / sizeof *recorders };

struct run {
    struct profile *profile;
    struct plan *plan;
    struct runfolder folder;
    struct measure measure;
    struct progress progress;
    struct warnings warnings;
    json_t *info;
    uint64_t begin_ns;
    double earlier_s; /* measured before an interruption */
    char why[512];
};

/* A signal handler has no other way to reach the run. */
static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number) {
    interrupted = 1;
    signal(signal_number, SIG_DFL); /* a second one ends the process at once */
}

static int complain(int code, const char *why) {
    fprintf(stderr, "mapbench: %s\n", why);
    return code;
}

static struct profile *selected_profile(const char *name, const struct option_values *options, char *why,
                                        size_t why_size) {
    bool any = false;
    for (size_t i = 0; i < OPTION_COUNT; i++)
        any |= options->text[i] && option_facts((enum option_id)i)->scope == OPTION_SCOPE_JOB;
    struct profile *profile =
        name || !any ? profile_load(name ? name : "quick", why, why_size) : profile_empty();
    if (profile) profile_override(profile, options);
    return profile;
}

/* What is measured, as text: a partial run is resumed only by the same. */
static void selection_text(const struct profile *profile, char **text) {
    size_t size;
    FILE *out = open_memstream(text, &size);
    for (size_t j = 0; j < profile->jobs; j++) {
        fprintf(out, "[%s]\n", profile->job[j].name);
        for (size_t i = 0; i < OPTION_COUNT; i++) {
            const struct option_facts *facts = option_facts((enum option_id)i);
            if (facts->scope == OPTION_SCOPE_JOB)
                fprintf(out, "%s = %s\n", facts->name,
                        option_text(&profile->job[j].options, (enum option_id)i));
        }
    }
    fprintf(out, "shard = %s\nbuild = %s %s %s %s\n", option_text(&profile->global, OPTION_SHARD), BUILD_CC,
            BUILD_CXX, BUILD_UNIT_FLAGS, BUILD_COMMIT);
    fclose(out);
}

static void run_name(const struct profile *profile, const char *selection, char *name, size_t size) {
    char now[24], hash[SHA256_DIGEST_STRING_LENGTH], *identity = NULL;
    if (asprintf(&identity, "%s%s%s", selection, BUILD_COMMIT, utc_text(false, now)) < 0) abort();
    SHA256Data((const uint8_t *)identity, strlen(identity), hash);
    free(identity);
    snprintf(name, size, "%s-%.6s-%s", now, hash, profile->name);
}

static int open_folder(struct run *run, char *name, size_t name_size) {
    const struct option_values *o = &run->profile->global;
    const char *out = option_text(o, OPTION_OUT);
    char *selection = NULL;
    selection_text(run->profile, &selection);
    run_name(run->profile, selection, name, name_size);
    enum runfolder_result result =
        runfolder_open(&run->folder, out[0] ? out : NULL, name, selection,
                       option_text(o, OPTION_RESUME)[0] != '\0', run->why, sizeof run->why);
    free(selection);
    return result == RUNFOLDER_OK ? EXIT_OK
                                  : complain(result == RUNFOLDER_USAGE ? EXIT_USAGE : EXIT_CANNOT, run->why);
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
    if (run->folder.steps_done > 0) {
        snprintf(run->why, sizeof run->why,
                 "--perf cannot go on with an interrupted run, whose perf data is incomplete: measure again "
                 "without --resume");
        return false;
    }
    snprintf(folder, sizeof folder, "%s/perf", run->folder.partial);
    run->measure.perf = calloc(registry_map_count(), sizeof *run->measure.perf);
    for (size_t i = 0; i < registry_map_count(); i++) {
        const struct map_unit *unit = registry_map_unit(i);
        if (unit->facts->traits & TRAIT_BASELINE || !plan_uses(run->plan, unit->map)) continue;
        if (unit->engine) {
            fprintf(stderr, "mapbench: --perf does not see %s: it runs in another process\n", unit->map);
            continue;
        }
        run->measure.perf[i] = perf_attach(strcmp(mode, "stat") == 0 ? PERF_STAT : PERF_RECORD, unit->map,
                                           folder, run->why, sizeof run->why);
        if (!run->measure.perf[i]) return false;
    }
    return true;
}

static void finish_perf(struct run *run) {
    char flamegraph[PATH_MAX + 32], python_why[128];
    if (!run->measure.perf) return;
    const char *python = python_find(python_why, sizeof python_why);
    snprintf(flamegraph, sizeof flamegraph, "%s/plots/flamegraph.py", project_root());
    for (size_t i = 0; i < registry_map_count(); i++)
        if (run->measure.perf[i] &&
            !perf_finish(run->measure.perf[i], python, flamegraph, run->why, sizeof run->why)) {
            warnings_add(&run->warnings, WARNING_perf_failed, "%s", run->why);
            run->measure.unmeasured++;
        }
    free(run->measure.perf);
    run->measure.perf = NULL;
}

static bool open_measure(struct run *run) {
    struct measure *m = &run->measure;
    size_t evict = 0;
    for (size_t i = 0; i < run->plan->cells; i++)
        for (size_t w = 0; w < run->plan->cell[i].workloads; w++)
            if (run->plan->cell[i].workload[w]->kind == WORKLOAD_GET_COLD) evict = bench_evict_bytes();
    m->clock = clock_calibrate();
    m->recorder = calloc(1, sizeof *m->recorder);
    m->counters = counters_open();
    m->interrupted = &interrupted;
    return m->recorder && m->counters && bench_room_open(&m->room, evict);
}

static void close_measure(struct run *run) {
    free(run->measure.recorder);
    counters_close(run->measure.counters);
    bench_room_close(&run->measure.room);
}

enum step_result { STEP_OK, STEP_INTERRUPTED, STEP_DISK, STEP_KEYS };

/* One recorder in one cell. */
static enum step_result run_step(struct run *run, const struct cell *cell, size_t r, struct keys **keys) {
    char step[PATH_MAX + 256];
    double work = cell_seconds_estimate(cell) * recorders[r].share;
    snprintf(step, sizeof step, "%s %s", recorders[r].name, cell->id);
    progress_step(&run->progress, step);
    if (!*keys)
        *keys = keys_open(cell->keys, cell->shape, cell->n, option_number(&cell->job->options, OPTION_SEED),
                          run->why, sizeof run->why);
    if (!*keys) return STEP_KEYS;
    if (!runinfo_add_keys(run->info, cell->shape, keys_facts(*keys))) {
        snprintf(
            run->why, sizeof run->why,
            "the keys %s are not those that the interrupted run began with: measure again without --resume",
            cell->keys);
        return STEP_KEYS;
    }
    if (runfolder_step_done(&run->folder, step)) return progress_done(&run->progress, work, true), STEP_OK;
    json_t *gbench = json_array(), *rows = recorders[r].measure(&run->measure, cell, *keys, gbench);
    bool kept = rows && runfolder_append(&run->folder, step, rows, gbench, run->why, sizeof run->why);
    if (kept) {
        runinfo_end(run->info, run->earlier_s + (double)(wall_ns() - run->begin_ns) * 1e-9, false);
        kept = runfolder_write_json(&run->folder, "run.json", run->info, run->why, sizeof run->why);
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

static enum step_result run_cells(struct run *run) {
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

static void count_rows(struct run *run, const json_t *rows) {
    size_t i, unstable = 0, errors = 0, timed = 0;
    bool single = false;
    json_t *row;
    json_array_foreach(rows, i, row) {
        bool error = json_is_string(json_object_get(row, "error"));
        errors += error;
        run->measure.wrong_result |=
            error && strncmp(json_string_value(json_object_get(row, "error")), "wrong result", 12) == 0;
        unstable += !error && json_is_false(json_object_get(row, "stable"));
        timed++;
        single |= json_integer_value(json_object_get(row, "rounds")) == 1;
    }
    if (unstable) warnings_add(&run->warnings, WARNING_unstable_rows, "%zu of %zu", unstable, timed);
    if (errors) warnings_add(&run->warnings, WARNING_unmeasured_cells, "%zu of %zu rows", errors, timed);
    if (single) warnings_add(&run->warnings, WARNING_single_round, NULL);
    if (errors > run->measure.unmeasured) run->measure.unmeasured = errors; /* those of a resumed run */
}

/* What was dropped or kept of the user's own key files. */
static void print_key_files(const json_t *info) {
    size_t i;
    json_t *keys;
    json_array_foreach(json_object_get(info, "keys"), i, keys) {
        json_int_t duplicates = json_integer_value(json_object_get(keys, "duplicates")),
                   nul = json_integer_value(json_object_get(keys, "with_nul"));
        const char *name = json_string_value(json_object_get(keys, "name"));
        if (strncmp(name, "file:", 5) == 0 && (duplicates || nul))
            fprintf(stderr, "mapbench: %s: %lld duplicate keys dropped, %lld keys with a NUL byte kept\n",
                    name, (long long)duplicates, (long long)nul);
    }
}

static void collect_warnings(struct run *run) {
    json_t *info = run->info, *conditions = json_object_get(info, "conditions");
    warnings_from_machine(&run->warnings, json_object_get(info, "machine"),
                          json_object_get(json_object_get(info, "probe"), "events"), BUILD_UNIT_FLAGS);
    warnings_from_conditions(&run->warnings, json_object_get(conditions, "before"),
                             json_object_get(conditions, "after"), 1);
    warnings_add(&run->warnings, WARNING_gbench_debug, NULL);
    int resumed = (int)json_integer_value(json_object_get(info, "resumed"));
    if (resumed == 1) warnings_add(&run->warnings, WARNING_interrupted, "and resumed once");
    if (resumed > 1) warnings_add(&run->warnings, WARNING_interrupted, "and resumed %d times", resumed);
    json_object_set_new(info, "warnings", warnings_json(&run->warnings));
}

/* Writes run.json and what follows from the rows, draws, renames. */
static int complete_run(struct run *run) {
    bool draw = strcmp(option_text(&run->profile->global, OPTION_FIGURES), "yes") == 0;
    char *folders[] = {run->folder.partial, NULL};
    json_t *rows = runfolder_rows(&run->folder, run->why, sizeof run->why);
    if (!rows) return complain(EXIT_CANNOT, run->why);
    count_rows(run, rows);
    runinfo_end(run->info, run->earlier_s + (double)(wall_ns() - run->begin_ns) * 1e-9, true);
    collect_warnings(run);
    table_print(rows, stdout);
    fflush(stdout);
    json_decref(rows);
    int code = run->measure.wrong_result ? EXIT_CHECK_FAILED
               : run->measure.unmeasured ? EXIT_CANNOT
                                         : EXIT_OK;
    if (!draw) json_object_set_new(run->info, "figures", json_string("not asked for (--figures no)"));
    char id[RESULT_ID_SIZE];
    if (!runfolder_result_id(run->folder.partial, id, run->why, sizeof run->why))
        return complain(EXIT_CANNOT, run->why);
    json_object_set_new(run->info, "result_id", json_string(id));
    if (!runfolder_finish_gbench(&run->folder, run->why, sizeof run->why) ||
        !runfolder_write_json(&run->folder, "run.json", run->info, run->why, sizeof run->why))
        return complain(EXIT_CANNOT, run->why);
    signal(SIGINT,
           SIG_IGN); /* everything is measured: the drawing, a few seconds, is not worth a broken page */
    int drawn = draw ? report_draw(folders, run->why, sizeof run->why) : 0;
    if (drawn != 0) {
        json_object_set_new(run->info, "figures", json_string(run->why));
        fprintf(
            stderr,
            "mapbench: the figures are not complete: %s; the rows are, draw again with: mapbench report %s\n",
            run->why, run->folder.final);
        if (code == EXIT_OK) code = EXIT_CANNOT;
        if (!runfolder_write_json(&run->folder, "run.json", run->info, run->why, sizeof run->why))
            return complain(EXIT_CANNOT, run->why);
    }
    if (!runfolder_finish(&run->folder, run->why, sizeof run->why)) return complain(EXIT_CANNOT, run->why);
    print_key_files(run->info);
    warnings_print(&run->warnings, stderr);
    printf("result %.*s\n%s\n", RESULT_ID_SHORT, id, run->folder.final);
    if (draw && drawn == 0) printf("%s/report.html\n", run->folder.final);
    return code;
}

static void print_skips(const struct plan *plan) {
    for (size_t i = 0; i < plan->skips; i++)
        fprintf(stderr, "mapbench: skipped: %s: %s\n", plan->skip[i].what, plan->skip[i].why);
}

static int measure_all(struct run *run, const char *name, const char *command) {
    double work = 0;
    for (size_t i = 0; i < run->plan->cells; i++)
        for (size_t r = 0; r < RECORDERS; r++)
            if (run->plan->cell[i].record & recorders[r].kind)
                work += cell_seconds_estimate(&run->plan->cell[i]) * recorders[r].share;
    print_skips(run->plan);
    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_interrupt);
    signal(SIGPIPE, SIG_IGN);
    run->info =
        runinfo_begin(name, command, run->profile, run->plan, &run->measure.clock, work, &interrupted);
    json_t *before = run->folder.steps_done ? runfolder_read_json(&run->folder, "run.json") : NULL;
    bool same = !before || runinfo_same_executable(run->info, before);
    if (before) run->earlier_s = runinfo_resume(run->info, before);
    json_decref(before);
    if (!same)
        return complain(EXIT_USAGE,
                        "the interrupted run was measured by another build of mapbench, whose loops may "
                        "lie elsewhere: measure again without --resume");
    runinfo_end(run->info, run->earlier_s, false);
    if (!runfolder_write_json(&run->folder, "run.json", run->info, run->why, sizeof run->why))
        return complain(EXIT_CANNOT, run->why);
    progress_begin(&run->progress, option_text(&run->profile->global, OPTION_PROGRESS), work);
    enum step_result result = run_cells(run);
    progress_end(&run->progress);
    finish_perf(run);
    switch (result) {
    case STEP_OK:
        return complete_run(run);
    case STEP_INTERRUPTED:
        if (runfolder_is_empty(&run->folder))
            return complain(EXIT_INTERRUPTED, "interrupted before anything was measured");
        warnings_add(&run->warnings, WARNING_interrupted, NULL);
        collect_warnings(run);
        if (!runfolder_write_json(&run->folder, "run.json", run->info, run->why, sizeof run->why))
            complain(EXIT_INTERRUPTED, run->why);
        fprintf(stderr,
                "mapbench: interrupted; what was measured is in %s; go on with the same command and --resume "
                "--out %s\n",
                run->folder.partial, run->folder.final);
        return EXIT_INTERRUPTED;
    case STEP_DISK:
        if (runfolder_is_empty(&run->folder)) return complain(EXIT_CANNOT, run->why);
        fprintf(
            stderr,
            "mapbench: %s; the rows written before are valid; make room and go on with --resume --out %s\n",
            run->why, run->folder.final);
        return EXIT_CANNOT;
    default:
        return complain(EXIT_USAGE, run->why);
    }
}

static int nothing_to_measure(const struct plan *plan) {
    bool missing = false;
    print_skips(plan);
    for (size_t i = 0; i < plan->skips; i++) missing |= strstr(plan->skip[i].why, "apt-get") != NULL;
    return complain(missing ? EXIT_CANNOT : EXIT_NOTHING,
                    missing ? "nothing can be measured here" : "nothing matches the selection");
}

int run_command(const char *profile, const struct option_values *options, const char *command) {
    struct run run = {.begin_ns = wall_ns()};
    char name[160];
    int code = EXIT_USAGE;
    const char *broken = registry_validate();
    if (broken) return complain(EXIT_CHECK_FAILED, broken);
    run.profile = selected_profile(profile, options, run.why, sizeof run.why);
    run.plan = run.profile ? plan_make(run.profile, run.why, sizeof run.why) : NULL;
    if (!run.plan || !plan_fits_memory(run.plan, machine_memory_available(), run.why, sizeof run.why))
        complain(EXIT_USAGE, run.why);
    else if (run.plan->cells == 0)
        code = nothing_to_measure(run.plan);
    else if ((code = open_folder(&run, name, sizeof name)) == EXIT_OK) {
        if (!open_measure(&run))
            code = complain(EXIT_CANNOT, "out of memory for the harness's own buffers");
        else if (!attach_perf(&run))
            code = complain(EXIT_CANNOT, run.why), finish_perf(&run);
        else
            code = measure_all(&run, name, command);
        close_measure(&run);
        engines_close();
    }
    if (run.info) json_decref(run.info);
    if (code != EXIT_OK) runfolder_discard_if_empty(&run.folder);
    runfolder_close(&run.folder);
    plan_free(run.plan);
    profile_free(run.profile);
    return code;
}

int plan_command(const char *profile_name, const struct option_values *options, bool json) {
    char why[512];
    struct profile *profile = selected_profile(profile_name, options, why, sizeof why);
    struct plan *plan = profile ? plan_make(profile, why, sizeof why) : NULL;
    int code = EXIT_OK;
    if (!plan)
        code = complain(EXIT_USAGE, why);
    else if (plan->cells == 0)
        code = nothing_to_measure(plan);
    else {
        json ? plan_print_json(plan) : plan_print(plan);
        if (!plan_fits_memory(plan, machine_memory_available(), why, sizeof why))
            code = complain(EXIT_USAGE, why);
    }
    plan_free(plan);
    profile_free(profile);
    return code;
}

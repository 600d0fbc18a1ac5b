#include "harness/run/run.h"

#include <sha2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_info.h"
#include "harness/base/exit.h"
#include "harness/base/why.h"
#include "harness/engines/engine.h"
#include "harness/plan/registry.h"
#include "harness/run/parts.h"
#include "harness/run/info.h"

/* A signal handler has no other way to reach the run. */
static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number) {
    interrupted = 1;
    signal(signal_number, SIG_DFL); /* a second one ends the process at once */
}

/* Writes the selection as text: a partial run is resumed only by the same. */
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
    enum runfolder_result result = runfolder_open(&run->folder, out[0] ? out : NULL, name, selection,
                                                  option_text(o, OPTION_RESUME)[0] != '\0', &run->why);
    free(selection);
    return result == RUNFOLDER_OK
               ? EXIT_OK
               : complain(result == RUNFOLDER_USAGE ? EXIT_USAGE : EXIT_CANNOT, run->why.text);
}

/* The record of the part that is measured already. */
static bool continue_record(struct run *run) {
    json_t *before = runfolder_read_json(&run->folder, "run.json");
    bool same = before && runinfo_same_executable(run->info, before);
    if (same) run->earlier_s = runinfo_resume(run->info, before);
    json_decref(before);
    if (!before)
        why_say(&run->why,
                "%s/run.json, the record of what was measured before, cannot be read: measure again without "
                "--resume",
                run->folder.partial);
    else if (!same)
        why_say(
            &run->why,
            "the interrupted run was measured by another build of mapbench, whose loops may lie elsewhere: "
            "measure again without --resume");
    return same;
}

static int measure_all(struct run *run, const char *name, const char *command) {
    double work = run_seconds_estimate(run->plan);
    plan_print_skips(run->plan);
    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_interrupt);
    signal(SIGPIPE, SIG_IGN);
    run->info =
        runinfo_begin(name, command, run->profile, run->plan, &run->measure.clock, work, &interrupted);
    if (run->folder.steps_done > 0 && !continue_record(run)) return complain(EXIT_USAGE, run->why.text);
    runinfo_end(run->info, run->earlier_s, false);
    if (!runfolder_write_json(&run->folder, "run.json", run->info, &run->why))
        return complain(EXIT_CANNOT, run->why.text);
    progress_begin(&run->progress, option_text(&run->profile->global, OPTION_PROGRESS), work);
    enum step_result result = run_cells(run);
    progress_end(&run->progress);
    run_finish_perf(run);
    switch (result) {
    case STEP_OK:
        return run_complete(run);
    case STEP_INTERRUPTED:
        if (runfolder_is_empty(&run->folder))
            return complain(EXIT_INTERRUPTED, "interrupted before anything was measured");
        warnings_add(&run->warnings, WARNING_interrupted, NULL);
        run_collect_warnings(run);
        if (!runfolder_write_json(&run->folder, "run.json", run->info, &run->why))
            complain(EXIT_INTERRUPTED, run->why.text);
        fprintf(stderr,
                "mapbench: interrupted; what was measured is in %s; go on with the same command and --resume "
                "--out %s\n",
                run->folder.partial, run->folder.final);
        return EXIT_INTERRUPTED;
    case STEP_DISK:
        if (runfolder_is_empty(&run->folder)) return complain(EXIT_CANNOT, run->why.text);
        fprintf(
            stderr,
            "mapbench: %s; the rows written before are valid; make room and go on with --resume --out %s\n",
            run->why.text, run->folder.final);
        return EXIT_CANNOT;
    default:
        return complain(EXIT_USAGE, run->why.text);
    }
}

int run_command(const char *profile, const struct option_values *options, const char *command) {
    struct run run = {.begin_ns = wall_ns()};
    char name[160];
    int code = EXIT_USAGE;
    const char *broken = registry_validate();
    if (broken) return complain(EXIT_CHECK_FAILED, broken);
    run.profile = profile_select(profile, options, &run.why);
    run.plan = run.profile ? plan_make(run.profile, &run.why) : NULL;
    if (!run.plan)
        complain(EXIT_USAGE, run.why.text);
    else if (run.plan->cells == 0)
        code = plan_nothing(run.plan);
    else if ((code = plan_complain_of_memory(run.plan)) != EXIT_OK)
        ;
    else if ((run.measure.unmeasured = plan_prepare(run.plan)) > 0 && run.plan->cells == 0) {
        plan_print_skips(run.plan);
        code = complain(EXIT_CANNOT, "none of the units could be built");
    } else if ((code = open_folder(&run, name, sizeof name)) == EXIT_OK) {
        code = run_open_measure(&run, &interrupted) ? measure_all(&run, name, command)
                                                    : complain(EXIT_CANNOT, run.why.text);
        run_close_measure(&run);
        engines_close();
    }
    if (run.info) json_decref(run.info);
    if (code != EXIT_OK) runfolder_discard_if_empty(&run.folder);
    runfolder_close(&run.folder);
    plan_free(run.plan);
    profile_free(run.profile);
    return code;
}

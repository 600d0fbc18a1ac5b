/* Completing a run: what its rows amount to, its folder, its figures. */
#include <signal.h>
#include <string.h>

#include "build_info.h"
#include "harness/keys/keyspec.h"
#include "harness/machine/conditions.h"
#include "harness/base/python.h"
#include "harness/base/exit.h"
#include "harness/run/parts.h"
#include "harness/run/checksums.h"
#include "harness/run/info.h"
#include "harness/measure/table.h"

static void count_rows(struct run *run, const json_t *rows) {
    size_t i, unstable = 0, errors = 0, timed = 0, beyond = 0;
    bool single = false;
    json_t *row;
    json_array_foreach(rows, i, row) {
        bool late = json_is_true(json_object_get(row, "beyond_budget"));
        bool error = json_is_string(json_object_get(row, "error")) && !late;
        errors += error;
        beyond += late || json_is_integer(json_object_get(row, "given_up_at"));
        run->measure.wrong_result |=
            error && strncmp(json_string_value(json_object_get(row, "error")), "wrong result", 12) == 0;
        unstable += !error && !late && json_is_false(json_object_get(row, "stable"));
        timed++;
        single |= json_integer_value(json_object_get(row, "rounds")) == 1;
    }
    if (unstable) warnings_add(&run->warnings, WARNING_unstable_rows, "%zu of %zu", unstable, timed);
    if (errors) warnings_add(&run->warnings, WARNING_unmeasured_cells, "%zu of %zu rows", errors, timed);
    if (beyond) warnings_add(&run->warnings, WARNING_beyond_budget, "%zu of %zu rows", beyond, timed);
    if (single) warnings_add(&run->warnings, WARNING_single_round, NULL);
    if (errors > run->measure.unmeasured) run->measure.unmeasured = errors; /* those of a resumed run */
}

/* Says how many keys of the user's own files were dropped, or kept with a NUL byte. */
static void print_key_files(const json_t *info) {
    size_t i;
    json_t *keys;
    json_array_foreach(json_object_get(info, "keys"), i, keys) {
        json_int_t duplicates = json_integer_value(json_object_get(keys, "duplicates"));
        const char *name = json_string_value(json_object_get(keys, "name"));
        if (keyspec_user_path(name) && duplicates)
            fprintf(stderr, "mapbench: %s: %lld duplicate keys dropped\n", name, (long long)duplicates);
    }
}

void run_collect_warnings(struct run *run) {
    json_t *info = run->info, *conditions = json_object_get(info, "conditions");
    warnings_from_machine(&run->warnings, json_object_get(info, "machine"),
                          json_object_get(json_object_get(info, "probe"), "events"), BUILD_UNIT_FLAGS);
    warnings_from_conditions(&run->warnings, json_object_get(conditions, "before"),
                             json_object_get(conditions, "after"), 1);
    if (strcmp(BUILD_COMMIT, "unknown") == 0)
        warnings_add(&run->warnings, WARNING_unknown_commit, "%s", BUILD_COMMIT_WHY);
    warnings_add(&run->warnings, WARNING_gbench_debug, NULL);
    int resumed = (int)json_integer_value(json_object_get(info, "resumed"));
    if (resumed == 1) warnings_add(&run->warnings, WARNING_interrupted, "and resumed once");
    if (resumed > 1) warnings_add(&run->warnings, WARNING_interrupted, "and resumed %d times", resumed);
    json_object_set_new(info, "warnings", warnings_json(&run->warnings));
}

int run_complete(struct run *run) {
    bool draw = strcmp(option_text(&run->profile->global, OPTION_FIGURES), "yes") == 0;
    char *folders[] = {run->folder.partial, NULL};
    json_t *rows = runfolder_rows(&run->folder, &run->why);
    if (!rows) return complain(EXIT_CANNOT, run->why.text);
    count_rows(run, rows);
    runinfo_end(run->info, run->earlier_s + (double)(wall_ns() - run->begin_ns) * 1e-9, true);
    run_collect_warnings(run);
    table_print(rows, stdout);
    fflush(stdout);
    json_decref(rows);
    int code = run->measure.wrong_result ? EXIT_CHECK_FAILED
               : run->measure.unmeasured ? EXIT_CANNOT
                                         : EXIT_OK;
    if (!draw) json_object_set_new(run->info, "figures", json_string("not asked for (--figures no)"));
    char id[RESULT_ID_SIZE];
    if (!runfolder_result_id(run->folder.partial, id, &run->why)) return complain(EXIT_CANNOT, run->why.text);
    json_object_set_new(run->info, "result_id", json_string(id));
    if (!runfolder_finish_gbench(&run->folder, &run->why) ||
        !runfolder_write_json(&run->folder, "run.json", run->info, &run->why))
        return complain(EXIT_CANNOT, run->why.text);
    /* An interrupt while drawing would leave a broken page; drawing takes seconds, so it is ignored. */
    signal(SIGINT, SIG_IGN);
    int drawn = draw ? report_draw(folders, &run->why) : 0;
    if (drawn != 0) {
        json_object_set_new(run->info, "figures", json_string(run->why.text));
        fprintf(
            stderr,
            "mapbench: the figures are not complete: %s; the rows are, draw again with: mapbench report %s\n",
            run->why.text, run->folder.final);
        if (code == EXIT_OK) code = EXIT_CANNOT;
        if (!runfolder_write_json(&run->folder, "run.json", run->info, &run->why))
            return complain(EXIT_CANNOT, run->why.text);
    }
    if (!runfolder_finish(&run->folder, &run->why)) return complain(EXIT_CANNOT, run->why.text);
    print_key_files(run->info);
    warnings_print(&run->warnings, stderr);
    printf("result %.*s\n%s\n", RESULT_ID_SHORT, id, run->folder.final);
    if (draw && drawn == 0) printf("%s/report.html\n", run->folder.final);
    return code;
}

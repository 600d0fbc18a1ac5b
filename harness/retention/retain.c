#include "harness/retention/retain.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/clock.h"
#include "harness/base/go_release.h"
#include "harness/base/names.h"
#include "harness/engines/engine.h"
#include "harness/heaps/boehm_heap.h"
#include "harness/heaps/gosim/gosim.h"
#include "harness/plan/job.h"
#include "harness/base/output.h"
#include "harness/plan/plan.h"
#include "harness/run/provenance.h"
#include "harness/base/python.h"
#include "harness/plan/registry.h"
#include "harness/retention/describe.h"
#include "harness/retention/engine_cases.h"
#include "harness/retention/options.h"
#include "harness/retention/queue.h"
#include "harness/retention/units.h"
#include "harness/retention/verdict.h"
#include "harness/base/exit.h"
#include "harness/base/why.h"
#include "harness/run/checksums.h"
#include "harness/run/folder.h"
#include "harness/run/info.h"

struct retain {
    struct retain_options options;
    struct case_queue queue;
    json_t *parts; /* arrays of lines, of a case or an engine's cases, in the order of the catalogue */
    json_t *lines, *skipped;
    size_t failed; /* cases */
    struct why why;
};

enum { FURTHER_SHAPES_MAX = 16 }; /* of a scenario */

static volatile sig_atomic_t interrupted;
static void on_interrupt(int number) {
    interrupted = 1;
    signal(number, SIG_DFL);
}

static bool variant_selected(const struct retain_options *o, const struct variant *v) {
    return names_select(o->variant, role_name(v->role)) || names_select(o->variant, v->name);
}

static void skip(struct retain *r, const struct scenario *s, const char *what, const char *map,
                 enum case_heap heap, const char *why) {
    json_array_append_new(r->skipped,
                          json_pack("{s:s, s:s, s:s?, s:s, s:s}", "scenario", s->name, "what", what, "map",
                                    map, "heap", case_heap_name(heap), "reason", why));
}

static const char *case_cannot(const struct scenario *s, const struct variant *v, const struct map_unit *unit,
                               enum case_heap heap) {
    if (heap == CASE_BOEHM && boehm_unavailable()) return boehm_unavailable();
    if (heap == CASE_BOEHM && s->on_boehm) return NULL;
    return s->cannot ? s->cannot(unit, v->name) : NULL;
}

static void queue_case(struct retain *r, const struct scenario *s, const struct variant *v,
                       const struct map_unit *unit, const char *map, enum case_heap heap, int release) {
    const struct retain_options *o = &r->options;
    struct case_plan plan = {
        .scenario = s,
        .variant = v,
        .unit = unit,
        .map = map,
        .release = release,
        .heap = heap,
        .n = o->n ? o->n : s->n,
        .seed = o->seed,
        .snapshots = {o->snapshot, o->snapshot_at ? o->snapshot_at : "verdict", o->diff_from, o->diff_to},
        .check = o->check,
        .limit_s = o->limit_s};
    const char *cannot = case_cannot(s, v, unit, heap);
    char what[128];
    snprintf(what, sizeof what, "%s%s%s on %s", v->name, map ? " with " : "", map ? map : "",
             case_heap_name(heap));
    if (cannot)
        skip(r, s, what, map, heap, cannot);
    else
        queue_add(&r->queue, &plan, r->parts);
}

static void run_variants(struct retain *r, const struct scenario *s, const struct map_unit *unit,
                         const char *map, enum case_heap heap, int release) {
    for (const struct variant *v = s->variant; v->name && !interrupted; v++)
        if (variant_selected(&r->options, v)) queue_case(r, s, v, unit, map, heap, release);
}

/* A scenario without a map: on gosim once with the collector of each release that is asked for. */
static void run_without_map(struct retain *r, const struct scenario *s, enum case_heap heap) {
    const struct retain_options *o = &r->options;
    char text[GO_RELEASE_TEXT_SIZE];
    if (!o->releases) run_variants(r, s, NULL, NULL, heap, retain_release_of(o, NULL, heap));
    for (size_t i = 0; o->releases && heap == CASE_GOSIM && i < gosim_release_count && !interrupted; i++)
        if (names_select(o->releases, go_release_text(gosim_releases[i], text)))
            run_variants(r, s, NULL, NULL, heap, gosim_releases[i]);
}

/* A map by one of its names, if the scenario makes sense for it and it has the shape. */
static void run_map(struct retain *r, const struct scenario *s, const struct map_unit *unit, const char *map,
                    enum case_heap heap) {
    if (!scenario_tells_of(s, map))
        skip(r, s, map, map, heap, "the story is about another map");
    else if (!unit)
        skip(r, s, map, map, heap,
             heap == CASE_BOEHM ? "the map is not compiled for boehm"
                                : "the map does not take such keys or values");
    else if (unit->unavailable) {
        skip(r, s, map, map, heap, unit->unavailable);
        r->failed++;
    } else
        run_variants(r, s, unit, map, heap, retain_release_of(&r->options, map, heap));
}

/* The maps of a scenario that are selected, and releases of them that differ in the collector only. */
static void run_maps(struct retain *r, const struct scenario *s, enum case_heap heap) {
    const char *shape = heap == CASE_BOEHM ? s->on_boehm->shape : s->shape;
    for (size_t i = 0; i < retention_map_count() && !interrupted; i++) {
        const char *map = retention_map_name(i);
        const struct map_unit *unit = retention_unit_on(case_heap_name(heap), map, shape);
        if (retain_map_selected(&r->options, map, heap)) run_map(r, s, unit, map, heap);
        for (size_t k = 0; k < registry_alias_count() && !interrupted; k++) {
            const struct map_alias *alias = registry_alias(k);
            if (strcmp(alias->map, map) == 0 && retain_alias_selected(&r->options, alias, heap))
                run_map(r, s, unit, alias->name, heap);
        }
    }
}

/* Whether it is selected, by whichever name. */
static bool map_takes_part(const struct retain_options *o, const char *map, enum case_heap heap) {
    bool takes_part = retain_map_selected(o, map, heap);
    for (size_t k = 0; k < registry_alias_count(); k++) {
        const struct map_alias *alias = registry_alias(k);
        takes_part |= strcmp(alias->map, map) == 0 && retain_alias_selected(o, alias, heap);
    }
    return takes_part;
}

/* Adds the units of a map, on gosim, of every shape in a list with spaces between; returns how many there are
 * now. */
static size_t add_units(const char *map, const char *shapes, const struct map_unit **units, size_t count) {
    for (const char *at = shapes; at && *at;) {
        char shape[32];
        size_t length = strcspn(at, " ");
        snprintf(shape, sizeof shape, "%.*s", (int)length, at);
        const struct map_unit *unit = retention_unit_on(case_heap_name(CASE_GOSIM), map, shape);
        if (unit) units[count++] = unit;
        at += length + (at[length] == ' ');
    }
    return count;
}

/* Builds and loads what the selected scenarios need, all at once; what a story makes besides follows when it
 * asks for it. */
static void prepare_units(const struct retain *r) {
    size_t count = 0, most = scenario_count() * retention_map_count() * (2 + FURTHER_SHAPES_MAX);
    const struct map_unit **units = calloc(most, sizeof *units);
    for (size_t i = 0; units && i < scenario_count(); i++) {
        const struct scenario *s = scenario_at(i);
        if (!retain_scenario_selected(&r->options, s) || s->about != ABOUT_MAP ||
            !names_select(r->options.engines, "c"))
            continue;
        for (enum case_heap heap = CASE_GOSIM; heap <= CASE_BOEHM; heap++)
            for (size_t m = 0; m < retention_map_count(); m++) {
                const char *map = retention_map_name(m);
                bool told = heap == CASE_GOSIM ? (s->heaps & ON_GOSIM) != 0 : s->on_boehm != NULL;
                if (!told || !names_select(r->options.heaps, case_heap_name(heap)) ||
                    !map_takes_part(&r->options, map, heap) || !scenario_tells_of(s, map))
                    continue;
                const struct map_unit *unit = retention_unit_on(
                    case_heap_name(heap), map, heap == CASE_BOEHM ? s->on_boehm->shape : s->shape);
                if (unit) units[count++] = unit;
                if (heap == CASE_GOSIM) count = add_units(map, s->further_shapes, units, count);
            }
    }
    registry_prepare(units, count);
    free(units);
}

static void queue_scenario(struct retain *r, const struct scenario *s) {
    const struct retain_options *o = &r->options;
    if (o->diff_from && (!scenario_has_label(s, o->diff_from) || !scenario_has_label(s, o->diff_to)))
        fprintf(stderr, "mapbench: no difference of %s: its checkpoints are %s\n", s->name, s->labels);
    for (enum case_heap heap = 0; heap < CASE_HEAPS && !interrupted; heap++) {
        if (!(s->heaps & 1u << heap) || !names_select(o->heaps, case_heap_name(heap)) ||
            !names_select(o->engines, "c"))
            continue;
        if (s->about == ABOUT_MAP)
            run_maps(r, s, heap);
        else if (!o->maps && !o->upgrade.map)
            run_without_map(r, s, heap);
    }
    for (size_t i = 0; i < engine_program_count() && !interrupted && o->engines && (s->heaps & ON_GO); i++)
        if (names_select(o->engines, engine_program_name(i))) {
            json_t *part = json_array();
            json_array_append_new(r->parts, part);
            r->failed += engine_cases_run(i, s, o, part, r->skipped);
        }
}

/* The selected cases: those of engines at once, those of this program when all are known. */
static void run_all(struct retain *r) {
    const json_t *part;
    size_t i;
    prepare_units(r);
    for (i = 0; i < scenario_count() && !interrupted; i++)
        if (retain_scenario_selected(&r->options, scenario_at(i))) queue_scenario(r, scenario_at(i));
    r->failed += queue_run(&r->queue, &interrupted);
    json_array_foreach(r->parts, i, part) {
        json_array_extend(r->lines, (json_t *)(uintptr_t)part);
    }
    queue_free(&r->queue);
}

/* --- the folder --- */

static bool write_lines(const struct runfolder *folder, const json_t *lines, const json_t *verdicts,
                        struct why *why) {
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/retention.jsonl", folder->partial);
    FILE *out = output_open(path);
    bool ok = out != NULL;
    for (size_t k = 0; k < 2; k++) {
        const json_t *array = k ? verdicts : lines, *line;
        size_t i;
        json_array_foreach(array, i, line) {
            ok = ok && json_dumpf(line, out, JSON_COMPACT) == 0 && fputc('\n', out) != EOF;
        }
    }
    if (out) ok = fclose(out) == 0 && ok;
    if (!ok) why_say(why, "cannot write %s: %s", path, strerror(errno));
    return ok;
}

/* The maps and engines that took part. */
static void add_participants(json_t *info, const struct retain *r) {
    const json_t *line;
    size_t i;
    json_array_foreach(r->lines, i, line) {
        const char *map = json_string_value(json_object_get(line, "map"));
        for (size_t k = 0; map && k < registry_map_count(); k++)
            if (strcmp(registry_map_name(k), registry_name_resolved(map)) == 0)
                runinfo_add_map(info, map, registry_map_unit(k)->facts);
    }
    for (i = 0; i < engine_program_count() && r->options.engines; i++)
        if (names_select(r->options.engines, engine_program_name(i)))
            provenance_add_engine(json_object_get(info, "engines"), engine_program_name(i));
}

/* compared: as of upgrade_compare, or NULL. */
static int write_folder(struct retain *r, const char *command, const json_t *verdicts, const json_t *compared,
                        uint64_t begin_ns) {
    struct runfolder folder = {0};
    struct profile *profile = profile_empty();
    struct plan plan = {0};
    struct clock_costs clock = clock_calibrate();
    char now[24], name[96];
    snprintf(name, sizeof name, "%s-%06x-retain", utc_text(false, now), (unsigned)(begin_ns & 0xffffff));
    snprintf(profile->name, sizeof profile->name, "retain");
    enum runfolder_result opened = runfolder_open(&folder, r->options.out, name, command, false, &r->why);
    if (opened != RUNFOLDER_OK) {
        profile_free(profile);
        return complain(opened == RUNFOLDER_USAGE ? EXIT_USAGE : EXIT_CANNOT, r->why.text);
    }
    json_t *info = runinfo_begin(name, command, profile, &plan, &clock, 0, NULL);
    add_participants(info, r);
    json_object_set_new(info, "scenarios", retain_scenarios_json(&r->options));
    json_object_set(info, "skipped_cases", r->skipped);
    runinfo_end(info, (double)(wall_ns() - begin_ns) * 1e-9, true);
    char *folders[] = {folder.partial, NULL}, id[RESULT_ID_SIZE] = "";
    bool ok = write_lines(&folder, r->lines, verdicts, &r->why) &&
              runfolder_result_id(folder.partial, id, &r->why) &&
              json_object_set_new(info, "result_id", json_string(id)) == 0 &&
              runfolder_write_json(&folder, "run.json", info, &r->why) &&
              (!compared || runfolder_write_json(&folder, "upgrade.json", compared, &r->why));
    int drawn = ok && r->options.figures ? report_draw(folders, &r->why) : 0;
    int code = ok ? EXIT_OK : complain(EXIT_CANNOT, r->why.text);
    if (drawn != 0) {
        fprintf(stderr, "mapbench: the figures are not complete: %s; draw again with: mapbench report %s\n",
                r->why.text, folder.final);
        code = EXIT_CANNOT;
    }
    if (ok && !runfolder_finish(&folder, &r->why)) code = complain(EXIT_CANNOT, r->why.text);
    if (code == EXIT_OK || drawn != 0) printf("result %.*s\n%s\n", RESULT_ID_SHORT, id, folder.final);
    json_decref(info);
    runfolder_close(&folder);
    profile_free(profile);
    return code;
}

static void print_skips(const struct retain *r) {
    const json_t *entry;
    size_t i;
    if (!r->options.maps && r->options.scenarios == 0)
        return; /* of the whole catalogue they stand in run.json */
    json_array_foreach(r->skipped, i, entry) {
        fprintf(stderr, "mapbench: skipped: %s %s: %s\n",
                json_string_value(json_object_get(entry, "scenario")),
                json_string_value(json_object_get(entry, "what")),
                json_string_value(json_object_get(entry, "reason")));
    }
}

int retain_command(const struct arguments *a) {
    struct retain r = {.parts = json_array(), .lines = json_array(), .skipped = json_array()};
    uint64_t begin_ns = wall_ns();
    int code = EXIT_OK;
    if (!retain_options_read(&r.options, a, &r.why)) return complain(EXIT_USAGE, r.why.text);
    code = retain_targets_check(&r.options, &r.why);
    if (code != EXIT_OK) return complain(code, r.why.text);
    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_interrupt);
    run_all(&r);
    print_skips(&r);
    json_t *verdicts = verdicts_make(r.lines);
    if (json_array_size(r.lines) == 0 && !interrupted)
        code = r.failed ? complain(EXIT_CANNOT, "none of the selected cases can be measured here")
                        : complain(EXIT_NOTHING, "no case matches the selection");
    else {
        json_t *compared = r.options.upgrade.from ? upgrade_compare(&r.options.upgrade, verdicts) : NULL;
        if (compared)
            upgrade_print(&r.options.upgrade, compared, stdout);
        else
            verdicts_print(verdicts, stdout);
        errors_print(r.lines, stdout);
        code = write_folder(&r, a->line, verdicts, compared, begin_ns);
        json_decref(compared);
    }
    if (r.options.junit && !verdicts_junit(verdicts, r.lines, r.options.junit)) {
        why_say(&r.why, "cannot write %s: %s", r.options.junit, strerror(errno));
        code = complain(EXIT_CANNOT, r.why.text);
    }
    if (code == EXIT_OK && r.failed) code = EXIT_CANNOT;
    if (r.options.assert_bounds && verdicts_failed(verdicts) > 0) code = EXIT_CHECK_FAILED;
    if (interrupted) code = EXIT_INTERRUPTED;
    json_decref(verdicts), json_decref(r.parts), json_decref(r.lines), json_decref(r.skipped);
    return code;
}

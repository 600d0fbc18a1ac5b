#include "harness/run/info.h"

#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "build_info.h"
#include "harness/machine/allocator.h"
#include "harness/machine/conditions.h"
#include "harness/machine/counters.h"
#include "harness/base/count_of.h"
#include "harness/doctor/doctor.h"
#include "harness/engines/engine.h"
#include "harness/machine/machine.h"
#include "harness/run/provenance.h"

static json_t *text_or_null(const char *text) {
    return text ? json_string(text) : json_null();
}

char *utc_text(bool extended, char *out) {
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(out, 24, extended ? "%Y-%m-%dT%H:%M:%SZ" : "%Y%m%dT%H%M%SZ", &tm);
    return out;
}

static json_t *options_json(const struct option_values *values) {
    json_t *object = json_object();
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (option_facts((enum option_id)i)->scope != OPTION_SCOPE_COMMAND)
            json_object_set_new(object, option_facts((enum option_id)i)->name,
                                json_string(option_text(values, (enum option_id)i)));
    return object;
}

static json_t *profile_json(const struct profile *p) {
    return json_pack("{s:s, s:o, s:o, s:o, s:o}", "name", p->name, "text", text_or_null(p->text), "question",
                     text_or_null(p->question), "expect", text_or_null(p->expect), "duration",
                     text_or_null(p->duration));
}

static json_t *build_json(void) {
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "allocator", allocator_name(), "cc", BUILD_CC, "cxx",
                     BUILD_CXX, "unit_flags", BUILD_UNIT_FLAGS, "harness_flags", BUILD_HARNESS_FLAGS,
                     "commit", BUILD_COMMIT);
}

static json_t *timers_json(const struct clock_costs *c) {
    return json_pack("{s:f, s:f, s:f, s:f, s:f}", "ns_per_tick", c->ns_per_tick, "ticks_empty_ns",
                     c->ticks_empty_ns, "ticks_step_ns", c->ticks_step_ns, "thread_cpu_ns", c->thread_cpu_ns,
                     "wall_ns", c->wall_ns);
}

void runinfo_add_map(json_t *info, const char *name, const struct map_facts *f) {
    json_t *maps = json_object_get(info, "maps"), *map;
    size_t i;
    json_array_foreach(maps, i, map) {
        if (strcmp(json_string_value(json_object_get(map, "name")), name) == 0) return;
    }
    map = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "name", name, "summary", f->summary, "source",
                    f->source, "options", f->options, "cost", f->cost, "fairness", f->fairness, "adapter",
                    (f->traits & TRAIT_ADAPTER) != 0);
    provenance_of_map(map, name, f);
    json_array_append_new(maps, map);
}

static void add_maps(json_t *info, const struct plan *plan) {
    for (size_t i = 0; i < plan->cells; i++)
        for (size_t u = 0; u < plan->cell[i].units; u++) {
            const struct map_unit *unit = plan->cell[i].unit[u];
            runinfo_add_map(info, unit->map, unit->facts);
            if (unit->engine)
                provenance_add_engine(json_object_get(info, "engines"), engine_name(unit->engine));
        }
}

/* How long the machine's noise is watched before a run that measures times: a second, less where that would
 * be more than a tenth of the run. */
static double noise_seconds(const struct plan *plan, double work_s) {
    bool timed = false;
    for (size_t i = 0; i < plan->cells; i++) timed |= plan->cell[i].record & (RECORD_TIME | RECORD_LATENCY);
    return !timed ? 0 : work_s > 10 ? 1 : work_s < 2 ? 0.2 : work_s / 10;
}

json_t *runinfo_begin(const char *id, const char *command, const struct profile *profile,
                      const struct plan *plan, const struct clock_costs *clock, double work_s,
                      const volatile sig_atomic_t *stop) {
    json_t *info = json_object(), *jobs = json_array(), *skipped = json_array();
    char now[24];
    for (size_t i = 0; i < profile->jobs; i++)
        json_array_append_new(jobs, json_pack("{s:s, s:o}", "name", profile->job[i].name, "options",
                                              options_json(&profile->job[i].options)));
    for (size_t i = 0; i < plan->skips; i++)
        json_array_append_new(
            skipped, json_pack("{s:s, s:s}", "cell", plan->skip[i].what, "reason", plan->skip[i].why));
    json_object_set_new(info, "schema", json_integer(RUN_SCHEMA));
    json_object_set_new(info, "id", json_string(id));
    json_object_set_new(info, "command", json_string(command));
    json_object_set_new(info, "profile", profile_json(profile));
    json_object_set_new(info, "options", options_json(&profile->global));
    json_object_set_new(info, "jobs", jobs);
    json_object_set_new(info, "machine", machine_describe());
    json_object_set_new(info, "build", build_json());
    json_object_set_new(info, "timers", timers_json(clock));
    json_object_set_new(info, "probe", json_pack("{s:o}", "events", counters_probe()));
    json_object_set_new(info, "conditions", json_pack("{s:o, s:n}", "before", conditions_now(), "after"));
    json_object_set_new(info, "keys", json_array());
    json_object_set_new(info, "maps", json_array());
    json_object_set_new(info, "engines", json_array());
    add_maps(info, plan);
    json_object_set_new(info, "executable", provenance_executable());
    json_object_set_new(info, "libraries", provenance_libraries());
    json_object_set_new(info, "units", provenance_units(plan));
    json_object_set_new(info, "warnings", json_array());
    json_object_set_new(info, "skipped", skipped);
    json_object_set_new(info, "started", json_string(utc_text(true, now)));
    json_object_set_new(info, "figures", json_null());
    json_object_set_new(info, "resumed", json_integer(0));
    json_object_set_new(info, "result_id", json_null());
    json_object_set_new(info, "doctor", doctor_record(info, clock, noise_seconds(plan, work_s), stop));
    return info;
}

bool runinfo_same_executable(const json_t *info, const json_t *before) {
    const json_t *now = json_object_get(json_object_get(info, "executable"), "sha256"),
                 *then = json_object_get(json_object_get(before, "executable"), "sha256");
    if (json_is_string(now) && json_is_string(then) && !json_equal(now, then)) return false;
    return json_equal(json_object_get(info, "units"), json_object_get(before, "units"));
}

double runinfo_resume(json_t *info, const json_t *before) {
    static const char *const beginnings[] = {"id", "command", "started", "keys"};
    for (size_t i = 0; i < COUNT_OF(beginnings); i++)
        if (json_object_get(before, beginnings[i]))
            json_object_set(info, beginnings[i], json_object_get(before, beginnings[i]));
    json_t *conditions = json_object_get(json_object_get(before, "conditions"), "before");
    if (conditions) json_object_set(json_object_get(info, "conditions"), "before", conditions);
    json_object_set_new(info, "resumed",
                        json_integer(json_integer_value(json_object_get(before, "resumed")) + 1));
    return json_number_value(json_object_get(before, "duration_s"));
}

bool runinfo_add_keys(json_t *info, const struct shape *shape, const struct keys_facts *f) {
    json_t *list = json_object_get(info, "keys"), *entry;
    size_t i;
    json_array_foreach(list, i,
                       entry) if (strcmp(json_string_value(json_object_get(entry, "name")), f->name) == 0 &&
                                  strcmp(json_string_value(json_object_get(entry, "shape")), shape->name) ==
                                      0) return strcmp(json_string_value(json_object_get(entry, "sha256")),
                                                       f->sha256) == 0;
    json_array_append_new(
        list, json_pack("{s:s, s:s, s:o, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "name", f->name,
                        "shape", shape->name, "limit",
                        f->limit == SIZE_MAX ? json_null() : json_integer((json_int_t)f->limit), "provenance",
                        f->provenance, "sha256", f->sha256, "files", (json_int_t)f->files, "files_skipped",
                        (json_int_t)f->files_skipped, "empty_lines", (json_int_t)f->empty_lines, "text_bytes",
                        (json_int_t)f->text_bytes, "duplicates", (json_int_t)f->duplicates, "with_nul",
                        (json_int_t)f->with_nul, "mean_key_bytes", f->mean_key_bytes));
    return true;
}

void runinfo_end(json_t *info, double duration_s, bool complete) {
    char now[24];
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    json_object_set_new(json_object_get(info, "conditions"), "after", conditions_now());
    json_object_set_new(info, "finished", json_string(utc_text(true, now)));
    json_object_set_new(info, "duration_s", json_real(duration_s));
    json_object_set_new(info, "complete", json_boolean(complete));
    /* The most this process ever held, maps and key text included: of a run of the baseline alone, the
     * harness. */
    json_object_set_new(info, "process_peak_bytes", json_integer((json_int_t)usage.ru_maxrss * 1024));
}

#include "harness/run/warnings.h"

#include <stdarg.h>
#include <string.h>

/* Above these a run is disturbed: a waiting task for a tenth of the time, a load beyond the program's own, a
 * share of CPU time stolen, memory left. */
static const double PRESSURE_MAX_PERCENT = 10, LOAD_MAX_ABOVE_OWN = 0.5, STEAL_MAX_TICKS = 50;
static const double MEMORY_MIN_BYTES = 1024.0 * 1024 * 1024;

static const struct {
    const char *id, *text, *advice;
} table[] = {
#define WARNING(id, text, advice) {#id, text, advice},
#include "harness/run/warnings.def"
#undef WARNING
};

void warnings_add(struct warnings *warnings, enum warning_id id, const char *format, ...) {
    warnings->of[id].raised = true;
    warnings->of[id].detail[0] = '\0';
    if (!format) return;
    va_list list;
    va_start(list, format);
    vsnprintf(warnings->of[id].detail, sizeof warnings->of[id].detail, format, list);
    va_end(list);
}

bool warnings_raised(const struct warnings *warnings, enum warning_id id) {
    return warnings->of[id].raised;
}

/* NULL: absent or null. */
static const char *text_of(const json_t *object, const char *name) {
    return json_string_value(json_object_get(object, name));
}

/* False: absent or null. */
static bool number_of(const json_t *object, const char *name, double *number) {
    const json_t *value = json_object_get(object, name);
    *number = json_number_value(value);
    return json_is_number(value);
}

static void warn_of_counters(struct warnings *warnings, const json_t *probe) {
    const char *hardware = text_of(probe, "cycles"), *software = text_of(probe, "context_switches");
    if (hardware && strncmp(hardware, "EACCES", 6) != 0 && strncmp(hardware, "EPERM", 5) != 0)
        warnings_add(warnings, WARNING_no_hardware_counters, "cycles: %s", hardware);
    const char *forbidden =
        hardware && !warnings_raised(warnings, WARNING_no_hardware_counters) ? hardware : software;
    if (forbidden && (strncmp(forbidden, "EACCES", 6) == 0 || strncmp(forbidden, "EPERM", 5) == 0))
        warnings_add(warnings, WARNING_counters_forbidden, "%s", forbidden);
}

void warnings_from_machine(struct warnings *warnings, const json_t *machine, const json_t *probe,
                           const char *unit_flags) {
    double number;
    const char *virtual_name = text_of(machine, "virtual"), *governor = text_of(machine, "governor");
    const char *thp = text_of(machine, "thp");
    warn_of_counters(warnings, probe);
    if (virtual_name) warnings_add(warnings, WARNING_virtual_machine, "%s", virtual_name);
    if (governor && strcmp(governor, "performance") != 0)
        warnings_add(warnings, WARNING_governor_not_performance, "governor %s", governor);
    if (thp && strcmp(thp, "always") == 0) warnings_add(warnings, WARNING_thp_always, NULL);
    if (number_of(machine, "aslr", &number) && number == 0) warnings_add(warnings, WARNING_aslr_off, NULL);
    if (number_of(machine, "cpu_quota", &number))
        warnings_add(warnings, WARNING_cpu_quota, "%.2f processors' worth of time", number);
    if (unit_flags && strstr(unit_flags, "-fsanitize="))
        warnings_add(warnings, WARNING_sanitized_build, NULL);
    if (unit_flags && !strstr(unit_flags, "-O2") && !strstr(unit_flags, "-O3"))
        warnings_add(warnings, WARNING_unoptimised_build, "%s", unit_flags);
}

static void warn_of_load(struct warnings *warnings, const json_t *conditions, const char *when,
                         double own_threads) {
    double load = 0, pressure = 0;
    number_of(conditions, "loadavg_1m", &load);
    /* The load still counts a build that ended a minute ago; where the kernel says how long tasks waited in
     * the last ten seconds, that alone decides. */
    bool by_pressure = number_of(conditions, "pressure_cpu_avg10", &pressure);
    if (by_pressure ? pressure > PRESSURE_MAX_PERCENT : load > own_threads + LOAD_MAX_ABOVE_OWN)
        warnings_add(warnings, WARNING_busy_machine,
                     "%s: load %.2f, tasks waiting for a processor %.0f %% of the time", when, load,
                     pressure);
}

void warnings_from_conditions(struct warnings *warnings, const json_t *before, const json_t *after,
                              unsigned own_threads) {
    double first, last;
    warn_of_load(warnings, before, "at the start", 0);
    if (!warnings_raised(warnings, WARNING_busy_machine))
        warn_of_load(warnings, after, "at the end", own_threads);
    if (number_of(before, "memory_available_bytes", &first) && first < MEMORY_MIN_BYTES)
        warnings_add(warnings, WARNING_low_memory, "%.0f MiB available", first / (1024 * 1024));
    if (number_of(before, "steal_ticks", &first) && number_of(after, "steal_ticks", &last) &&
        last - first > STEAL_MAX_TICKS)
        warnings_add(warnings, WARNING_noisy_steal, "%.1f s of CPU time", (last - first) / 100);
    if (number_of(before, "throttled_us", &first) && number_of(after, "throttled_us", &last) && last > first)
        warnings_add(warnings, WARNING_cpu_quota, "throttled for %.1f s during the run",
                     (last - first) / 1e6);
}

json_t *warnings_json(const struct warnings *warnings) {
    json_t *list = json_array();
    for (size_t i = 0; i < WARNING_COUNT; i++) {
        const char *detail = warnings->of[i].detail;
        if (!warnings->of[i].raised) continue;
        json_array_append_new(list, json_pack("{s:s, s:o, s:s}", "id", table[i].id, "text",
                                              detail[0] ? json_sprintf("%s (%s)", table[i].text, detail)
                                                        : json_string(table[i].text),
                                              "advice", table[i].advice));
    }
    return list;
}

void warnings_print(const struct warnings *warnings, FILE *out) {
    for (size_t i = 0; i < WARNING_COUNT; i++) {
        const char *detail = warnings->of[i].detail;
        if (!warnings->of[i].raised) continue;
        fprintf(out, "warning: %s%s%s%s: %s\n", table[i].text, detail[0] ? " (" : "", detail,
                detail[0] ? ")" : "", table[i].advice);
    }
}

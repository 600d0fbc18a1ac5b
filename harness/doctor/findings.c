#include "harness/doctor/findings.h"

#include <stdarg.h>
#include <string.h>

#include "harness/base/exit.h"

static const char *const states[] = {[FINDING_OK] = "ok", [FINDING_WARN] = "warn", [FINDING_NO] = "no"};

void finding_add(json_t *findings, const char *group, const char *name, enum finding_state state,
                 const char *meaning, const char *advice, const char *format, ...) {
    va_list args;
    va_start(args, format);
    json_array_append_new(findings, json_pack("{s:s, s:s, s:s, s:o, s:s, s:s?}", "group", group, "name", name,
                                              "state", states[state], "fact", json_vsprintf(format, args),
                                              "meaning", meaning, "advice", advice));
    va_end(args);
}

static const char *text_of(const json_t *object, const char *name) {
    return json_string_value(json_object_get(object, name));
}

/* The explanation of a finding, unless the one before has said the same. What is as it should be needs none;
 * --json has it. */
static void print_explanation(const json_t *finding, const json_t *before, FILE *out) {
    const char *advice = text_of(finding, "advice");
    if (before && strcmp(text_of(finding, "state"), text_of(before, "state")) == 0 &&
        strcmp(text_of(finding, "meaning"), text_of(before, "meaning")) == 0 &&
        json_equal(json_object_get(finding, "advice"), json_object_get(before, "advice")))
        return;
    if (strcmp(text_of(finding, "state"), "ok") != 0) fprintf(out, ": %s", text_of(finding, "meaning"));
    if (advice) fprintf(out, " -> %s", advice);
}

void findings_print(const json_t *findings, FILE *out) {
    const json_t *finding;
    const char *group = "";
    size_t i, width = 0;
    json_array_foreach(findings, i, finding) {
        size_t length = strlen(text_of(finding, "name"));
        if (length > width) width = length;
    }
    json_array_foreach(findings, i, finding) {
        bool first = strcmp(group, text_of(finding, "group")) != 0;
        group = text_of(finding, "group");
        if (first) fprintf(out, "%s%s\n", i ? "\n" : "", group);
        fprintf(out, "  %-4s  %-*s  %s", text_of(finding, "state"), (int)width, text_of(finding, "name"),
                text_of(finding, "fact"));
        print_explanation(finding, first ? NULL : json_array_get(findings, i - 1), out);
        fputc('\n', out);
    }
}

int findings_exit(const json_t *findings) {
    const json_t *finding;
    size_t i;
    json_array_foreach(findings, i,
                       finding) if (strcmp(text_of(finding, "name"), "time recorder") == 0 &&
                                    strcmp(text_of(finding, "state"), "no") == 0) return EXIT_CANNOT;
    return EXIT_OK;
}

/* Findings about what is installed: programs, Python's packages, real Go, libraries behind adapters. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/engines/engine.h"
#include "harness/doctor/findings.h"
#include "harness/base/python.h"
#include "harness/base/why.h"
#include "harness/plan/registry.h"

/* The path of a program, as a shell finds it. */
static bool in_path(const char *program, char *found, size_t size) {
    const char *path = getenv("PATH");
    for (const char *part = path ? path : "/usr/bin:/bin"; *part;) {
        size_t length = strcspn(part, ":");
        snprintf(found, size, "%.*s/%s", (int)length, part, program);
        if (length > 0 && access(found, X_OK) == 0) return true;
        part += length + (part[length] == ':');
    }
    return false;
}

static void finding_of_program(json_t *list, const char *program, const char *serves, const char *install) {
    char path[PATH_MAX];
    bool found = in_path(program, path, sizeof path);
    finding_add(list, "tools", program, found ? FINDING_OK : FINDING_NO, serves, found ? NULL : install, "%s",
                found ? "installed" : "not installed");
}

static void findings_of_engines(json_t *list) {
    for (size_t i = 0; i < engine_program_count(); i++) {
        struct engine_program engine;
        engine_program_describe(i, &engine);
        finding_add(list, "tools", engine.name, engine.reason ? FINDING_NO : FINDING_OK,
                    "maps of real Go beside their ports; nothing else needs it",
                    engine.reason ? "make engines" : NULL, "%s",
                    engine.reason ? engine.reason : engine.version);
    }
}

void findings_of_tools(json_t *list, bool all) {
    struct why why;
    finding_of_program(list, "perf", "--perf stat and --perf record", "make deps (linux-perf)");
    finding_of_program(list, "valgrind", "mapbench gate count: exact instruction counts, simulated misses",
                       "make deps (valgrind)");
    if (!all) return;
    finding_of_program(list, "gnuplot", "figures of a run", "make deps (gnuplot-nox)");
    const char *python = python_find(PYTHON_DRAWS, &why);
    finding_add(list, "tools", "python3", python ? FINDING_OK : FINDING_NO,
                "figures, the report, and every command that compares",
                python ? NULL : "make deps (python3-matplotlib python3-numpy python3-scipy)", "%s",
                python ? "has matplotlib, numpy and scipy" : why.text);
    findings_of_engines(list);
}

void findings_of_maps(json_t *list) {
    size_t ours = 0;
    for (size_t i = 0; i < registry_map_count(); i++) {
        const struct map_unit *unit = registry_map_unit(i);
        const char *package = unit->facts->package;
        if (!package || unit->engine) {
            ours += !unit->engine;
            continue;
        }
        finding_add(list, "maps", unit->map, unit->unavailable ? FINDING_NO : FINDING_OK,
                    unit->unavailable ? "its rows are missing; no other map needs it" : "can be measured",
                    unit->unavailable ? "make deps build" : NULL, "%s",
                    unit->unavailable ? unit->unavailable : package);
    }
    finding_add(list, "maps", "here", FINDING_OK, "those of this project need no library", NULL, "%zu maps",
                ours);
}

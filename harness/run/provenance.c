#include "harness/unit/build.h"
#include "harness/unit/load.h"
#include "harness/run/provenance.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build_info.h"
#include "harness/engines/process.h"
#include "harness/plan/registry.h"

static json_t *file_sha256(const char *path) {
    char hash[SHA256_DIGEST_STRING_LENGTH];
    return SHA256File(path, hash) ? json_string(hash) : json_null();
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

json_t *provenance_executable(void) {
    char path[PATH_MAX];
    struct stat facts;
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    bool known = length > 0 && stat("/proc/self/exe", &facts) == 0;
    return json_pack("{s:s, s:o, s:o}", "name", base_name(path), "bytes",
                     known ? json_integer((json_int_t)facts.st_size) : json_null(), "sha256",
                     file_sha256("/proc/self/exe"));
}

static int add_library(struct dl_phdr_info *object, size_t size, void *context) {
    char path[PATH_MAX];
    (void)size;
    /* The program itself has no name, the kernel's vdso no file. */
    if (!object->dlpi_name[0] || !realpath(object->dlpi_name, path)) return 0;
    const char *file = base_name(path), *version = strstr(file, ".so.");
    if (unit_is_object(path)) return 0; /* provenance_units says more of it */
    json_array_append_new(context, json_pack("{s:s, s:s, s:s?, s:o}", "name", base_name(object->dlpi_name),
                                             "file", file, "version", version ? version + 4 : NULL, "sha256",
                                             file_sha256(path)));
    return 0;
}

json_t *provenance_libraries(void) {
    json_t *libraries = json_array();
    dl_iterate_phdr(add_library, libraries);
    return libraries;
}

void provenance_add_engine(json_t *engines, const char *name) {
    char path[PATH_MAX];
    json_t *engine;
    size_t i;
    json_array_foreach(engines, i, engine) {
        if (strcmp(json_string_value(json_object_get(engine, "name")), name) == 0) return;
    }
    json_array_append_new(
        engines, json_pack("{s:s, s:o}", "name", name, "sha256",
                           engine_program_path(name, path, sizeof path) ? file_sha256(path) : json_null()));
}

/* --- loops --- */

static void add_loop(json_t *loops, struct workload_loop loop) {
    Dl_info object;
    char offset[32];
    if (!loop.run || json_object_get(loops, loop.name)) return;
    uintptr_t address = (uintptr_t)loop.run;
    if (!dladdr((void *)address, &object)) return;
    snprintf(offset, sizeof offset, "0x%zx", (size_t)(address - (uintptr_t)object.dli_fbase));
    json_object_set_new(loops, loop.name,
                        json_pack("{s:s, s:i}", "offset", offset, "mod64", (int)(address % 64)));
}

/* The entry of a unit, made when it is met first. */
static json_t *entry_of(json_t *units, const struct map_unit *unit) {
    json_t *entry;
    size_t i;
    json_array_foreach(units, i, entry) {
        if (strcmp(json_string_value(json_object_get(entry, "map")), unit->map) == 0 &&
            strcmp(json_string_value(json_object_get(entry, "shape")), unit->shape) == 0 &&
            strcmp(json_string_value(json_object_get(entry, "hash")), unit->hash) == 0 &&
            strcmp(json_string_value(json_object_get(entry, "heap")), unit->heap) == 0)
            return entry;
    }
    char name[UNIT_NAME_MAX];
    entry = json_pack("{s:s, s:s, s:s, s:s, s:o, s:{}}", "map", unit->map, "shape", unit->shape, "hash",
                      unit->hash, "heap", unit->heap, "sha256", file_sha256(unit_file(unit_name(unit, name))),
                      "loops");
    json_array_append_new(units, entry);
    return entry;
}

json_t *provenance_units(const struct plan *plan) {
    json_t *units = json_array();
    for (size_t i = 0; i < plan->cells; i++) {
        const struct cell *cell = &plan->cell[i];
        for (size_t u = 0; u < cell->units; u++) {
            const struct map_unit *unit = cell->unit[u];
            if (unit->engine) continue; /* its loops are in another process */
            json_t *loops = json_object_get(entry_of(units, unit), "loops");
            for (size_t w = 0; w < cell->workloads; w++)
                if (cell->wanted[u][w]) add_loop(loops, workload_loop(unit, cell->workload[w]));
        }
    }
    return units;
}

/* --- maps --- */

/* The number behind a word of the options' text, "7/8" or "0.75"; null where the word does not stand in it.
 */
static json_t *number_behind(const char *text, const char *word) {
    const char *found = strstr(text, word);
    if (!found) return json_null();
    found += strlen(word);
    char *end;
    double number = strtod(found, &end), divisor = 1;
    if (end == found) return json_null();
    if (*end == '/') divisor = strtod(end + 1, NULL);
    return divisor > 0 ? json_real(number / divisor) : json_null();
}

/* Looks a package up in BUILD_PACKAGES, "name=version name=version ...". */
static json_t *package_version(const char *package) {
    size_t length = strlen(package);
    for (const char *entry = BUILD_PACKAGES; *entry; entry += strspn(entry, " ")) {
        size_t whole = strcspn(entry, " ");
        if (strncmp(entry, package, length) == 0 && entry[length] == '=')
            return json_stringn(entry + length + 1, whole - length - 1);
        entry += whole;
    }
    return json_null();
}

void provenance_of_map(json_t *map, const char *name, const struct map_facts *facts) {
    const char *library = registry_map_library(name);
    json_object_set_new(map, "package", facts->package ? json_string(facts->package) : json_null());
    json_object_set_new(map, "library", library ? json_string(library) : json_null());
    json_object_set_new(map, "version",
                        facts->package ? package_version(library ? library : facts->package) : json_null());
    json_object_set_new(map, "max_load", number_behind(facts->options, "max load "));
    json_object_set_new(map, "growth", number_behind(facts->options, "growth x"));
}

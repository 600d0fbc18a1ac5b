#include "harness/retention/options.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/engines/engine.h"
#include "harness/heaps/gosim/gosim.h"
#include "harness/plan/options.h"
#include "harness/plan/registry.h"
#include "harness/retention/case_plan.h"
#include "harness/retention/retention.h"
#include "harness/retention/retain.h"
#include "harness/retention/units.h"
#include "harness/base/count_of.h"
#include "harness/base/exit.h"
#include "harness/base/go_release.h"
#include "harness/base/names.h"
#include "harness/base/why.h"
#include "harness/base/sizes.h"

enum {
    LABELS_MAX = 128, /* different ones, of all scenarios */
    LABEL_BYTES = 48,
};

bool retain_scenario_selected(const struct retain_options *o, const struct scenario *s) {
    for (size_t i = 0; i < o->scenarios; i++)
        if (names_select(o->scenario[i], s->name)) return true;
    return o->scenarios == 0;
}

static bool is_named(const struct retain_options *o, const char *name) {
    return (o->maps && names_has(o->maps, name)) || registry_name_of_release(o->releases, name);
}

bool retain_alias_selected(const struct retain_options *o, const struct map_alias *alias,
                           enum case_heap heap) {
    return heap == CASE_GOSIM && registry_map_release(alias->name) != registry_map_release(alias->map) &&
           is_named(o, alias->name);
}

int retain_release_of(const struct retain_options *o, const char *map, enum case_heap heap) {
    int release = map ? registry_map_release(map) : 0;
    return release || heap != CASE_GOSIM ? release : o->go;
}

bool retain_map_selected(const struct retain_options *o, const char *map, enum case_heap heap) {
    if (is_named(o, map)) return true;
    for (size_t i = 0; i < registry_alias_count(); i++) {
        const struct map_alias *alias = registry_alias(i);
        if (strcmp(alias->map, map) == 0 && is_named(o, alias->name) &&
            !retain_alias_selected(o, alias, heap))
            return true;
    }
    return !registry_map_is_version(map) && (o->maps || !o->releases) && names_select(o->maps, map);
}

/* The releases that a name of a map ends with, each once; "all" is one. */
static size_t known_releases(const char **known, size_t most) {
    size_t count = 0;
    known[count++] = "all";
    for (size_t i = 0; i < registry_map_count() + registry_alias_count(); i++) {
        const char *name =
            i < registry_map_count() ? registry_map_name(i) : registry_alias(i - registry_map_count())->name;
        const char *at = strchr(name, '@');
        size_t k = 0;
        while (at && k < count && strcmp(known[k], at + 1) != 0) k++;
        if (at && k == count && count < most) known[count++] = at + 1;
    }
    return count;
}

/* Takes one release of those that the collector is known of. */
static bool take_go(struct retain_options *o, const char *text, struct why *why) {
    o->go = gosim_releases[gosim_release_count - 1];
    if (!text) return true;
    if (strchr(text, ','))
        return why_say(why, "--go takes one release of Go such as 1.24, not '%s': run retain once for each",
                       text);
    for (size_t i = 0; i < gosim_release_count; i++)
        if (go_release_number(text) == gosim_releases[i]) return o->go = gosim_releases[i], true;
    return go_release_unknown(text, gosim_releases, gosim_release_count, why);
}

/* Two releases in place of --releases; of the maps named, which must be one, only that. */
static bool take_upgrade(struct retain_options *o, const char *text, struct why *why) {
    if (!text) return true;
    if (o->releases || o->assert_bounds)
        return why_say(why, "--upgrade goes without --%s", o->releases ? "releases" : "assert");
    if (!upgrade_read(&o->upgrade, text, o->maps, why)) return false;
    o->maps = NULL;
    o->releases = o->upgrade.releases;
    return true;
}

static bool check_names(const struct retain_options *o, struct why *why) {
    const char *heaps[CASE_HEAPS + 1], *maps[64], *engines[16], *releases[32],
        *scenarios[RETAIN_SCENARIOS_MAX], *variants[256];
    size_t map_count = retention_map_count(), engine_count = 0, scenario_names = 0, variant_count = 0;
    for (enum case_heap heap = 0; heap < CASE_HEAPS; heap++) heaps[heap] = case_heap_name(heap);
    for (size_t i = 0; i < map_count; i++) maps[i] = retention_map_name(i);
    for (size_t i = 0; i < registry_alias_count(); i++) maps[map_count++] = registry_alias(i)->name;
    engines[engine_count++] = "c";
    for (size_t i = 0; i < engine_program_count(); i++) engines[engine_count++] = engine_program_name(i);
    for (enum variant_role role = VARIANT_LEAKY; role <= VARIANT_REFERENCE; role++)
        variants[variant_count++] = role_name(role);
    for (size_t i = 0; i < scenario_count(); i++) {
        scenarios[scenario_names++] = scenario_at(i)->name;
        for (const struct variant *v = scenario_at(i)->variant; v->name && variant_count < 255; v++)
            variants[variant_count++] = v->name;
    }
    heaps[CASE_HEAPS] = maps[map_count++] = engines[engine_count++] = scenarios[scenario_names++] =
        variants[variant_count++] = "all";
    for (size_t i = 0; i < o->scenarios; i++)
        if (!names_check(o->scenario[i], "scenario", scenarios, scenario_names, why)) return false;
    return names_check(o->maps, "map", maps, map_count, why) &&
           names_check(o->releases, "release of Go", releases, known_releases(releases, COUNT_OF(releases)),
                       why) &&
           names_check(o->heaps, "heap", heaps, CASE_HEAPS + 1, why) &&
           names_check(o->engines, "engine", engines, engine_count, why) &&
           names_check(o->variant, "variant", variants, variant_count, why);
}

/* Labels of the selected scenarios that have a heap to look into. */
static size_t known_labels(const struct retain_options *o, char store[][LABEL_BYTES], const char **known) {
    size_t count = 0;
    for (size_t i = 0; i < scenario_count(); i++) {
        const struct scenario *s = scenario_at(i);
        if (!(s->heaps & ON_GOSIM) || !retain_scenario_selected(o, s)) continue;
        for (const char *at = s->labels; at && *at && count < LABELS_MAX;) {
            size_t item = strcspn(at, " "), k = 0;
            snprintf(store[count], LABEL_BYTES, "%.*s", (int)item, at);
            while (k < count && strcmp(store[k], store[count]) != 0) k++;
            if (k == count) known[count] = store[count], count++;
            at += item + (at[item] == ' ');
        }
    }
    return count;
}

/* After the names of scenarios are known to be right. */
static bool check_snapshots(const struct retain_options *o, struct why *why) {
    char store[LABELS_MAX][LABEL_BYTES];
    const char *known[LABELS_MAX + 2], *with = o->diff_from ? "snapshot-diff" : "snapshot-at";
    if (!o->snapshot && (o->snapshot_at || o->diff_from))
        return why_say(why, "--%s needs --snapshot DIR", with);
    size_t count = known_labels(o, store, known);
    for (const char *label = o->diff_from; label; label = label == o->diff_from ? o->diff_to : NULL) {
        size_t k = 0;
        while (k < count && strcmp(known[k], label) != 0) k++;
        if (k == count) return unknown_name("checkpoint", label, known, count, why);
    }
    known[count] = "verdict", known[count + 1] = "all";
    return names_check(o->snapshot_at, "checkpoint", known, count + 2, why);
}

static bool take_labels(struct retain_options *o, const char *text, struct why *why) {
    size_t first = strcspn(text, ",");
    const char *second = text[first] ? text + first + 1 : "";
    bool two = first > 0 && *second && !strchr(second, ',') && strlen(text) < sizeof o->diff_labels;
    if (!two || (strlen(second) == first && strncmp(text, second, first) == 0))
        return why_say(why, "--snapshot-diff takes two different labels such as fill,after, not '%s'", text);
    strcpy(o->diff_labels, text);
    o->diff_labels[first] = '\0';
    o->diff_from = o->diff_labels;
    o->diff_to = o->diff_labels + first + 1;
    return true;
}

bool retain_options_read(struct retain_options *o, const struct arguments *a, struct why *why) {
    const struct option_values *values = &a->options;
    const char *n = option_text(values, OPTION_RETAIN_N), *labels = option_text(values, OPTION_SNAPSHOT_DIFF);
    uint64_t limit_s = option_number(values, OPTION_RETAIN_LIMIT);
    struct sizes sizes;
    *o = (struct retain_options){
        .maps = values->text[OPTION_RETAIN_MAPS],
        .releases = values->text[OPTION_RELEASES],
        .heaps = values->text[OPTION_RETAIN_HEAP],
        .variant = values->text[OPTION_VARIANT],
        .engines = values->text[OPTION_ENGINE],
        .out = values->text[OPTION_OUT],
        .junit = values->text[OPTION_JUNIT],
        .snapshot = values->text[OPTION_SNAPSHOT],
        .snapshot_at = values->text[OPTION_SNAPSHOT_AT],
        .seed = option_number(values, OPTION_RETAIN_SEED),
        .limit_s = limit_s < UINT_MAX ? (unsigned)limit_s : UINT_MAX,
        .assert_bounds = values->text[OPTION_ASSERT] != NULL,
        .check = values->text[OPTION_CHECK] != NULL,
        .figures = names_has(option_text(values, OPTION_FIGURES), "yes"),
        .scenarios = a->words,
    };
    memcpy(o->scenario, a->word, a->words * sizeof *a->word);
    if (n[0] && sizes_parse(n, &sizes, why)) o->n = sizes.n[0];
    if (!take_go(o, values->text[OPTION_GO], why) || !take_upgrade(o, values->text[OPTION_UPGRADE], why))
        return false;
    if (values->text[OPTION_SNAPSHOT_DIFF] && !take_labels(o, labels, why)) return false;
    return check_names(o, why) && check_snapshots(o, why);
}

/* --- where the results go --- */

static bool holds_something(const char *path) {
    DIR *folder = opendir(path);
    struct stat status;
    size_t entries = 0;
    if (!folder) return stat(path, &status) == 0;
    while (entries < 3 && readdir(folder)) entries++;
    closedir(folder);
    return entries > 2; /* besides . and .. */
}

static bool out_is_free(const char *out, struct why *why) {
    char partial[PATH_MAX];
    size_t length = strlen(out);
    while (length > 1 && out[length - 1] == '/') length--;
    if (holds_something(out))
        return why_say(why, "%s exists and is not an empty folder: choose another --out", out);
    snprintf(partial, sizeof partial, "%.*s.partial", (int)length, out);
    if (access(partial, F_OK) != 0) return true;
    return why_say(why, "%s is left of an interrupted run: remove it, or choose another --out", partial);
}

/* False: errno says why. */
static bool snapshot_folder_ready(const char *path) {
    struct stat status;
    if (mkdir(path, 0777) != 0 && errno != EEXIST) return false;
    if (stat(path, &status) != 0) return false;
    if (!S_ISDIR(status.st_mode)) return errno = ENOTDIR, false;
    return access(path, W_OK | X_OK) == 0;
}

int retain_targets_check(const struct retain_options *o, struct why *why) {
    if (o->out && !out_is_free(o->out, why)) return EXIT_USAGE;
    if (o->snapshot && !snapshot_folder_ready(o->snapshot)) {
        why_errno(why, "write snapshots to", o->snapshot);
        return EXIT_CANNOT;
    }
    FILE *junit = o->junit ? fopen(o->junit, "a") : NULL;
    if (o->junit && !junit) {
        why_errno(why, "write", o->junit);
        return EXIT_CANNOT;
    }
    if (junit) fclose(junit);
    return EXIT_OK;
}

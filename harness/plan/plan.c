#include "harness/keys/keyspec.h"
#include "harness/plan/plan.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/keys/keys.h"
#include "harness/base/names.h"
#include "harness/plan/options.h"
#include "harness/plan/registry.h"
#include "harness/unit/load.h"
#include "harness/base/sizes.h"

struct expansion {
    struct plan *plan;
    const struct job *job;
    unsigned shard, shards;
    size_t seen; /* cells expanded, those of other shards included */
    regex_t filter;
    bool filtered;
    struct why why;
};

static void add_skip(struct plan *plan, const char *what, const char *why) {
    for (size_t i = 0; i < plan->skips; i++)
        if (strcmp(plan->skip[i].what, what) == 0 && strcmp(plan->skip[i].why, why) == 0) return;
    plan->skip = realloc(plan->skip, (plan->skips + 1) * sizeof *plan->skip);
    plan->skip[plan->skips++] = (struct plan_skip){strdup(what), strdup(why)};
}

static void skip(struct expansion *x, const char *what, const char *why) {
    add_skip(x->plan, what, why);
}

static bool map_selected(const struct option_values *options, const struct map_unit *unit) {
    bool adapter = unit->facts->traits & TRAIT_ADAPTER;
    const char *releases = option_text(options, OPTION_RUN_RELEASES);
    if (registry_map_of_release(releases, unit->map)) return true;
    if (*releases && !options->text[OPTION_MAPS]) return false;
    if (registry_map_named(option_text(options, OPTION_MAPS), unit->map)) return true;
    const char *group = unit->engine ? "engines" : adapter ? "adapters" : "ours";
    const char *versioned = registry_map_versioned(unit->map);
    if (versioned)
        return registry_map_of_library(option_text(options, OPTION_RUN_LIBS), unit->map) &&
               (registry_map_named(option_text(options, OPTION_MAPS), versioned) ||
                option_has(options, OPTION_MAPS, group));
    return !registry_map_is_version(unit->map) && option_has(options, OPTION_MAPS, group);
}

/* The units of a cell: the baseline, which every result is read against, then the selected maps. */
static void add_units(struct expansion *x, struct cell *cell) {
    for (size_t i = 0; i < registry_map_count(); i++) {
        const struct map_unit *any = registry_map_unit(i);
        bool baseline = any->facts->traits & TRAIT_BASELINE;
        if (!baseline && !map_selected(&x->job->options, any)) continue;
        const struct map_unit *unit = registry_find(any->map, cell->shape->name, cell->hash, cell->heap);
        char what[128];
        if (!unit) {
            snprintf(what, sizeof what, "%s with %s on %s", any->map, cell->shape->name, cell->heap);
            skip(x, what,
                 registry_find(any->map, cell->shape->name, cell->hash, "malloc")
                     ? "the map is not compiled for this heap"
                     : "the map does not have this shape");
        } else if (unit->unavailable) {
            skip(x, unit->map, unit->unavailable);
        } else if (cell->units < CELL_UNITS_MAX) {
            cell->unit[cell->units++] = unit;
        }
    }
}

const struct map_unit *cell_walked(const struct cell *cell, const struct map_unit *unit,
                                   const struct workload *workload) {
    if (!workload->map) return unit;
    return registry_find(registry_name_resolved(workload->map), cell->shape->name, cell->hash, cell->heap);
}

/* NULL, or why the map that a workload names cannot be walked. */
static const char *walked_fault(const struct cell *cell, const struct workload *workload) {
    const struct map_unit *walked = workload->map ? cell_walked(cell, NULL, workload) : NULL;
    if (!workload->map) return NULL;
    if (!walked) return "the map is not compiled for this shape and heap";
    if (walked->engine) return "a map of another process cannot be walked here";
    if (walked->facts->traits & TRAIT_BASELINE) return "the baseline has no entries to walk over";
    return walked->unavailable;
}

/* NULL, or why a workload cannot run with these keys. */
static const char *workload_fault(const struct cell *cell, const struct workload *workload,
                                  size_t available) {
    if (keys_skewed(cell->keys) && !workload_follows_skew(workload))
        return "touches each key once, so a skewed key stream would measure the same as uniform";
    if (available != SIZE_MAX && cell->n + workload_extra_keys(workload, cell->n) > available)
        return "the key set is too small: absent keys are needed besides the n present ones";
    return walked_fault(cell, workload);
}

/* Gives the names of workloads that name a map their places. */
static bool find_named(void *unused, const char *name) {
    (void)unused;
    workload_find(name);
    return true;
}

static void add_workloads(struct expansion *x, struct cell *cell, size_t available) {
    names_split(option_text(&x->job->options, OPTION_WORKLOADS), find_named, NULL);
    for (size_t i = 0; i < workload_count(); i++) {
        const struct workload *workload = workload_at(i);
        char what[256];
        if (workload->map ? !option_names(&x->job->options, OPTION_WORKLOADS, workload->name)
                          : !option_has(&x->job->options, OPTION_WORKLOADS, workload->name))
            continue;
        const char *fault = workload_fault(cell, workload, available);
        snprintf(what, sizeof what, "%s of %s, n %zu", workload->name, cell->keys, cell->n);
        if (fault)
            skip(x, what, fault);
        else if (cell->workloads < CELL_WORKLOADS_MAX)
            cell->workload[cell->workloads++] = workload;
    }
}

struct filtered {
    const struct expansion *x;
    const struct cell *cell;
    const struct workload *workload;
};

static bool filter_matches(void *context, const char *map) {
    const struct filtered *f = context;
    char size[24], text[256];
    snprintf(text, sizeof text, "%s/%s/%s/%s/n:%s", map, f->cell->shape->name, f->workload->name,
             f->cell->keys, size_text(f->cell->n, size));
    return regexec(&f->x->filter, text, 0, NULL, 0) == 0;
}

/* Whether the filter matches with any name of the map. */
static bool filter_leaves(const struct expansion *x, const struct cell *cell, const char *map,
                          const struct workload *workload) {
    struct filtered filtered = {x, cell, workload};
    return !x->filtered || registry_any_name(map, filter_matches, &filtered);
}

/* Whether a selected map that is unavailable here would have a part in the cell. */
static bool misses_a_map(const struct expansion *x, const struct cell *cell) {
    for (size_t i = 0; i < registry_map_count(); i++) {
        const struct map_unit *any = registry_map_unit(i), *unit;
        if (!map_selected(&x->job->options, any)) continue;
        unit = registry_find(any->map, cell->shape->name, cell->hash, cell->heap);
        for (size_t w = 0; unit && unit->unavailable && w < cell->workloads; w++)
            if (filter_leaves(x, cell, unit->map, cell->workload[w])) return true;
    }
    return false;
}

/* Marks what the filter leaves. The baseline is measured beside whatever is, but does not make a cell by
 * itself unless it is asked for by name. */
static bool apply_filter(struct expansion *x, struct cell *cell) {
    bool any = false;
    for (size_t w = 0; w < cell->workloads; w++) {
        bool any_map = false, baseline_matches = false;
        for (size_t u = 0; u < cell->units; u++) {
            bool has_loop = workload_of_engines(cell->workload[w]) || !cell->unit[u]->engine;
            char what[64];
            snprintf(what, sizeof what, "%s of real Go", cell->workload[w]->name);
            if (!has_loop) skip(x, what, "its engine has no such loop");
            bool matches = has_loop && filter_leaves(x, cell, cell->unit[u]->map, cell->workload[w]);
            cell->wanted[u][w] = matches;
            if (cell->unit[u]->facts->traits & TRAIT_BASELINE)
                baseline_matches =
                    matches && option_names(&cell->job->options, OPTION_MAPS, cell->unit[u]->map);
            else
                any_map |= matches;
        }
        cell->wanted[0][w] = any_map || baseline_matches;
        any |= cell->wanted[0][w];
    }
    return any;
}

static unsigned recorders(const struct option_values *options) {
    static const char *const names[] = {"time", "latency", "memory", "counters", "structure"};
    unsigned record = 0;
    for (unsigned i = 0; i < 5; i++)
        if (option_has(options, OPTION_RECORD, names[i])) record |= 1u << i;
    return record;
}

/* Workloads that have a budget are timed at several sizes, too. */
static void add_scaling(struct cell *cell) {
    cell->scale_all = option_names(&cell->job->options, OPTION_RECORD, "scaling");
    bool scales = cell->scale_all;
    for (size_t w = 0; w < cell->workloads; w++)
        scales |= (cell->record & RECORD_TIME) && workload_has_budget(cell->workload[w]);
    if (scales) cell->record |= RECORD_SCALING;
}

static bool add_cell(struct expansion *x, const struct shape *shape, const char *keys, size_t n,
                     const char *hash, const char *heap) {
    char size[24], what[200];
    size_t available = keys_available(keys, shape, &x->why);
    snprintf(what, sizeof what, "%s keys with %s", keys, shape->name);
    if (available == 0) {
        if (keyspec_user_path(keys)) return false; /* the user's own file: a fault, not a skip */
        skip(x, what, x->why.text);
        x->why.text[0] = '\0';
        return true;
    }
    struct cell cell = {
        .job = x->job, .shape = shape, .hash = hash, .heap = heap, .record = recorders(&x->job->options)};
    /* All of a finite set is all but an eighth of it: the rest are the misses. */
    cell.n = n != SIZE_ALL ? n : available - available / 8;
    if (n == SIZE_ALL && available == SIZE_MAX)
        return why_say(&x->why, "--n all: the %s keys have no end; give a number", keys);
    if (cell.n > available) {
        snprintf(what, sizeof what, "%s keys, n %s", keys, size_text(cell.n, size));
        why_say(&x->why, "only %zu distinct keys are there: use --n all or less", available);
        skip(x, what, x->why.text);
        x->why.text[0] = '\0';
        return true;
    }
    cell.keys = strdup(keys);
    add_units(x, &cell);
    add_workloads(x, &cell, available);
    add_scaling(&cell);
    x->plan->missing |= misses_a_map(x, &cell);
    if (!apply_filter(x, &cell) || x->seen++ % x->shards != x->shard) return free(cell.keys), true;
    if (asprintf(&cell.id, "%s/%s/%s/n:%s/%s/%s", x->job->name, shape->name, keys, size_text(cell.n, size),
                 hash, heap) < 0)
        abort();
    for (size_t i = 0; i < x->plan->cells; i++)
        if (strcmp(x->plan->cell[i].id, cell.id) == 0)
            return free(cell.keys), free(cell.id), true; /* asked for twice */
    x->plan->cell = realloc(x->plan->cell, (x->plan->cells + 1) * sizeof cell);
    x->plan->cell[x->plan->cells++] = cell;
    return true;
}

struct strings {
    size_t count;
    char *item[64];
};

static bool collect(void *context, const char *item) {
    struct strings *s = context;
    if (s->count == sizeof s->item / sizeof *s->item) return false;
    s->item[s->count++] = strdup(item);
    return true;
}

static bool split(const char *list, struct strings *out, struct why *why) {
    if (names_split(list, collect, out)) return true;
    return why_say(why, "more than %zu names in '%.40s...'", sizeof out->item / sizeof *out->item, list);
}

static void strings_free(struct strings *s) {
    for (size_t i = 0; i < s->count; i++) free(s->item[i]);
}

/* The static name behind a word the option table has already checked. */
static const char *heap_name(const char *word) {
#define HEAP(name, shapes, summary)                                                                          \
    if (strcmp(word, #name) == 0) return #name;
#include "harness/heaps/heaps.def"
#undef HEAP
    return "malloc";
}

/* The further names by which --releases asks for a map. */
struct other_names {
    const char *releases, *map;
    char text[256];
};

static bool add_name(void *context, const char *name) {
    struct other_names *other = context;
    const char *at = strchr(name, '@');
    size_t length = strlen(other->text);
    if (!at || strcmp(name, other->map) == 0 || !names_select(other->releases, at + 1)) return false;
    snprintf(other->text + length, sizeof other->text - length, "%s%s", length ? ", " : "", name);
    return false;
}

/* Says of releases that follow the rules of another that they are measured as that, once. */
static void say_same_releases(struct expansion *x) {
    struct other_names other = {.releases = option_text(&x->job->options, OPTION_RUN_RELEASES)};
    for (size_t i = 0; i < registry_map_count() && *other.releases; i++) {
        char why[128];
        other.map = registry_map_name(i);
        other.text[0] = '\0';
        registry_any_name(other.map, add_name, &other);
        snprintf(why, sizeof why, "the rules are those of %s, measured once under that name", other.map);
        if (other.text[0]) skip(x, other.text, why);
    }
}

static bool expand_job(struct expansion *x) {
    const struct option_values *o = &x->job->options;
    struct strings keys = {0}, heaps = {0};
    static const char *const hashes[] = {"common", "native"};
    struct sizes sizes;
    bool ok = sizes_parse(option_text(o, OPTION_N), &sizes, &x->why) &&
              split(option_text(o, OPTION_KEYS), &keys, &x->why) &&
              split(option_text(o, OPTION_HEAP), &heaps, &x->why);
    x->filtered = option_text(o, OPTION_FILTER)[0] != '\0';
    say_same_releases(x);
    if (x->filtered) regcomp(&x->filter, option_text(o, OPTION_FILTER), REG_EXTENDED | REG_NOSUB);
    for (size_t s = 0; ok && s < shape_count(); s++) {
        if (!option_has(o, OPTION_SHAPES, shape_at(s)->name)) continue;
        for (size_t k = 0; ok && k < keys.count; k++)
            for (size_t i = 0; ok && i < sizes.count; i++)
                for (size_t p = 0; ok && p < 2; p++)
                    for (size_t h = 0; ok && h < heaps.count; h++)
                        if (option_has(o, OPTION_HASH, hashes[p]))
                            ok = add_cell(x, shape_at(s), keys.item[k], sizes.n[i], hashes[p],
                                          heap_name(heaps.item[h]));
    }
    if (x->filtered) regfree(&x->filter);
    strings_free(&keys), strings_free(&heaps);
    return ok;
}

struct plan *plan_make(const struct profile *profile, struct why *why) {
    struct expansion x = {.plan = calloc(1, sizeof *x.plan)};
    sscanf(option_text(&profile->global, OPTION_SHARD), "%u/%u", &x.shard, &x.shards);
    for (size_t i = 0; i < profile->jobs; i++) {
        x.job = &profile->job[i];
        if (expand_job(&x)) continue;
        why_say(why, "%s", x.why.text);
        plan_free(x.plan);
        return NULL;
    }
    return x.plan;
}

/* Takes the units that became unavailable out of a cell. False: nothing wanted is left in it. */
static bool keep_available(struct plan *plan, struct cell *cell) {
    size_t kept = 0, before = cell->units;
    bool wanted = false;
    for (size_t u = 0; u < before; u++) {
        const struct map_unit *unit = cell->unit[u];
        if (unit->unavailable) {
            char name[UNIT_NAME_MAX];
            add_skip(plan, unit_name(unit, name), unit->unavailable);
            continue;
        }
        cell->unit[kept] = unit;
        memmove(cell->wanted[kept], cell->wanted[u], sizeof cell->wanted[u]);
        for (size_t w = 0; w < cell->workloads; w++)
            wanted |= cell->wanted[kept][w] && !(unit->facts->traits & TRAIT_BASELINE);
        kept++;
    }
    cell->units = kept;
    /* Nothing is read without the baseline. */
    if (kept == 0 || !(cell->unit[0]->facts->traits & TRAIT_BASELINE)) return false;
    return wanted || kept == before;
}

static size_t add_once(const struct map_unit **units, size_t count, const struct map_unit *unit) {
    for (size_t i = 0; i < count; i++)
        if (units[i] == unit) return count;
    units[count] = unit;
    return count + 1;
}

size_t plan_prepare(struct plan *plan) {
    size_t count = 0, kept = 0;
    const struct map_unit **units =
        calloc(plan->cells * (CELL_UNITS_MAX + CELL_WORKLOADS_MAX) + 1, sizeof *units);
    if (!units) abort();
    for (size_t i = 0; i < plan->cells; i++) {
        const struct cell *cell = &plan->cell[i];
        for (size_t u = 0; u < cell->units; u++) count = add_once(units, count, cell->unit[u]);
        for (size_t w = 0; w < cell->workloads; w++)
            if (cell->workload[w]->map)
                count = add_once(units, count, cell_walked(cell, NULL, cell->workload[w]));
    }
    size_t lost = registry_prepare(units, count);
    free(units);
    for (size_t i = 0; i < plan->cells && lost > 0; i++) {
        struct cell *cell = &plan->cell[i];
        if (keep_available(plan, cell))
            plan->cell[kept++] = *cell;
        else
            free(cell->keys), free(cell->id);
    }
    if (lost > 0) plan->cells = kept;
    return lost;
}

void plan_free(struct plan *plan) {
    if (!plan) return;
    for (size_t i = 0; i < plan->cells; i++) free(plan->cell[i].keys), free(plan->cell[i].id);
    for (size_t i = 0; i < plan->skips; i++) free(plan->skip[i].what), free(plan->skip[i].why);
    free(plan->cell), free(plan->skip);
    free(plan);
}

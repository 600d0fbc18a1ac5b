/* The hidden command pair-worker: its arguments, and what it prints. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "harness/base/count_of.h"
#include "harness/base/clock.h"
#include "harness/plan/options.h"
#include "harness/base/names.h"
#include "harness/pair/pair.h"
#include "harness/base/rng.h"
#include "harness/base/sizes.h"
#include "harness/base/why.h"

struct worker {
    struct pair_plan plan;
    const char *unit[PAIR_VARIANTS], *workload, *n;
    struct why why;
};

static bool parse_number(const char *text, double least, double most, double *out) {
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (end == text || *end || errno || !(value >= least && value <= most)) return false;
    *out = value;
    return true;
}

static bool add_placement(void *context, const char *item) {
    struct pair_plan *plan = context;
    return plan->rounds < PAIR_ROUNDS_MAX && pair_placement_find(item, &plan->placement[plan->rounds++]);
}

static bool add_link(struct pair_links *links, const char *file) {
    return links->count < PAIR_LINKS_MAX && (links->file[links->count++] = file);
}

static bool parse_seed(const char *text, uint64_t *out) {
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 0);
    return *text >= '0' && *text <= '9' && !*end && !errno && *out <= INT64_MAX; /* JSON has signed numbers */
}

static bool set_option(struct worker *w, const char *name, const char *text) {
    struct pair_plan *plan = &w->plan;
    double number = 0;
    const struct {
        const char *name, **to;
    } words[] = {{"base-unit", &w->unit[PAIR_BASE]},
                 {"new-unit", &w->unit[PAIR_NEW]},
                 {"workload", &w->workload},
                 {"keys", &plan->keys},
                 {"n", &w->n}};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strcmp(name, words[i].name) == 0) return *words[i].to = text, true;
    if (strcmp(name, "base") == 0) return add_link(&plan->links[PAIR_BASE], text);
    if (strcmp(name, "new") == 0) return add_link(&plan->links[PAIR_NEW], text);
    if (strcmp(name, "seed") == 0) return parse_seed(text, &plan->seed);
    if (strcmp(name, "placements") == 0)
        return plan->rounds = 0, names_split(text, add_placement, plan) && plan->rounds > 0;
    if (strcmp(name, "batches") == 0) {
        bool ok = parse_number(text, 1, PAIR_BATCHES_MAX, &number) && number == floor(number);
        return plan->batches = (unsigned)number, ok;
    }
    if (strcmp(name, "batch-us") == 0) return parse_number(text, 1, 1e6, &plan->batch_us);
    if (strcmp(name, "extra-percent") == 0) return parse_number(text, 0, 1000, &plan->extra_percent);
    return false;
}

static bool parse(struct worker *w, int argc, char **argv) {
    struct sizes sizes;
    for (int i = 1; i < argc; i += 2)
        if (strncmp(argv[i], "--", 2) != 0 || i + 1 == argc || !set_option(w, argv[i] + 2, argv[i + 1]))
            return why_say(&w->why, "'%s %s' is no option with a value that it can have", argv[i],
                           i + 1 == argc ? "" : argv[i + 1]);
    const struct pair_links *links = w->plan.links;
    if (!links[PAIR_BASE].count || !w->unit[PAIR_BASE] || !links[PAIR_NEW].count || !w->unit[PAIR_NEW] ||
        !w->workload || !w->n)
        return why_say(
            &w->why,
            "it takes --base FILE ... --base-unit UNIT --new FILE ... --new-unit UNIT --workload W --n N");
    if (!(w->plan.workload = workload_find(w->workload))) {
        const char *names[64];
        for (size_t i = 0; i < workload_count() && i < 64; i++) names[i] = workload_at(i)->name;
        return unknown_name("workload", w->workload, names, workload_count(), &w->why);
    }
    if (!sizes_parse(w->n, &sizes, &w->why)) return false;
    if (sizes.count != 1 || sizes.n[0] == SIZE_ALL || sizes.n[0] == 0)
        return why_say(&w->why, "--n %s: one number of entries", w->n);
    w->plan.n = sizes.n[0];
    return true;
}

/* In random order: the loader maps one object above the other. */
static enum exit_code load(struct worker *w) {
    uint64_t rng = rng_derive(w->plan.seed, 1);
    unsigned first = (unsigned)rng_below(&rng, PAIR_VARIANTS);
    const struct pair_links *links = w->plan.links;
    bool same = pair_same_file(links[PAIR_BASE].file[0], links[PAIR_NEW].file[0]);
    for (unsigned i = 0; i < PAIR_VARIANTS; i++) {
        unsigned which = i ? !first : first;
        enum exit_code code =
            pair_load(&w->plan.object[which], links[which].file[0], w->unit[which], same, &w->why);
        if (code != EXIT_OK) return code;
    }
    const struct map_unit *base = w->plan.object[PAIR_BASE].unit, *new = w->plan.object[PAIR_NEW].unit;
    if (strcmp(base->shape, new->shape) == 0) return EXIT_OK;
    why_say(&w->why, "the shapes differ, %s and %s: there are no keys for both", base->shape, new->shape);
    return EXIT_USAGE;
}

/* Objects stay loaded: code of theirs may be registered to run at the end. */
int pair_worker(int argc, char **argv) {
    struct worker w = {.plan = {.keys = "uniform",
                                .seed = 1,
                                .rounds = 3,
                                .placement = {PAIR_FREE, PAIR_SHAKE, PAIR_REBUILD},
                                .batches = 24,
                                .batch_us = 1000}};
    json_t *out = NULL;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* no orphan goes on measuring */
    enum exit_code code = parse(&w, argc, argv) ? load(&w) : EXIT_USAGE;
    if (code == EXIT_OK) w.plan.ns_per_tick = clock_calibrate().ns_per_tick;
    if (code == EXIT_OK) out = pair_measure(&w.plan, &code, &w.why);
    if (!out) {
        fprintf(stderr, "mapbench: pair-worker: %s\n", w.why.text);
        return code;
    }
    bool written =
        json_dumpf(out, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9)) == 0 && putchar('\n') != EOF;
    json_decref(out);
    return written ? EXIT_OK : EXIT_CANNOT; /* main says why */
}

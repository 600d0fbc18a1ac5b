/* The scaling recorder: one workload at several sizes, and the power of n that its time per operation grows
 * with. An instrument for cliffs: where a map turns slow the exponent is the finding, not the nanoseconds.
 *
 * Many cliffs show at some loads only, and at sizes a power of two apart a map has the same load each time.
 * So a STEP is an octave: several sizes from n down to half of it, of which the slowest counts. Steps are
 * measured from the smallest on. All but that one share a budget of processor time; where it is spent, the
 * steps done so far stand.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/rng.h"
#include "harness/base/stats.h"
#include "harness/base/why.h"
#include "harness/measure/measure.h"
#include "harness/measure/row.h"

enum {
    STEPS_MOST = 4,
    STEP_FACTOR = 4,
    STEP_LEAST = 16, /* entries */
    OCTAVE = 4,      /* sizes of a step */
    SIZES_MOST = STEPS_MOST * OCTAVE,
    BATCHES = 2,
};

/* Segments of which the clock of processors, which no other work disturbs, is fine enough for an exponent. */
static const double cpu_clock_least_ns = 5e3;

/* A cell's sizes, the smallest first, each with the cell as it would be of that size. The last is the cell
 * itself. */
struct sizes_of_cell {
    size_t count;
    struct cell cell[SIZES_MOST];
    struct keys *keys[SIZES_MOST];
};

/* One map doing one workload. */
struct scaling {
    struct batching batching[SIZES_MOST];
    double *round_ns[SIZES_MOST]; /* fastest batch of each round: other work makes it slower, never faster */
    size_t rounds[SIZES_MOST];
    size_t sizes; /* that the budget paid for in the first round */
    bool given_up;
    double spent_s; /* of the budget */
    struct why why; /* why it could not be measured at all */
};

/* The n that a step is named after: the largest. */
static size_t step_n(const struct sizes_of_cell *sizes, size_t step) {
    return sizes->cell[step * OCTAVE + OCTAVE - 1].n;
}

static bool open_sizes(const struct cell *cell, struct keys *keys, struct sizes_of_cell *out,
                       struct why *why) {
    size_t steps = 1, n = cell->n;
    for (; steps < STEPS_MOST && n / STEP_FACTOR >= STEP_LEAST; steps++) n /= STEP_FACTOR;
    for (out->count = 0; out->count < steps * OCTAVE; out->count++) {
        size_t s = out->count, down = OCTAVE - 1 - s % OCTAVE;
        if (s > 0 && s % OCTAVE == 0) n = cell->n >> (2 * (steps - 1 - s / OCTAVE));
        out->cell[s] = *cell;
        out->cell[s].n = (size_t)((double)n * exp2(-(double)down / OCTAVE));
        if (out->cell[s].n < 1) out->cell[s].n = 1;
        out->keys[s] = out->cell[s].n == cell->n
                           ? keys
                           : keys_open(cell->keys, cell->shape, out->cell[s].n,
                                       option_number(&cell->job->options, OPTION_SEED), why);
        if (!out->keys[s]) return false;
    }
    return true;
}

static void close_sizes(struct sizes_of_cell *sizes, const struct keys *own) {
    for (size_t s = 0; s < sizes->count; s++)
        if (sizes->keys[s] != own) keys_close(sizes->keys[s]);
}

static double cpu_s(void) {
    return (double)clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) * 1e-9;
}

/* What a size may take: the limit; and, but for the smallest step, what is left of the budget. */
static void set_deadline(struct bench *b, const struct scaling *of, size_t s) {
    double left = strtod(option_text(&b->cell->job->options, OPTION_BUDGET), NULL) - of->spent_s;
    measure_deadline(b);
    if (s < OCTAVE || left >= (double)option_number(&b->cell->job->options, OPTION_LIMIT)) return;
    b->deadline = deadline_in(left > 0 ? left : 0, clock_read_ns(CLOCK_PROCESS_CPUTIME_ID));
    b->deadline_option = OPTION_BUDGET;
}

/* One size in one round. False: no more of this map's workload in this round. */
static bool measure_size(struct measure *m, const struct sizes_of_cell *sizes, size_t u,
                         const struct workload *workload, size_t round, size_t s, struct scaling *of) {
    const struct cell *cell = &sizes->cell[s];
    uint64_t seed = option_number(&cell->job->options, OPTION_SEED);
    double fastest = INFINITY, begun = cpu_s();
    unsigned samples = 0;
    struct bench b;
    struct batch batch;
    measure_bench(m, &b, cell, u, sizes->keys[s], rng_derive(seed, 100 + round));
    b.verify = round == 0;
    if (round == 0) bench_rewind(&b, workload, seed);
    set_deadline(&b, of, s);
    bool ok = round == 0 ? bench_calibrate(&b, workload, &of->batching[s])
                         : of->batching[s].most < BATCHES || bench_warm_up(&b, workload);
    b.verify = false;
    unsigned most = of->batching[s].most < BATCHES ? of->batching[s].most : BATCHES;
    for (; ok && samples < most; samples += ok) {
        ok = bench_batch(&b, workload, of->batching[s].ops, of->batching[s].clock, &batch);
        if (!ok) break;
        fastest = fmin(fastest, batch.ns / (double)batch.ops);
        if (batch.ns > cpu_clock_least_ns * (double)batch.segments)
            of->batching[s].clock = BENCH_CLOCK_THREAD_CPU;
    }
    if (s >= OCTAVE) of->spent_s += cpu_s() - begun;
    if (samples > 0) of->round_ns[s][of->rounds[s]++] = fastest;
    if (samples > 0 && round == 0) of->sizes = s + 1;
    if (!ok && b.late && b.deadline_option == OPTION_BUDGET) {
        of->given_up |= round == 0 && samples == 0;
    } else if (!ok) {
        why_say(&of->why, "%s", b.why);
        measure_failed(m, &b);
    }
    bench_end(&b);
    return ok;
}

/* The least squares line through the logarithms of the steps' n and times. The interval is the wider of two:
 * of the slope of that line, which says how well a power describes the steps, and of the slopes of the
 * rounds, which says how well they were measured. */
struct power {
    double exponent, low, high; /* the interval is NAN where neither can be had */
};

static double slope_of(const double *x, const double *y, size_t count, double *error) {
    double mean_x = 0, mean_y = 0, xx = 0, xy = 0, squares = 0;
    for (size_t i = 0; i < count; i++) mean_x += x[i] / (double)count, mean_y += y[i] / (double)count;
    for (size_t i = 0; i < count; i++)
        xx += (x[i] - mean_x) * (x[i] - mean_x), xy += (x[i] - mean_x) * (y[i] - mean_y);
    for (size_t i = 0; i < count; i++) {
        double off = y[i] - mean_y - xy / xx * (x[i] - mean_x);
        squares += off * off;
    }
    if (error) *error = count > 2 ? sqrt(squares / (double)(count - 2) / xx) : NAN;
    return xy / xx;
}

/* The slowest size of a step: of all rounds, or of one. */
struct slowest {
    double ns;
    size_t n;
};

static const size_t ALL_ROUNDS = SIZE_MAX;

static struct slowest slowest(const struct sizes_of_cell *sizes, const struct scaling *of, size_t step,
                              size_t round) {
    struct slowest found = {-1, 0};
    for (size_t s = step * OCTAVE; s < (step + 1) * OCTAVE; s++) {
        double ns =
            round == ALL_ROUNDS ? stats_median(of->round_ns[s], of->rounds[s]) : of->round_ns[s][round];
        if (ns > found.ns) found = (struct slowest){ns, sizes->cell[s].n};
    }
    return found;
}

/* Rounds in which all sizes of these steps were measured. */
static size_t whole_rounds(const struct scaling *of, size_t steps) {
    size_t rounds = of->rounds[0];
    for (size_t s = 0; s < steps * OCTAVE; s++)
        if (of->rounds[s] < rounds) rounds = of->rounds[s];
    return rounds;
}

static bool fit(const struct sizes_of_cell *sizes, const struct scaling *of, struct power *out) {
    double x[STEPS_MOST], y[STEPS_MOST], error, half = 0, mean = 0, squares = 0;
    size_t steps = of->sizes / OCTAVE, rounds = whole_rounds(of, steps);
    if (steps < 2) return false;
    for (size_t i = 0; i < steps; i++) {
        x[i] = log((double)step_n(sizes, i));
        y[i] = log(slowest(sizes, of, i, ALL_ROUNDS).ns);
    }
    out->exponent = slope_of(x, y, steps, &error);
    if (steps > 2) half = stats_t975(steps - 2) * error;
    double *slope = calloc(rounds + 1, sizeof *slope);
    if (!slope) abort();
    for (size_t r = 0; r < rounds; r++) {
        for (size_t i = 0; i < steps; i++) y[i] = log(slowest(sizes, of, i, r).ns);
        slope[r] = slope_of(x, y, steps, NULL);
        mean += slope[r] / (double)rounds;
    }
    for (size_t r = 0; r < rounds; r++) squares += (slope[r] - mean) * (slope[r] - mean);
    free(slope);
    if (rounds > 1)
        half = fmax(half, stats_t975(rounds - 1) * sqrt(squares / (double)(rounds - 1) / (double)rounds));
    if (steps == 2 && rounds < 2) half = NAN;
    out->low = out->exponent - half, out->high = out->exponent + half;
    return true;
}

static json_t *scaling_row(const struct cell *cell, const struct sizes_of_cell *sizes, size_t u,
                           const struct workload *workload, const struct keys *keys,
                           const struct scaling *of) {
    json_t *row = measure_row("scaling", cell, u, workload->name, keys), *points = json_array();
    struct power power;
    size_t steps = of->sizes / OCTAVE;
    if (of->why.text[0]) return json_decref(points), row_error(row, of->why.text), row;
    for (size_t i = 0; i < steps; i++) {
        struct slowest worst = slowest(sizes, of, i, ALL_ROUNDS);
        json_array_append_new(
            points, json_pack("[I,f,I]", (json_int_t)step_n(sizes, i), worst.ns, (json_int_t)worst.n));
    }
    row_set(row, "points", points);
    bool fitted = fit(sizes, of, &power);
    row_set(row, "exponent", fitted ? json_number_or_null(power.exponent) : json_null());
    row_set(row, "exponent_ci95",
            fitted && isfinite(power.low) ? json_pack("[f,f]", power.low, power.high) : json_null());
    row_set(row, "given_up_at", of->given_up ? json_integer((json_int_t)step_n(sizes, steps)) : json_null());
    row_set(row, "budget_s", json_real(strtod(option_text(&cell->job->options, OPTION_BUDGET), NULL)));
    row_set(row, "rounds", json_integer((json_int_t)whole_rounds(of, steps)));
    return row;
}

static bool scales(const struct cell *cell, size_t w) {
    return cell->scale_all || workload_has_budget(cell->workload[w]);
}

static json_t *scaling_rows(const struct cell *cell, const struct sizes_of_cell *sizes,
                            const struct keys *keys, struct scaling (*of)[CELL_WORKLOADS_MAX]) {
    json_t *rows = json_array();
    for (size_t w = 0; w < cell->workloads; w++)
        for (size_t u = 0; u < cell->units; u++)
            if (cell->wanted[u][w] && scales(cell, w) && !(cell->unit[u]->facts->traits & TRAIT_BASELINE))
                json_array_append_new(rows, scaling_row(cell, sizes, u, cell->workload[w], keys, &of[u][w]));
    return rows;
}

/* One map in one round, the sizes of a workload one after another. */
static void measure_map(struct measure *m, const struct sizes_of_cell *sizes, size_t u, size_t round,
                        struct scaling *of) {
    const struct cell *cell = &sizes->cell[sizes->count - 1];
    for (size_t w = 0; w < cell->workloads; w++) {
        size_t most = round == 0 ? sizes->count : of[w].sizes / OCTAVE * OCTAVE;
        if (!cell->wanted[u][w] || !scales(cell, w)) continue;
        for (size_t s = 0; s < most && !*m->interrupted && !of[w].why.text[0]; s++)
            if (!measure_size(m, sizes, u, cell->workload[w], round, s, &of[w])) break;
    }
}

json_t *measure_scaling(struct measure *m, const struct cell *cell, struct keys *keys, json_t *gbench) {
    size_t rounds = option_number(&cell->job->options, OPTION_REPEAT);
    uint64_t rng = rng_derive(option_number(&cell->job->options, OPTION_SEED), 11);
    struct scaling(*of)[CELL_WORKLOADS_MAX] = calloc(cell->units, sizeof *of);
    struct sizes_of_cell *sizes = calloc(1, sizeof *sizes);
    struct why why = {""};
    (void)gbench;
    if (!of || !sizes) abort();
    bool ok = open_sizes(cell, keys, sizes, &why);
    for (size_t u = 0; u < cell->units; u++)
        for (size_t w = 0; w < cell->workloads; w++) {
            if (!ok)
                why_say(&of[u][w].why, "the keys of a smaller size cannot be had: %s", why.text),
                    m->unmeasured++;
            for (size_t s = 0; s < sizes->count; s++) of[u][w].round_ns[s] = calloc(rounds, sizeof(double));
        }
    for (size_t round = 0; ok && round < rounds && !*m->interrupted; round++) {
        size_t order[CELL_UNITS_MAX];
        for (size_t u = 0; u < cell->units; u++) {
            size_t j = rng_below(&rng, u + 1); /* shuffles as it fills */
            order[u] = order[j], order[j] = u;
        }
        for (size_t u = 0; u < cell->units && !*m->interrupted; u++)
            if (!(cell->unit[order[u]]->facts->traits & TRAIT_BASELINE))
                measure_map(m, sizes, order[u], round, of[order[u]]);
    }
    json_t *rows = *m->interrupted ? NULL : scaling_rows(cell, sizes, keys, of);
    for (size_t u = 0; u < cell->units; u++)
        for (size_t w = 0; w < cell->workloads; w++)
            for (size_t s = 0; s < SIZES_MOST; s++) free(of[u][w].round_ns[s]);
    close_sizes(sizes, keys);
    free(of), free(sizes);
    return rows;
}

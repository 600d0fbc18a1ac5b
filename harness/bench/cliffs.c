/* Workloads that maps are known to turn slow in: their time per operation may grow with the map. */
#include "harness/bench/workloads.h"

static size_t smaller(uint64_t a, uint64_t b) {
    return (size_t)(a < b ? a : b);
}

/* Every map removes the same entries, each in the order of its own walk, so only the sum over all is known.
 */
bool bench_drain(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    size_t n = b->cell->n;
    (void)workload;
    while (out->ops < ops) {
        uint64_t sum = 0;
        if (!bench_build(b)) return false;
        b->state = BENCH_WORN;
        if (b->recorder) b->recorder->capacity = b->unit->op.capacity(b->map);
        for (size_t done = 0, count; done < n; done += count) {
            count = smaller(n - done, BENCH_STRIP);
            struct run_args args = {.n = count, .recorder = b->recorder};
            sum += bench_segment(b, b->recorder ? b->unit->run.drain_timed : b->unit->run.drain, b->map,
                                 &args, count, out);
            if (bench_late(b)) return false;
        }
        if (!bench_is_baseline(b)) {
            size_t len = b->unit->op.len(b->map);
            if (len != 0) return bench_wrong(b, "the length after draining", len, 0);
            if (sum != bench_full_sum(b))
                return bench_wrong(b, "the sum over drained entries", sum, bench_full_sum(b));
        }
        bench_drop_map(b);
    }
    return true;
}

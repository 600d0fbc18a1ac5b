/* Findings about noise: what the time recorder sees when a map is compared with itself. */
#include <math.h>

#include "harness/doctor/findings.h"

/* Limits of a quiet machine; then of one on which rows get marked unstable. */
static const double sd_most_percent = 1.5, floor_most_percent = 1, floor_hopeless_percent = 5;
static const double preempted_most = 0.05, cpu_per_wall_least = 0.9;
/* Share of the processor's time. */
static const double steal_most = 0.01;

/* The advice where the machine is busy. */
static const char quieter[] = "stop what runs beside, or take more rounds (--repeat)";

static void finding_of_spread(json_t *list, const struct noise *n) {
    if (!isfinite(n->sd_percent) || !isfinite(n->aa_percent)) {
        finding_add(list, "noise", "A/A spread", FINDING_NO, "no batch and its neighbours ran undisturbed",
                    quieter, "unknown: too few batches to say, %zu of %zu ran undisturbed", n->used,
                    n->batches);
        return;
    }
    bool quiet = n->sd_percent <= sd_most_percent;
    finding_add(list, "noise", "A/A spread", quiet ? FINDING_OK : FINDING_WARN,
                quiet ? "what a quiet machine shows" : "more than a quiet machine shows",
                quiet ? NULL : quieter,
                "a batch differs from its neighbours by %.2f %% (standard deviation), A from B by %+.2f %%",
                n->sd_percent, n->aa_percent);
}

static void finding_of_floor(json_t *list, const struct noise *n) {
    const char *advice =
        "stop what runs beside; or compare by mapbench compare, which repeats until it can tell";
    if (!isfinite(n->floor_percent)) {
        finding_add(list, "noise", "floor", FINDING_NO,
                    "too few batches ran undisturbed to say what is noise", advice,
                    "unknown: too few batches to say, %zu rounds of %d", n->rounds, NOISE_ROUND);
        return;
    }
    finding_add(list, "noise", "floor",
                n->floor_percent <= floor_most_percent       ? FINDING_OK
                : n->floor_percent <= floor_hopeless_percent ? FINDING_WARN
                                                             : FINDING_NO,
                "smaller differences between two maps in one process are noise; between processes add their "
                "placement",
                n->floor_percent <= floor_most_percent ? NULL : advice,
                "99 %% of rounds of %d batches of the same differ by less than %.2f %%", NOISE_ROUND,
                n->floor_percent);
}

void findings_of_noise(json_t *list, const struct noise *n, const char *why) {
    if (!n) {
        finding_add(list, "noise", "time recorder", FINDING_NO, "no times can be measured here", NULL, "%s",
                    why);
        return;
    }
    finding_add(list, "noise", "time recorder", FINDING_OK, "times can be measured", NULL,
                "%zu batches of %.2f ms in %.1f s", n->batches, n->batch_us * 1e-3, n->seconds);
    finding_of_spread(list, n);
    finding_of_floor(list, n);
    bool preempted = n->preempted_share > preempted_most, starved = n->cpu_per_wall < cpu_per_wall_least;
    finding_add(list, "noise", "preempted", preempted ? FINDING_WARN : FINDING_OK,
                "batches in which the thread was put aside; rows with more than 25 % are marked unstable",
                preempted ? "stop what runs beside" : NULL, "%.1f %% of the batches",
                n->preempted_share * 100);
    finding_add(list, "noise", "CPU per wall time", starved ? FINDING_WARN : FINDING_OK,
                "below 1 the thread waited for a processor; rows below 0.90 are marked unstable",
                starved ? "stop what runs beside" : NULL, "%.2f", n->cpu_per_wall);
    bool stolen = n->steal_ticks > 100 * steal_most * n->seconds + 1;
    finding_add(list, "noise", "steal", stolen ? FINDING_WARN : FINDING_OK,
                stolen
                    ? "the hypervisor gave the processors to others"
                    : "that none is seen does not say that there is no neighbour: look at CPU per wall time",
                stolen ? "measure when the host is quieter" : NULL,
                n->steal_ticks < 0 ? "the kernel does not say" : "%.2f s meanwhile, of all processors",
                (double)n->steal_ticks / 100);
}

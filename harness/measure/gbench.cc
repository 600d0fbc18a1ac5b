#include "harness/measure/gbench.h"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <sstream>
#include <string>

struct gbench_state {
    benchmark::State *state;
    benchmark::IterationCount ops_per_batch;
    bool failed;
};

extern "C" bool gbench_next(struct gbench_state *s) {
    return !s->failed && s->state->KeepRunningBatch(s->ops_per_batch);
}

extern "C" void gbench_time(struct gbench_state *s, double seconds) {
    s->state->SetIterationTime(seconds);
}

extern "C" void gbench_error(struct gbench_state *s, const char *message) {
    s->failed = true;
    s->state->SkipWithError(message);
}

namespace {

void initialize_once() {
    static bool done = [] {
        /* Its options may also come from BENCHMARK_* in the environment; a run says all of its own on the
         * command line. */
        static const char *const options[] = {"mapbench",
                                              "--benchmark_filter=all",
                                              "--benchmark_repetitions=1",
                                              "--benchmark_list_tests=false",
                                              "--benchmark_enable_random_interleaving=false",
                                              "--benchmark_report_aggregates_only=false",
                                              "--benchmark_display_aggregates_only=false",
                                              "--benchmark_out=",
                                              "--benchmark_perf_counters=",
                                              "--benchmark_time_unit=",
                                              nullptr};
        static char *argv[sizeof options / sizeof *options];
        int argc = static_cast<int>(sizeof options / sizeof *options) - 1;
        for (int i = 0; i < argc; i++) argv[i] = strdup(options[i]);
        benchmark::Initialize(&argc, argv);
        return true;
    }();
    (void)done;
}

} // namespace

extern "C" char *gbench_run(const char *name, uint64_t ops_per_batch, unsigned batches, gbench_body *body,
                            void *context, struct why *why) {
    try {
        initialize_once();
        std::ostringstream json, log;
        benchmark::JSONReporter reporter;
        reporter.SetOutputStream(&json);
        reporter.SetErrorStream(&log);
        auto ops = static_cast<benchmark::IterationCount>(ops_per_batch);
        benchmark::RegisterBenchmark(name,
                                     [=](benchmark::State &state) {
                                         gbench_state s = {&state, ops, false};
                                         body(&s, context);
                                     })
            ->UseManualTime()
            ->Repetitions(1)
            ->Iterations(ops * static_cast<benchmark::IterationCount>(batches));
        size_t ran = benchmark::RunSpecifiedBenchmarks(&reporter);
        benchmark::ClearRegisteredBenchmarks();
        if (ran == 1) return strdup(json.str().c_str());
        why_say(why, "Google Benchmark ran %zu benchmarks instead of %s", ran, name);
    } catch (const std::exception &e) {
        benchmark::ClearRegisteredBenchmarks();
        why_say(why, "Google Benchmark: %s", e.what());
    }
    return nullptr;
}

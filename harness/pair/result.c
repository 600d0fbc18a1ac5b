/* The result that pair-worker prints (harness/pair/pair.h). */
#include "harness/pair/result.h"

#include <stdio.h>
#include <sys/resource.h>

#include "harness/base/clock.h"
#include "harness/machine/conditions.h"

/* The loop's address within its file, which the loader moves by whole pages. */
static json_t *describe(const struct unit_object *object, const struct workload *workload) {
    struct workload_loop loop = workload_loop(object->unit, workload);
    char address[32], mod64[32];
    uintptr_t at = (uintptr_t)loop.run - object->load_address;
    snprintf(address, sizeof address, "0x%llx", (unsigned long long)at);
    snprintf(mod64, sizeof mod64, "%s_mod64", loop.name);
    return json_pack("{s:s, s:s, s:{s:s, s:i}}", "unit", object->name, "file", object->file, "hot", loop.name,
                     address, mod64, (int)(at % 64));
}

struct pair_usage pair_usage_now(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (struct pair_usage){thread_cpu_ns(), wall_ns(), usage.ru_nivcsw, conditions_now()};
}

json_t *pair_result(const struct pair_plan *plan, const struct pair_batches *batches,
                    const struct pair_usage *before, const struct pair_usage *after) {
    json_t *steal_before = json_object_get(before->conditions, "steal_ticks"),
           *steal_after = json_object_get(after->conditions, "steal_ticks");
    json_t *steal = json_is_integer(steal_before) && json_is_integer(steal_after)
                        ? json_integer(json_integer_value(steal_after) - json_integer_value(steal_before))
                        : json_null();
    return json_pack(
        "{s:i, s:o, s:o, s:s, s:s, s:I, s:I, s:I, s:s, s:f, s:O, s:I, s:I, s:I, s:O, s:o}", "abi", 1, "base",
        describe(&plan->object[PAIR_BASE], plan->workload), "new",
        describe(&plan->object[PAIR_NEW], plan->workload), "workload", plan->workload->name, "keys",
        batches->keys, "n", (json_int_t)plan->n, "seed", (json_int_t)plan->seed, "batch_ops",
        (json_int_t)batches->ops, "clock", batches->clock == BENCH_CLOCK_TICKS ? "ticks" : "thread_cpu",
        "extra_percent", plan->extra_percent, "rounds", batches->rounds, "cpu_ns",
        (json_int_t)(after->cpu_ns - before->cpu_ns), "wall_ns",
        (json_int_t)(after->wall_ns - before->wall_ns), "involuntary_switches",
        (json_int_t)(after->involuntary_switches - before->involuntary_switches), "pressure_cpu_avg10",
        json_object_get(after->conditions, "pressure_cpu_avg10"), "steal_ticks", steal);
}

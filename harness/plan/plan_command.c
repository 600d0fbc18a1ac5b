/* The plan command, and what plan and run say of a plan that leaves something out. */
#include <stdio.h>
#include <string.h>

#include "harness/base/exit.h"
#include "harness/base/why.h"
#include "harness/machine/machine.h"
#include "harness/plan/plan.h"

/* Whether what is skipped has been said with another of the same reason: what kept all units from being built
 * takes one line, not one a unit. */
static bool is_said(const struct plan *plan, size_t i) {
    for (size_t k = 0; k < i; k++)
        if (strcmp(plan->skip[k].why, plan->skip[i].why) == 0) return true;
    return false;
}

void plan_print_skips(const struct plan *plan) {
    for (size_t i = 0; i < plan->skips; i++) {
        const char *what = plan->skip[i].what, *why = plan->skip[i].why;
        bool of_all =
            strncmp(why, "not built: ", 11) == 0 && strchr(what, '-'); /* of a unit, not of an engine's map */
        size_t others = 0;
        if (of_all && is_said(plan, i)) continue;
        for (size_t k = i + 1; of_all && k < plan->skips; k++) others += strcmp(plan->skip[k].why, why) == 0;
        if (others)
            fprintf(stderr, "mapbench: skipped: %s and %zu more: %s\n", what, others, why);
        else
            fprintf(stderr, "mapbench: skipped: %s: %s\n", what, why);
    }
}

int plan_nothing(const struct plan *plan) {
    plan_print_skips(plan);
    return plan->missing ? complain(EXIT_CANNOT, "nothing can be measured here")
                         : complain(EXIT_NOTHING, "nothing matches the selection");
}

int plan_complain_of_memory(const struct plan *plan) {
    struct memory_left left;
    struct why why;
    memory_left_now(&left);
    if (plan_fits_memory(plan, &left, &why)) return EXIT_OK;
    return complain(left.by[0] ? EXIT_CANNOT : EXIT_USAGE, why.text);
}

int plan_command(const char *profile_name, const struct option_values *options, bool json) {
    struct why why;
    struct profile *profile = profile_select(profile_name, options, &why);
    struct plan *plan = profile ? plan_make(profile, &why) : NULL;
    int code = EXIT_OK;
    if (!plan)
        code = complain(EXIT_USAGE, why.text);
    else if (plan->cells == 0)
        code = plan_nothing(plan);
    else {
        json ? plan_print_json(plan) : plan_print(plan);
        code = plan_complain_of_memory(plan);
    }
    plan_free(plan);
    profile_free(profile);
    return code;
}

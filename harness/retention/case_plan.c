#include "harness/retention/case_plan.h"

#include <stdio.h>
#include <string.h>

#include "harness/base/go_release.h"
#include "harness/base/names.h"

bool scenario_tells_of(const struct scenario *s, const char *map) {
    char name[64]; /* without its release */
    snprintf(name, sizeof name, "%.*s", (int)strcspn(map, "@"), map);
    return names_select(s->maps, name);
}

bool scenario_has_label(const struct scenario *s, const char *label) {
    size_t length = strlen(label);
    for (const char *at = s->labels; at && *at;) {
        size_t item = strcspn(at, " ");
        if (item == length && strncmp(at, label, length) == 0) return true;
        at += item + (at[item] == ' ');
    }
    return false;
}

const char *role_name(enum variant_role role) {
    static const char *const names[] = {"leaky", "fixed", "no_fix", "reference"};
    return names[role];
}

const char *case_heap_name(enum case_heap heap) {
    static const char *const names[] = {
#define CASE_HEAP(WORD, name) #name,
#include "harness/retention/heaps.def"
#undef CASE_HEAP
    };
    return names[heap];
}

json_t *case_line(const struct case_plan *plan) {
    const struct scenario *s = plan->scenario;
    char release[GO_RELEASE_TEXT_SIZE];
    return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s, s:s, s:I, s:s, s:I}", "scenario", s->name, "variant",
                     plan->variant->name, "role", role_name(plan->variant->role), "map", plan->map, "release",
                     plan->release ? go_release_text(plan->release, release) : NULL, "heap",
                     case_heap_name(plan->heap), "engine", "c", "n", (json_int_t)plan->n, "shape",
                     plan->unit ? plan->unit->shape : "", "seed", (json_int_t)plan->seed);
}

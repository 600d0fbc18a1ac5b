#include "harness/retention/describe.h"

#include <stdio.h>

#include "harness/retention/affected.h"
#include "harness/retention/case_plan.h"
#include "harness/retention/retain.h"

static const char *references_of(const struct scenario *s) {
    return s->references ? s->references : "";
}

static json_t *variants_json(const struct scenario *s) {
    json_t *variants = json_array();
    for (const struct variant *v = s->variant; v->name; v++) {

        json_t *variant =
            json_pack("{s:s, s:s, s:s}", "name", v->name, "role", role_name(v->role), "summary", v->summary);
        affected_json(s, v, variant);
        json_array_append_new(variants, variant);
    }
    return variants;
}

json_t *retain_scenarios_json(const struct retain_options *o) {
    json_t *list = json_array();
    for (size_t i = 0; i < scenario_count(); i++) {
        const struct scenario *s = scenario_at(i);
        if (!retain_scenario_selected(o, s)) continue;
        json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:o}", "number", s->number,
                                              "name", s->name, "claim", s->claim, "fix", s->fix, "references",
                                              references_of(s), "verdict_label", s->verdict_label, "variants",
                                              variants_json(s)));
    }
    return list;
}

json_t *retain_list(void) {
    json_t *list = json_array();
    for (size_t i = 0; i < scenario_count(); i++) {
        const struct scenario *s = scenario_at(i);
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:b, s:n, s:i, s:s, s:s, s:I, s:b, s:b, s:o}", "name",
                                        s->name, "summary", s->claim, "available", 1, "reason", "number",
                                        s->number, "fix", s->fix, "references", references_of(s), "n",
                                        (json_int_t)s->n, "on_gosim", (s->heaps & ON_GOSIM) != 0,
                                        "on_real_go", (s->heaps & ON_GO) != 0, "variants", variants_json(s)));
    }
    return list;
}

bool retain_explain(const char *name) {
    const struct scenario *s = scenario_find(name);
    if (!s) return false;
    printf("%s (scenario %d): %s\n  fix          %s\n", s->name, s->number, s->claim, s->fix);
    if (s->references) printf("  references   %s\n", s->references);
    printf("  heaps       ");
    for (enum case_heap heap = 0; heap < CASE_HEAPS; heap++)
        if (s->heaps & 1u << heap) printf(" %s", case_heap_name(heap));
    puts(s->heaps & ON_GO ? " real Go" : "");
    if (s->about == ABOUT_MAP)
        printf("  maps         %s, shape %s\n", s->maps ? s->maps : "all that have the shape", s->shape);
    printf("  n            %zu\n  checkpoints  %s\n", s->n, s->labels);
    for (const struct variant *v = s->variant; v->name; v++) {
        char range[AFFECTED_TEXT_SIZE];
        affected_range(s, v, range);
        printf("  variant      %s (%s): %s%s%s\n", v->name, role_name(v->role), v->summary,
               range[0] ? "; in Go " : "", range);
    }
    return true;
}

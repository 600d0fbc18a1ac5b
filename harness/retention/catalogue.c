#include <string.h>

#include "harness/retention/retention.h"

static const struct scenario *const all[] = {
#define SCENARIO(name) &scenario_##name,
#include "harness/retention/scenarios.def"
#undef SCENARIO
};

size_t scenario_count(void) {
    return sizeof all / sizeof *all;
}

const struct scenario *scenario_at(size_t i) {
    return all[i];
}

const struct scenario *scenario_find(const char *name) {
    for (size_t i = 0; i < scenario_count(); i++)
        if (strcmp(all[i]->name, name) == 0) return all[i];
    return NULL;
}

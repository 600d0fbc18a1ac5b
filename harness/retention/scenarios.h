/* Declares every scenario. The files of scenarios/ get it with retention.h. */
#ifndef MAPBENCH_RETENTION_SCENARIOS_H
#define MAPBENCH_RETENTION_SCENARIOS_H

#define SCENARIO(name) extern const struct scenario scenario_##name;
#include "harness/retention/scenarios.def"
#undef SCENARIO

#endif

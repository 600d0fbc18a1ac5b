/* The command `mapbench doctor`, and the record of it in every run. */
#ifndef MAPBENCH_DOCTOR_H
#define MAPBENCH_DOCTOR_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>

#include "harness/base/clock.h"

/* Prints what this machine can measure, and what to do about it. quick: noise is watched for 1 s instead
 * of 10. Exit code 4 when times cannot be measured at all. */
int doctor_command(bool json, bool quick);

/* "doctor" of run.json: {"findings", "noise"}, of facts that run.json has anyway (info: as runinfo_begin made
 * it, with machine, probe and conditions) and of noise watched for so long, 0: not at all. Ends early when
 * *stop. New reference. */
json_t *doctor_record(const json_t *info, const struct clock_costs *clock, double noise_seconds,
                      const volatile sig_atomic_t *stop);

#endif

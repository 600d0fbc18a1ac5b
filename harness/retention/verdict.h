/* Verdicts: one line per scenario, map, release, heap and engine, made from the lines of its checkpoints. */
#ifndef MAPBENCH_RETENTION_VERDICT_H
#define MAPBENCH_RETENTION_VERDICT_H

#include <jansson.h>

#include "harness/retention/retention.h"

/* New array of lines with label "verdict", one per scenario, map, release, heap and engine found in `lines`,
 * in their order. */
json_t *verdicts_make(const json_t *lines);
/* Prints them, one line each. */
void verdicts_print(const json_t *verdicts, FILE *out);
/* Prints what went wrong in the cases. */
void errors_print(const json_t *lines, FILE *out);
/* Writes "16.0 MB"; "-" where the value is no number. Returns `out`. */
const char *bytes_text(const json_t *value, char *out, size_t size);
/* How many fixed variants keep more than their bound. */
size_t verdicts_failed(const json_t *verdicts);
/* JUnit XML: a test case per verdict. False: the file cannot be written; errno says why. */
bool verdicts_junit(const json_t *verdicts, const json_t *lines, const char *path);

#endif

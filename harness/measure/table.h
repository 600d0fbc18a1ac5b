/* The tables a run prints: one matrix per cell and recorder, maps down, workloads across. */
#ifndef MAPBENCH_TABLE_H
#define MAPBENCH_TABLE_H

#include <jansson.h>
#include <stdio.h>

/* Prints all rows (an array as in rows.jsonl). */
void table_print(const json_t *rows, FILE *out);

#endif

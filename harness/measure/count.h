/* Counting: what a workload's measured loops execute and allocate, in a process that simulates the machine
 * (valgrind's callgrind) or counts allocations (libmemcount.so). Three hidden commands behind `mapbench gate
 * count` (judge/gate/gate.py), which runs them on the cells that `mapbench plan --json` names.
 */
#ifndef MAPBENCH_COUNT_H
#define MAPBENCH_COUNT_H

/* `mapbench count-facts`: prints one JSON object: what the program was "built" with, whether a "callgrind"
 * can be told when to count, and whether it is "sanitized". The exit code. */
int count_facts(void);

/* `mapbench count-build`: builds the units of the cells that stdin names, as count-worker reads them, which
 * builds none. Prints one JSON object: "unavailable", for each cell null or why its unit cannot be had. The
 * exit code: 0, 2 bad line, 4 some cannot be had. */
int count_build(void);

/* `mapbench count-worker`: counts the cells that stdin names, one a line, the words of COUNT_WORDS separated
 * by tabs. Every cell is counted in a fork of this process, which allocates nothing in between: so the
 * simulated caches, the branch predictor and the heap are as they were at the start, and a count does not
 * depend on what was counted before it.
 *
 * Under callgrind (--instr-atstart=no --collect-atstart=no) a fork leaves a dump whose trigger is "cell I", I
 * being the line from 0. Prints one JSON object a line: cell, ops, segments, checksum; where libmemcount.so
 * is preloaded also allocations (calls in the loops) and bytes (asked for, held by the map after the last
 * loop); where it is not callgrind also structure, null if the workload leaves no map; or cell and error. The
 * exit code: 0, 1 wrong result, 2 bad line, 4 a cell could not be counted. */
int count_worker(void);

enum count_word {
    COUNT_MAP,
    COUNT_SHAPE,
    COUNT_HASH,
    COUNT_HEAP,
    COUNT_WORKLOAD,
    COUNT_KEYS,
    COUNT_N,
    COUNT_SEED,
    COUNT_WORDS
};

#endif

/* The commands that judge results - compare, gate, history, nightly, cite, rerun - are Python (judge/): this
 * program measures, and hands them over. */
#ifndef MAPBENCH_JUDGE_H
#define MAPBENCH_JUDGE_H

/* Becomes `python3 -m judge COMMAND ARGS` (args: NULL-terminated), with MAPBENCH set to this executable, and
 * so does not return; EXIT_CANNOT, with a message, where there is no python3 with the packages. */
int judge_command(const char *command, char *const *args);

#endif

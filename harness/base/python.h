/* The Python programs in judge/ and plots/: finding an interpreter, and running one. A program asks itself for the
 * packages that it uses (judge/base/common.py, plots/rows/packages.py); here the best equipped interpreter is chosen. */
#ifndef MAPBENCH_PYTHON_H
#define MAPBENCH_PYTHON_H

#include <stdbool.h>

#include "harness/base/why.h"

enum python_need { PYTHON_ANY, PYTHON_DRAWS }; /* draws: has matplotlib, numpy and scipy, what all commands use */

/* Finds the python3, of 3.11 or newer, with most of those packages: $MAPBENCH_PYTHON alone if it is set, else the first in
 * PATH or the system's. NULL: none serves the need; `why` says what is missing. Static storage; looked for once. */
const char *python_find(enum python_need need, struct why *why);

/* Lets the Python programs started from here import the packages judge and plots: the project's folder is put before
 * the rest of PYTHONPATH. */
void python_use_project(void);

/* Draws the figures and the report of run folders (NULL-terminated). EXIT_OK, EXIT_USAGE or EXIT_CANNOT. */
int report_draw(char *const *folders, struct why *why);

#endif

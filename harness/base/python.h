/* The Python programs under plots/: finding an interpreter that has the packages, and running one. */
#ifndef MAPBENCH_PYTHON_H
#define MAPBENCH_PYTHON_H

#include <stdbool.h>
#include <stddef.h>

/* A python3 that can import what the plots need: $MAPBENCH_PYTHON, the first in PATH, then the system's.
 * NULL: none; `why` names the packages to install. Static storage; looked for once. */
const char *python_find(char *why, size_t why_size);

/* Lets the Python programs started from here import the packages judge and plots: the project's folder is put before
 * the rest of PYTHONPATH. */
void python_use_project(void);

/* Draws the figures and the report of run folders (NULL-terminated). EXIT_OK, EXIT_USAGE or EXIT_CANNOT. */
int report_draw(char *const *folders, char *why, size_t why_size);

#endif

/* The project's folder. */
#ifndef MAPBENCH_BASE_PROJECT_H
#define MAPBENCH_BASE_PROJECT_H

/* The folder that holds profiles/ and plots/, found from the program's own path; static storage. */
const char *project_root(void);

#endif

/* A string key: not terminated, may contain any byte. */
#ifndef MAPBENCH_STR_H
#define MAPBENCH_STR_H

#include <stddef.h>

struct str {
    const char *text;
    size_t len;
};

#endif

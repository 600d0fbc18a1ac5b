/* Texts with numbers: equal texts have equal numbers, counted from 0 in the order of arrival. */
#ifndef MAPBENCH_SNAPSHOT_NAMES_H
#define MAPBENCH_SNAPSHOT_NAMES_H

#include <stddef.h>
#include <stdint.h>

#define NAMES_FULL UINT32_MAX /* out of memory */

struct names { /* starts as zeroes */
    char **text;
    uint32_t count;
    size_t room;
    uint32_t *slot; /* open addressing: number + 1; 0 is empty */
    size_t slots;   /* a power of two */
};

uint32_t names_add(struct names *names, const char *text); /* copies; NAMES_FULL: out of memory */
void names_free(struct names *names);

#endif

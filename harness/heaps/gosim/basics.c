/* The basics that every file of the collector calls and that call none of them: the reason of a failure,
 * growing arrays, the clock, random numbers, and whether a collection may begin. */
#include "internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t gs_clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool gs_grow(void *array, size_t *capacity, size_t count, size_t elem_bytes) {
    void *old;
    if (count < *capacity) return true;
    size_t more = *capacity ? *capacity * 2 : 16;
    memcpy(&old, array, sizeof old);
    char *grown = realloc(old, more * elem_bytes);
    if (!grown) return false;
    memset(grown + *capacity * elem_bytes, 0, (more - *capacity) * elem_bytes);
    memcpy(array, &grown, sizeof grown);
    *capacity = more;
    return true;
}

void *gs_fail(struct gosim *heap, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(heap->why, sizeof heap->why, format, arguments);
    va_end(arguments);
    return NULL;
}

const char *gosim_why(const struct gosim *heap) {
    return heap->why;
}

/* splitmix64 (Steele, Lea and Flood 2014). */
uint64_t gosim_random(struct gosim *heap) {
    uint64_t x = heap->random += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

bool gs_may_collect(const struct gosim *heap) {
    return !heap->front.marking && heap->held == 0 && !heap->at_safe_points &&
           (heap->gogc >= 0 || heap->memory_limit);
}

void gosim_hold(struct gosim *heap) {
    heap->held++;
}
void gosim_release(struct gosim *heap) {
    if (heap->held) heap->held--;
}

/* The number of elements of an array. */
#ifndef MAPBENCH_BASE_COUNT_OF_H
#define MAPBENCH_BASE_COUNT_OF_H

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

#endif

/* Runs the selftest on the one unit it is linked with, in this process: 0 passed, 1 failed, the reason on
 * stdout. Built with MAPBENCH_FAULTS, as the unit is. */
#include <stdio.h>
#include <stdlib.h>

#include "harness/selftest/selftest.h"

extern const struct map_unit unit_under_test;

int main(int argc, char **argv) {
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    size_t operations = argc > 2 ? strtoull(argv[2], NULL, 10) : 20000;
    struct selftest_options options = selftest_options_make(seed, operations);
    struct why why = {""};
    if (selftest_unit(&unit_under_test, &options, &why)) {
        printf("passed\n");
        return 0;
    }
    printf("FAILED: %s\n", why.text);
    return 1;
}

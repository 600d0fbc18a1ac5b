#include "harness/base/exit.h"

#include <stdio.h>

int complain(int code, const char *why) {
    fprintf(stderr, "mapbench: %s\n", why);
    return code;
}

#include "harness/base/project.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *project_root(void) {
    static char root[PATH_MAX];
    if (root[0]) return root;
    char probe[PATH_MAX + 32];
    ssize_t len = readlink("/proc/self/exe", root, sizeof root - 1);
    root[len > 0 ? len : 0] = '\0';
    for (char *slash; (slash = strrchr(root, '/')) != NULL && slash != root;) {
        *slash = '\0';
        snprintf(probe, sizeof probe, "%s/profiles", root);
        if (access(probe, R_OK) == 0) return root;
        /* A build folder outside the sources has a link to them. */
        snprintf(probe, sizeof probe, "%s/source/profiles", root);
        if (access(probe, R_OK) != 0) continue;
        snprintf(probe, sizeof probe, "%s/source", root);
        if (realpath(probe, root)) return root;
    }
    return strcpy(root, ".");
}

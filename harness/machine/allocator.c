#include "harness/machine/allocator.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const struct {
    const char *symbol, *name;
} known[] = {
    {"__asan_init", "sanitizer"}, {"__tsan_init", "sanitizer"}, {"mallctl", "jemalloc"},
    {"mi_version", "mimalloc"},   {"tc_version", "tcmalloc"},
};

static bool is_glibc(void) {
    Dl_info found;
    void *call = dlsym(RTLD_DEFAULT, "malloc");
    return call && dladdr(call, &found) && found.dli_fname && strstr(found.dli_fname, "libc.so");
}

const char *allocator_name(void) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (dlsym(RTLD_DEFAULT, known[i].symbol)) return known[i].name;
    return is_glibc() ? "glibc" : "unknown";
}

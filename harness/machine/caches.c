#include "harness/machine/caches.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/sizes.h"
#include "harness/base/sysfile.h"

/* More than any processor has: 48 MiB a core in the EPYC 7373X. */
static const uint64_t bytes_most_per_cpu = 64u << 20;

unsigned cpu_list_length(const char *list) {
    unsigned length = 0;
    while (*list) {
        char *end;
        unsigned long first = strtoul(list, &end, 10), last = first;
        if (end == list) break;
        if (*end == '-') last = strtoul(end + 1, &end, 10);
        length += (unsigned)(last - first) + 1;
        list = *end == ',' ? end + 1 : end;
    }
    return length;
}

/* Reads a cache of the first processor. False: there is no such index. bytes 0: the kernel does not know the
 * size. */
static bool cache_from_sys(unsigned index, struct cache *cache) {
    char path[128], text[512];
    uint64_t number;
#define CACHE_FILE(name)                                                                                     \
    (snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%u/" name, index), path)
    if (!sysfile_number(CACHE_FILE("level"), &number)) return false;
    cache->level = (unsigned)number;
    sysfile_read(CACHE_FILE("type"), text, sizeof text);
    snprintf(cache->type, sizeof cache->type, "%.15s", text);
    sysfile_read(CACHE_FILE("size"), text, sizeof text);
    char *unit;
    cache->bytes = strtoull(text, &unit, 10);
    cache->bytes <<= *unit == 'K' ? 10 : *unit == 'M' ? 20 : *unit == 'G' ? 30 : 0;
    sysfile_read(CACHE_FILE("shared_cpu_list"), text, sizeof text);
    cache->shared_by = cpu_list_length(text);
#undef CACHE_FILE
    return true;
}

static uint64_t bytes_from_libc(unsigned level, long (*by_libc)(int name)) {
    long bytes = -1;
#ifdef _SC_LEVEL1_DCACHE_SIZE
    static const int names[] = {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE};
    bytes = by_libc(names[level - 1]);
#else
    (void)level, (void)by_libc;
#endif
    return bytes > 0 ? (uint64_t)bytes : 0;
}

/* Adds a cache if its size can be believed, else the doubt. */
static void add(struct caches *caches, const struct cache *cache, unsigned cpus) {
    unsigned sharing = cache->shared_by ? cache->shared_by : cpus ? cpus : 1;
    uint64_t below = cache->level > 1 ? caches_bytes(caches, cache->level - 1) : 0;
    char size[24];
    if (cache->bytes == 0 || caches->count == CACHES_MAX) return;
    size_bytes_text((double)cache->bytes, size, sizeof size);
    if (cache->bytes / sharing > bytes_most_per_cpu)
        snprintf(caches->doubt, sizeof caches->doubt,
                 "level %u is said to have %s, more than 64 MiB for each of %u processor%s", cache->level,
                 size, sharing, sharing == 1 ? "" : "s");
    else if (cache->bytes < below)
        snprintf(caches->doubt, sizeof caches->doubt, "level %u is said to have %s, less than level %u",
                 cache->level, size, cache->level - 1);
    else
        caches->cache[caches->count++] = *cache;
}

void caches_read(struct caches *caches, unsigned cpus, long (*by_libc)(int name)) {
    struct cache cache;
    *caches = (struct caches){0};
    for (unsigned i = 0; i < CACHES_MAX && cache_from_sys(i, &cache); i++) add(caches, &cache, cpus);
    if (caches->count > 0 || caches->doubt[0]) return;
    for (unsigned level = 1; level <= 3; level++) {
        cache = (struct cache){.level = level, .bytes = bytes_from_libc(level, by_libc)};
        snprintf(cache.type, sizeof cache.type, "%s", level == 1 ? "Data" : "Unified");
        add(caches, &cache, cpus);
    }
}

uint64_t caches_bytes(const struct caches *caches, unsigned level) {
    for (size_t i = 0; i < caches->count; i++)
        if (caches->cache[i].level == level && strcmp(caches->cache[i].type, "Instruction") != 0)
            return caches->cache[i].bytes;
    return 0;
}

uint64_t caches_last_bytes(const struct caches *caches) {
    uint64_t last = 0;
    for (unsigned level = 1; level <= 4; level++)
        if (caches_bytes(caches, level)) last = caches_bytes(caches, level);
    return caches->doubt[0] ? 0 : last;
}

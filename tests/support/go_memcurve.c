/* Grows a port of Go's map for one pair of types, from many seeds, and compares at each recorded size what
 * its structure would occupy in Go with what Go's heap held. Compiled by tests/test_go_memcurve.sh, once for
 * each port and type:
 *
 *   VALUE_TYPE        the element, in C            VALUE_HAS_POINTERS   1 or 0
 *   PORT_SWISS        go_swiss; otherwise go_hmap
 *
 * usage: go_memcurve FIXTURE PORT TYPE
 *
 * In the recorded program the map did not escape, so that Go kept its header and its first bucket or group on
 * the stack: they are not counted. Which seed the recording had is not known. Some sizes do not depend on it;
 * at the others (overflow buckets allocated one by one; tables that have split already) one of the seeds
 * tried must agree. Prints how near all came. */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef VALUE_TYPE /* for those who only read the source */
#define VALUE_TYPE uint64_t
#define VALUE_HAS_POINTERS 0
#endif

typedef uint64_t map_key;
typedef VALUE_TYPE map_val;
#define SHAPE_KEY_INT 1
#define SHAPE_KEY_BITS 64
#define SHAPE_HAS_POINTERS VALUE_HAS_POINTERS
#define UNIT_HASH_native 1
#define MAP_INLINE static inline
static inline bool key_equal(map_key a, map_key b) {
    return a == b;
}
#pragma GCC diagnostic ignored "-Wunused-function"
#include "harness/unit/map.h"
#include "harness/heaps/malloc.h"
#include "maps/go/sizeclass.h"
#ifdef PORT_SWISS
#include "maps/go/swiss.h"
#include "maps/go/swiss_bytes.h"
#else
#include "maps/go/hmap.h"
#include "maps/go/hmap_bytes.h"
#endif

#define TOLERANCE 0.001

enum { POINTS_MAX = 256, ENTRIES_PER_RUN = 4000000, SEEDS_MIN = 4, SEEDS_MAX = 1000 };

struct point {
    size_t n, bytes, blocks;              /* recorded */
    size_t tried, blocks_min, blocks_max; /* seeds, and the blocks they led to */
    size_t best_bytes, best_blocks;       /* of the seed that came nearest */
    double error;                         /* of its bytes; relative */
};

/* The same on every machine: not the AES hash. */
static const struct go_hash_keys hash_keys = {
    .hashkey = {0x1841c60b5c51c71cu, 0x275cbe316e16f17fu, 0x4cccb7aec6d00dacu, 0x4c97b073dc2c319bu}};

#ifdef PORT_SWISS
static void set_seed(struct map *map, uint64_t seed) {
    map->keys = &hash_keys;
    map->seed = seed * 0x9e3779b97f4a7c15u;
}

/* While tables of 1024 slots split, their number is one of many that seeds lead to: up to TABLES_AWAY more or
 * less count as this seed's. */
static struct go_occupied occupied_by(const struct map *map, size_t blocks) {
    enum { TABLES_AWAY = 12, BLOCKS_OF_TABLE = 2, TABLES_MIN = 16 };
    struct go_occupied o = go_swiss_occupied(map, false), table = {0, 0};
    go_occupy_table(&table, GO_TABLE_CAPACITY_MAX / GO_GROUP_SLOTS);
    long more = ((long)blocks - (long)o.blocks) / BLOCKS_OF_TABLE;
    if (map->dir_len < TABLES_MIN || more < -TABLES_AWAY || more > TABLES_AWAY) return o;
    return (struct go_occupied){(size_t)((long)o.bytes + more * (long)table.bytes),
                                (size_t)((long)o.blocks + more * BLOCKS_OF_TABLE)};
}
#else
static void set_seed(struct map *map, uint64_t seed) {
    map->keys = &hash_keys;
    map->h.hash0 = (uint32_t)(seed * 0x9e3779b1u);
}

static struct go_occupied occupied_by(const struct map *map, size_t blocks) {
    (void)blocks;
    return go_hmap_occupied(map, false);
}
#endif

/* Reads the points of one curve; the recording program's own blocks have been subtracted from them. */
static size_t read_points(const char *path, const char *port, const char *type, struct point *points) {
    char line[256], curve_port[24], curve_type[64];
    bool wanted = false;
    size_t count = 0;
    FILE *in = fopen(path, "r");
    if (!in) return 0;
    while (fgets(line, sizeof line, in) && count < POINTS_MAX) {
        struct point p = {.error = INFINITY, .blocks_min = SIZE_MAX};
        if (sscanf(line, "curve %23s %63s", curve_port, curve_type) == 2)
            wanted = strcmp(curve_port, port) == 0 && strcmp(curve_type, type) == 0;
        else if (wanted && sscanf(line, "%zu %zu %zu", &p.n, &p.bytes, &p.blocks) == 3)
            points[count++] = p;
    }
    fclose(in);
    return count;
}

static void point_try(struct point *p, struct go_occupied o) {
    double difference = fabs((double)o.bytes - (double)p->bytes);
    double error = p->bytes ? difference / (double)p->bytes : difference;
    p->tried++;
    if (o.blocks < p->blocks_min) p->blocks_min = o.blocks;
    if (o.blocks > p->blocks_max) p->blocks_max = o.blocks;
    if (error > p->error) return;
    p->error = error;
    p->best_bytes = o.bytes;
    p->best_blocks = o.blocks;
}

/* Grows one map through the points from `first` that are not more than `entries_max`; false: out of memory.
 */
static bool grow(struct point *points, size_t count, uint64_t seed, size_t entries_max) {
    struct map *map = map_create(NULL, 0);
    bool ok = map != NULL;
    size_t n = 0;
    if (ok) set_seed(map, seed);
    for (size_t i = 0; ok && i < count && points[i].n <= entries_max; i++) {
        for (; ok && n < points[i].n; n++) {
            map_val *val = map_put(map, n);
            if (val) memset(val, 0, sizeof *val);
            ok = val != NULL;
        }
        if (ok) point_try(&points[i], occupied_by(map, points[i].blocks));
    }
    if (map) map_destroy(map);
    return ok;
}

/* True: a seed tried led to what was recorded, at every size. */
static bool all_agree(const struct point *points, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (points[i].error > TOLERANCE) return false;
    return true;
}

int main(int argc, char **argv) {
    static struct point points[POINTS_MAX];
    size_t count = argc == 4 ? read_points(argv[1], argv[2], argv[3], points) : 0, failed = 0, exact = 0;
    double worst = 0;
    if (count == 0) return fprintf(stderr, "usage: go_memcurve FIXTURE PORT TYPE\n"), 2;
    for (uint64_t seed = 1; seed <= SEEDS_MAX && !(seed > SEEDS_MIN && all_agree(points, count)); seed++) {
        size_t entries_max = seed <= SEEDS_MIN ? SIZE_MAX : (size_t)(ENTRIES_PER_RUN / (seed + 1));
        if (!grow(points, count, seed, entries_max)) return fprintf(stderr, "out of memory\n"), 1;
    }
    for (size_t i = 0; i < count; i++) {
        struct point *p = &points[i];
        exact += p->error == 0;
        if (p->error > worst) worst = p->error;
        if (p->error <= TOLERANCE) continue;
        failed++;
        printf("%s %s n %zu: %zu bytes in %zu blocks, Go %zu in %zu (%zu seeds, %zu to %zu blocks) %.3f%%\n",
               argv[2], argv[3], p->n, p->best_bytes, p->best_blocks, p->bytes, p->blocks, p->tried,
               p->blocks_min, p->blocks_max, 100 * p->error);
    }
    printf("%s %s: %zu sizes, %zu of them to the byte, the others within %.3f %%\n", argv[2], argv[3], count,
           exact, 100 * worst);
    return failed != 0;
}

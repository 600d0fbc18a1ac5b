/* tagline.h against a model: every function, with hashes from good to all equal, and memory that begins
 * anywhere and runs out.
 *
 * The first four bytes of an input choose the hash, the keys, where memory begins and the allocation that
 * fails; each three further ones are an operation and its argument. One file for all that drive it:
 *
 *   cc -I. tests/fuzz/tagline.c && ./a.out SEED COUNT    COUNT inputs from SEED on, each with every
 * allocation failing, too
 *   ./a.out FILE ...                                     these inputs, as afl-fuzz calls it
 *   clang -I. -fsanitize=fuzzer,address -DFUZZ_LIBFUZZER tests/fuzz/tagline.c && ./a.out CORPUS
 *
 * FUZZ_SET: a set of 8 bytes a key with a seeded hash; FUZZ_ODD: entries of 7 bytes; otherwise 4 bytes and 4.
 * FUZZ_BOUNDED: the map of many tables besides, tables of one group and chunks of four places.
 * What went wrong is printed, and the program aborts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>

enum { KEYS = 2048, MANY = 70, HEAD = 4, INPUT_MAX = 1 << 12, FAILURES_MAX = 24 };

static void fault(const char *what) {
    fprintf(stderr, "tagline: %s\n", what);
    abort();
}

/* --- memory that may run out --- */

static size_t allocations; /* of this input so far */
static size_t fails;       /* the one of them that fails, from 1; 0: none */
static size_t blocks;      /* not given back */
static size_t shift;       /* bytes that memory begins behind a multiple of 64, as far as alignments let it */

/* It ends where malloc's block does, so that a sanitizer sees what is written behind it. */
static void *memory_new(size_t alignment, size_t size, int fill) {
    size_t ahead = 64 + shift / alignment * alignment;
    void *block;
    if (++allocations == fails) return NULL;
    if (posix_memalign(&block, 64, ahead + size) != 0) fault("this machine has no memory left");
    unsigned char *memory = (unsigned char *)block + ahead;
    memory[-1] = (unsigned char)ahead;
    memset(memory, fill, size);
    blocks++;
    return memory;
}

static void memory_delete(void *memory) {
    unsigned char *at = (unsigned char *)memory;
    if (!memory) return;
    blocks--;
    free(at - at[-1]);
}

/* --- keys, values, and the map --- */

static unsigned weakness;
static uint64_t weakened(uint64_t key, uint64_t hash);

#if defined(FUZZ_ODD)
typedef struct {
    unsigned char low, high;
} key_type;
typedef struct {
    unsigned char bytes[5];
} value_type;
static key_type key_of(unsigned index) {
    key_type key;
    key.low = (unsigned char)index;
    key.high = (unsigned char)(index >> 8);
    return key;
}
static unsigned index_of(key_type key) {
    return (unsigned)key.high << 8 | key.low;
}
static void store(value_type *value, unsigned index, uint32_t number) {
    value->bytes[0] = (unsigned char)index;
    memcpy(value->bytes + 1, &number, sizeof number);
}
static int holds(const value_type *value, unsigned index, uint32_t number) {
    return value->bytes[0] == (unsigned char)index && memcmp(value->bytes + 1, &number, sizeof number) == 0;
}
#define TAGLINE_VALUE value_type
#define TAGLINE_EQUAL(a, b) (index_of(a) == index_of(b))
#define TAGLINE_HASH(key) weakened(index_of(key), tagline_hash_u64(index_of(key)))
#elif defined(FUZZ_SET)
typedef uint64_t key_type, value_type;
static key_type key_of(unsigned index) {
    return (uint64_t)index << 40;
}
static unsigned index_of(key_type key) {
    return (unsigned)(key >> 40);
}
static void store(const value_type *value, unsigned index, uint32_t number) {
    (void)number;
    if (*value != key_of(index)) fault("a set gives another key");
}
static int holds(const value_type *value, unsigned index, uint32_t number) {
    (void)number;
    return *value == key_of(index);
}
#define TAGLINE_SEEDED_HASH(key, seed) weakened(index_of(key), tagline_seeded_u64(key, seed))
#else
typedef uint32_t key_type, value_type;
static key_type key_of(unsigned index) {
    return index;
}
static unsigned index_of(key_type key) {
    return key;
}
static void store(value_type *value, unsigned index, uint32_t number) {
    (void)index;
    *value = number;
}
static int holds(const value_type *value, unsigned index, uint32_t number) {
    (void)index;
    return *value == number;
}
#define TAGLINE_VALUE value_type
#define TAGLINE_HASH(key) weakened(key, tagline_hash_u64(key))
#endif

#ifdef __cplusplus
#define FUZZ_ALIGNMENT(type) alignof(type)
#else
#define FUZZ_ALIGNMENT(type) _Alignof(type)
#endif
#define TAGLINE_NAME tested
#define TAGLINE_KEY key_type
#define TAGLINE_NEW(map, type, count) ((type *)memory_new(FUZZ_ALIGNMENT(type), (count) * sizeof(type), 0xa5))
#define TAGLINE_NEW_ZEROED(map, type, count) ((type *)memory_new(16, (count) * sizeof(type), 0))
#define TAGLINE_DELETE(map, address) memory_delete(address)
/* What is no entry any more is spoilt, so that nobody goes on reading it. */
#define TAGLINE_DROP(map, entry) ((void)memset((void *)(entry), 0x5a, sizeof *(entry)))
#ifdef FUZZ_BOUNDED
#define TAGLINE_BOUNDED
#define TAGLINE_TABLE_GROUPS 1
#define TAGLINE_CHUNK_DEPTH 2
#define TABLE_OF(map) struct map##_table
#else
#define TABLE_OF(map) struct map
#endif
#include "maps/tagline/tagline.h"

static struct tested empty_map(void) {
#ifdef FUZZ_SET
    static uint64_t maps; /* a copy that kept a seed of its own would be noticed */
    struct tagline_seed seed = {1, 2};
    seed.low += maps++ % 2;
    return tested_make_seeded(seed);
#else
    return tested_make();
#endif
}

/* From all equal to good. The home is bits 36 and up, the tag bits 24 to 31 (check_hashes). */
static uint64_t weakened(uint64_t key, uint64_t hash) {
    switch (weakness) {
    case 0:
        return 0;
    case 1:
        return hash & 0x80000000u; /* one home, two tags */
    case 2:
        return hash & 0xff000000u; /* one home, all tags */
    case 3:
        return hash & 0x0000007011000000u; /* some homes, few tags */
    case 4:
        return hash & 0xffffffff00000000u; /* all homes, one tag */
    case 5:
        return key << 36; /* homes in turn */
    case 6:
        return hash | 0xffffffff00000000u; /* the last home */
    default:
        return hash;
    }
}

/* --- the model --- */

static unsigned char there[KEYS];
static uint32_t numbers[KEYS], next_number;
static size_t present;

static void expect_same(const value_type *value, unsigned index) {
    if (!value != !there[index]) fault(value ? "a key that was deleted is there" : "a key is lost");
    if (value && !holds(value, index, numbers[index])) fault("a value is another's");
}

/* Counts the entries of a table. */
static size_t check_table(const TABLE_OF(tested) * table) {
    size_t used = 0, spilled = 0;
    for (size_t at = 0; at <= table->mask; at += TAGLINE_BYTES) {
        spilled += (size_t)__builtin_popcount(table->tags[at + TAGLINE_SLOTS]);
        for (size_t slot = 0; slot < TAGLINE_SLOTS; slot++) used += table->tags[at + slot] >= TAGLINE_TAG_MIN;
    }
    if (used != table->len || spilled != table->spilled) fault("slots or spill bits are miscounted");
    return used;
}

#ifdef FUZZ_BOUNDED
/* Every place leads to a part of its bits that knows the same table, and every part has a place. */
static size_t check_tables(const struct tested *map) {
    size_t used = 0, places = 0, parts = 0;
    for (const struct tested_part *part = map->first; part; part = part->following, parts++)
        used += check_table(&part->table);
    if (map->first && used && map->from->number > 0)
        for (const struct tested_part *part = map->first; part != map->from; part = part->following)
            if (part->table.len) fault("entries are where walks do not begin");
    if (!map->chunks_block) return used;
    for (size_t chunk = 0; chunk <= map->chunk_mask; chunk++)
        for (size_t at = 0; at <= map->place_mask; at++) {
            const struct tested_place *place = &map->chunks[chunk][at];
            const struct tested_part *part = place->part;
            uint64_t bits = (uint64_t)chunk << TAGLINE_CHUNK_DEPTH | at,
                     mask = ((uint64_t)1 << part->depth) - 1;
            if ((bits & mask) != part->bits) fault("a place leads to a part of other bits");
            if (place->tags != part->table.tags || place->entries != part->table.entries ||
                place->mask != part->table.mask)
                fault("a place knows a table that is no more");
            places += bits == part->bits;
        }
    if (places != parts) fault("a part has no place");
    return used;
}
#else
static size_t check_tables(const struct tested *map) {
    return check_table(map);
}
#endif

/* Counts, and looks up every key. */
static void check(struct tested *map) {
    if (tested_len(map) != present || check_tables(map) != present) fault("the length is wrong");
    for (unsigned i = 0; i < KEYS; i++) expect_same(tested_get(map, key_of(i)), i);
}

static void put(struct tested *map, unsigned index, unsigned how) {
    bool added = !there[index];
    value_type *value = how & 1 ? tested_put(map, key_of(index)) : tested_add(map, key_of(index), &added);
    if (!value) {
        if (allocations != fails || there[index]) fault("an insert fails without a reason");
        check(map);
        return;
    }
    if (added != !there[index]) fault("add is wrong about what was there");
    if (there[index]) expect_same(value, index);
    present += !there[index];
    there[index] = 1;
    numbers[index] = ++next_number;
    store(value, index, next_number);
    if (index_of(tested_entry_of(value)->key) != index) fault("a value is not in its key's entry");
}

static void forget(unsigned index) {
    present -= there[index];
    there[index] = 0;
}

static void del(struct tested *map, unsigned index, unsigned how) {
    if (how & 1) {
        if (tested_del(map, key_of(index)) != (there[index] == 1)) fault("del is wrong about what was there");
    } else {
        struct tested_entry *entry = tested_get_entry(map, key_of(index));
        expect_same(entry ? &entry->value : NULL, index);
        if (entry) tested_del_entry(map, entry);
    }
    forget(index);
}

/* Visits all entries once, and deletes those whose key the mask selects. */
static void walk(struct tested *map, unsigned mask, unsigned how) {
    static unsigned char seen[KEYS];
    size_t count = 0, expected = present;
    memset(seen, 0, sizeof seen);
    for (struct tested_walk at = tested_begin(map); tested_next(&at); count++) {
        unsigned index = index_of(at.entry->key);
        if (index >= KEYS || seen[index]++) fault("a walk visits an entry twice");
        expect_same(&at.entry->value, index);
        if (index & mask) continue;
        if (how & 1)
            tested_del_entry(map, at.entry);
        else if (!tested_del(map, at.entry->key))
            fault("a walk's entry cannot be deleted");
        forget(index);
    }
    if (count != expected) fault("a walk misses entries");
}

/* Deletes the first entry of a walk, so many times. */
static void drain(struct tested *map, unsigned times) {
    while (times-- > 0 && present > 0) {
        struct tested_walk at = tested_begin(map);
        if (!tested_next(&at)) fault("a walk finds nothing");
        forget(index_of(at.entry->key));
        tested_del_entry(map, at.entry);
    }
}

/* The map goes on as its copy, or as one filled in its walk order. */
static void replace(struct tested *map, unsigned how) {
    struct tested other = empty_map();
    bool done = true;
    if (how & 1) {
        done = tested_clone(&other, map);
    } else {
        for (struct tested_walk at = tested_begin(map); done && tested_next(&at);) {
            value_type *value = tested_put(&other, at.entry->key);
            if (value) *value = at.entry->value;
            done = value != NULL;
        }
    }
    if (!done && allocations != fails) fault("a copy fails without a reason");
    if (done) {
        struct tested old = *map;
        *map = other;
        other = old;
    }
    tested_free(&other);
}

static void get_many(struct tested *map, unsigned first) {
    key_type keys[MANY];
    value_type *found[MANY];
    for (unsigned i = 0; i < MANY; i++) keys[i] = key_of((first + i * 3) % KEYS);
    tested_get_many(map, keys, MANY, found);
    for (unsigned i = 0; i < MANY; i++) expect_same(found[i], (first + i * 3) % KEYS);
}

static void change_size(struct tested *map, unsigned entries, unsigned how) {
    size_t before = allocations;
    (void)before;
    if (how & 1) {
        if (!tested_shrink(map) && allocations != fails) fault("shrink fails without a reason");
    } else if (!tested_reserve(map, entries)) {
        if (allocations != fails) fault("reserve fails without a reason");
        if (tested_reserve(map, SIZE_MAX)) fault("room for SIZE_MAX entries was found");
    } else {
#ifndef FUZZ_BOUNDED
        /* What is reserved is there: inserts up to it ask for nothing. */
        before = allocations;
        for (unsigned i = 0; i < KEYS && present < entries; i += 7) put(map, i, how);
        if (allocations != before) fault("an insert into reserved room asks for memory");
#endif
    }
}

/* --- one input --- */

static void operate(struct tested *map, unsigned what, unsigned argument, unsigned keys) {
    unsigned index = argument % keys, how = what >> 5;
    switch (what % 32) {
    default:
        put(map, index, how);
        break;
    case 12:
    case 13:
    case 14:
    case 15:
    case 16:
    case 17:
    case 18:
        del(map, index, how);
        break;
    case 19:
    case 20:
        expect_same(tested_get(map, key_of(index)), index);
        break;
    case 21:
        walk(map, argument & 31, how);
        break;
    case 22:
        drain(map, argument % 200);
        break;
    case 23:
        replace(map, how);
        break;
    case 24:
    case 25:
        get_many(map, index);
        break;
    case 26:
        change_size(map, argument % 600, how);
        break;
    case 27:
        for (unsigned i = 0; i < argument % 400; i++) put(map, (index + i) % keys, how);
        break;
    case 28:
        for (unsigned i = 0; i < argument % 400; i++) del(map, (index + i) % keys, how);
        break;
    case 29:
        if (argument % 4) break;
        if (how & 1)
            tested_clear(map);
        else
            tested_free(map);
        memset(there, 0, sizeof there);
        present = 0;
        break;
    }
}

#ifdef __cplusplus
extern "C"
#endif
    int
    LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct tested map = empty_map();
    unsigned keys;
    if (size < HEAD) return 0;
    memset(there, 0, sizeof there);
    present = next_number = 0;
    allocations = 0;
    weakness = data[0] % 8;
    keys = data[1] % 2 ? KEYS : 40;
    shift = data[2] % 64;
    fails = data[3];
    for (size_t i = HEAD; i + 3 <= size; i += 3) {
        operate(&map, data[i], (unsigned)data[i + 1] << 8 | data[i + 2], keys);
        if (i % (3 * 32) == HEAD) check(&map);
    }
    check(&map);
    tested_free(&map);
    if (blocks != 0) fault("memory was not given back");
    return 0;
}

/* --- inputs from seeds and files --- */

#ifndef FUZZ_LIBFUZZER
static uint64_t random_state;

static unsigned random_byte(void) {
    random_state += 0x9e3779b97f4a7c15u;
    return (unsigned)(tagline_hash_u64(random_state) >> 32 & 0xff);
}

/* An input from its seed; then again, with each of its allocations failing. */
static void run_seed(uint64_t seed) {
    static uint8_t input[INPUT_MAX];
    size_t size, last;
    random_state = seed << 32;
    size = HEAD + 3 * (60 + random_byte() * 2);
    for (size_t i = 0; i < size; i++) input[i] = (uint8_t)random_byte();
    input[0] = (uint8_t)seed; /* every hash in turn */
    input[3] = 0;
    LLVMFuzzerTestOneInput(input, size);
    last = allocations < FAILURES_MAX ? allocations : FAILURES_MAX;
    for (size_t i = 1; i <= last; i++) {
        input[3] = (uint8_t)i;
        LLVMFuzzerTestOneInput(input, size);
    }
}

static int run_file(const char *path) {
    static uint8_t input[INPUT_MAX];
    FILE *file = fopen(path, "rb");
    if (!file) return perror(path), 2;
    LLVMFuzzerTestOneInput(input, fread(input, 1, sizeof input, file));
    fclose(file);
    return 0;
}

/* The weak hashes are weak in what they say: homes of 64, and tags, that all keys together have. */
static void check_hashes(void) {
    static const struct {
        size_t homes_min, homes_max, tags_min, tags_max;
    } expected[] = {{1, 1, 1, 1},   {1, 1, 2, 2},   {1, 1, 200, 254}, {8, 8, 2, 4},
                    {64, 64, 1, 1}, {64, 64, 1, 1}, {1, 1, 200, 254}, {64, 64, 200, 254}};
    for (weakness = 0; weakness < 8; weakness++) {
        unsigned char home[64] = {0}, tag[256] = {0};
        size_t homes = 0, tags = 0;
        for (unsigned i = 0; i < KEYS; i++) {
            uint64_t hash = weakened(i, tagline_hash_u64(i));
            home[tagline_home(hash, 63 * TAGLINE_BYTES) / TAGLINE_BYTES] = 1;
            tag[tagline_tag_of(tagline_tags(hash))] = 1;
        }
        for (size_t i = 0; i < 64; i++) homes += home[i];
        for (size_t i = 0; i < 256; i++) tags += tag[i];
        if (homes < expected[weakness].homes_min || homes > expected[weakness].homes_max ||
            tags < expected[weakness].tags_min || tags > expected[weakness].tags_max) {
            fprintf(stderr, "hash %u: %zu homes, %zu tags\n", weakness, homes, tags);
            fault("a weak hash is not weak as it says: what of a hash is home or tag has changed");
        }
    }
}

int main(int argc, char **argv) {
    char *end, *end2;
    if (argc < 2) return fprintf(stderr, "usage: %s SEED COUNT | FILE ...\n", argv[0]), 2;
    unsigned long long seed = strtoull(argv[1], &end, 10),
                       count = argc == 3 ? strtoull(argv[2], &end2, 10) : 0;
    if (argc != 3 || *end || *end2) {
        for (int i = 1; i < argc; i++)
            if (run_file(argv[i])) return 2;
        return 0;
    }
    check_hashes();
    for (unsigned long long i = 0; i < count; i++) {
        fprintf(stderr, "%llu\r", seed + i); /* the last one, if it aborts */
        run_seed(seed + i);
    }
    printf("passed: seeds %llu to %llu, groups compared by %s\n", seed, seed + count - 1, TAGLINE_KIND);
    return 0;
}
#endif

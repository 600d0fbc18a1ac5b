#include "harness/keys/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "harness/keys/keygen.h"
#include "harness/keys/keysets.h"
#include "harness/keys/keyspec.h"
#include "harness/keys/permute.h"
#include "harness/base/rng.h"
#include "harness/shapes/str.h"
#include "harness/keys/zipf.h"

/* Purposes of the streams derived from one seed. */
enum purpose {
    PURPOSE_KEYS = 1,
    PURPOSE_SHUFFLE,
    PURPOSE_POPULARITY,
    PURPOSE_PASS,
    PURPOSE_ABSENT,
    PURPOSE_DRAWS
};

enum {
    TEXT_SLOT_BYTES = 32,    /* stored text of one computed string key */
    MEAN_SAMPLE = 1 << 16,   /* keys whose lengths are averaged */
    TOUCH_STRIDE_BYTES = 64, /* a cache line */
};
_Static_assert((int)KEYGEN_TEXT_MAX <= (int)TEXT_SLOT_BYTES, "a text fits its slot");

struct keys {
    struct keyspec spec;
    const struct shape *shape;
    uint64_t n;
    size_t limit;
    struct keygen gen;        /* computed streams */
    const struct keyset *set; /* real sets; NULL: computed */
    struct permute shuffle;   /* real sets: index -> key of the set */
    struct zipf zipf;
    uint64_t hot;              /* hotset: hot keys */
    double hot_share;          /* hotset: of the touches */
    struct permute popularity; /* skewed streams: rank -> index, so that popular keys are not the oldest */
    char *slots;               /* computed strings: the stored texts; keys that point to a room: these */
    size_t slot_count, slots_bytes;
    char *probe; /* texts of the last block probed */
    size_t probe_room;
    struct keys_facts facts;
};

/* --- opening --- */

/* The most indices a spec can give; 0 and `why` when none. */
static size_t find_limit(const struct keyspec *spec, const struct shape *shape, const struct keyset **set,
                         struct why *why) {
    *set = NULL;
    if (!keyspec_is_set(spec)) {
        struct keygen gen = keygen_make(spec, shape->key_bits, 0);
        return keygen_limit(&gen, shape->key_bits);
    }
    *set = keysets_get(spec, shape->key_bits, why);
    return *set ? (*set)->count : 0;
}

size_t keys_available(const char *spec_text, const struct shape *shape, struct why *why) {
    struct keyspec spec;
    const struct keyset *set;
    if (!keyspec_parse(spec_text, shape->key_bits, &spec, why)) return 0;
    return find_limit(&spec, shape, &set, why);
}

static bool check_size(const struct keys *keys, const struct shape *shape, size_t n, struct why *why) {
    char name[sizeof keys->facts.name];
    keyspec_name(&keys->spec, name, sizeof name);
    if (n == 0) {
        why_say(why, "keys '%s': n is 0, it must be at least 1", name);
    } else if (n > keys->limit) {
        why_say(why, "keys '%s' has %zu distinct keys of shape %s: n is %zu, choose at most %zu", name,
                keys->limit, shape->name, n, keys->limit);
    } else {
        return true;
    }
    return false;
}

/* Slots for the stored texts of computed keys: two generations. A limit at which indices begin
 * again is a power of two, and the number of slots divides it: so the slot of an index does not depend on the
 * round. */
static size_t slots_needed(const struct keys *keys) {
    size_t slots = 2 * (size_t)keys->n;
    if (keys->limit == SIZE_MAX) return slots;
    if (slots >= keys->limit) return keys->limit;
    return (size_t)1 << (64 - __builtin_clzll(slots - 1));
}

static bool make_buffers(struct keys *keys, struct why *why) {
    if (keys->shape->key_bits ? keys->shape->key_room == 0 : keys->set != NULL) return true;
    keys->probe_room = (size_t)KEYS_BLOCK * TEXT_SLOT_BYTES;
    keys->probe = malloc(keys->probe_room);
    size_t bytes = 0;
    void *slots = MAP_FAILED;
    if (keys->n <= SIZE_MAX / 4) keys->slot_count = slots_needed(keys);
    if (keys->slot_count && !__builtin_mul_overflow(keys->slot_count, (size_t)TEXT_SLOT_BYTES, &bytes))
        slots = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (slots != MAP_FAILED) {
        keys->slots = slots;
        keys->slots_bytes = bytes;
    }
    if (keys->probe && keys->slots) return true;
    return why_say(why,
                   "no address space for the text of 2 * %llu string keys of %d bytes; choose a smaller n",
                   (unsigned long long)keys->n, TEXT_SLOT_BYTES);
}

static void set_skew(struct keys *keys, uint64_t seed) {
    keys->popularity = permute_make(keys->n, rng_derive(seed, PURPOSE_POPULARITY));
    if (keys->spec.kind == KEYSPEC_ZIPF) keys->zipf = zipf_make(keys->n, keys->spec.theta);
    if (keys->spec.kind == KEYSPEC_HOTSET) {
        keys->hot = (uint64_t)((double)keys->n * keys->spec.hot_keys_pct / 100 + 0.5);
        if (keys->hot == 0) keys->hot = 1;
        if (keys->hot > keys->n) keys->hot = keys->n;
        keys->hot_share = keys->spec.hot_touches_pct / 100;
    }
}

/* The key of the set that an index stands for. */
static uint64_t set_index(const struct keys *keys, uint64_t index) {
    return keys->spec.kind == KEYSPEC_LINES ? index : permute_at(&keys->shuffle, index);
}

static size_t text_length(const struct keys *keys, uint64_t index) {
    char text[KEYGEN_TEXT_MAX];
    if (!keys->set) return keygen_text(&keys->gen, index, text);
    uint64_t i = set_index(keys, index);
    return keys->set->offset[i + 1] - keys->set->offset[i];
}

static double mean_length(const struct keys *keys) {
    uint64_t count = keys->n < MEAN_SAMPLE ? keys->n : MEAN_SAMPLE, sum = 0;
    for (uint64_t i = 0; i < count; i++) sum += text_length(keys, i);
    return (double)sum / (double)count;
}

static void make_facts(struct keys *keys, const struct shape *shape) {
    struct keys_facts *facts = &keys->facts;
    const struct keyset *set = keys->set;
    keyspec_name(&keys->spec, facts->name, sizeof facts->name);
    facts->limit = keys->limit;
    facts->mean_key_bytes = shape->key_bits ? (double)(shape->key_size + shape->key_room) : mean_length(keys);
    if (!set) {
        snprintf(facts->provenance, sizeof facts->provenance, "computed from index and seed");
        if (shape->key_bits == 0 || shape->key_room) facts->text_bytes = (size_t)keys->n * TEXT_SLOT_BYTES;
        return;
    }
    memcpy(facts->provenance, set->provenance, sizeof facts->provenance);
    memcpy(facts->sha256, set->sha256, sizeof facts->sha256);
    facts->files = set->files;
    facts->files_skipped = set->files_skipped;
    facts->duplicates = set->duplicates;
    facts->empty_lines = set->empty_lines;
    facts->with_nul = set->with_nul;
    if (set->text) facts->text_bytes = set->offset[set->count];
}

struct keys *keys_open(const char *spec, const struct shape *shape, size_t n, uint64_t seed,
                       struct why *why) {
    struct keys *keys = calloc(1, sizeof *keys);
    if (!keys) {
        why_say(why, "out of memory: %zu bytes for a key stream", sizeof *keys);
        return NULL;
    }
    keys->shape = shape;
    keys->n = n;
    if (!keyspec_parse(spec, shape->key_bits, &keys->spec, why) ||
        (keys->limit = find_limit(&keys->spec, shape, &keys->set, why)) == 0 ||
        !check_size(keys, shape, n, why) || !make_buffers(keys, why)) {
        keys_close(keys);
        return NULL;
    }
    if (keys->set)
        keys->shuffle = permute_make(keys->limit, rng_derive(seed, PURPOSE_SHUFFLE));
    else
        keys->gen = keygen_make(&keys->spec, shape->key_bits, rng_derive(seed, PURPOSE_KEYS));
    set_skew(keys, seed);
    make_facts(keys, shape);
    keys->spec.path = NULL; /* the caller's text */
    return keys;
}

void keys_close(struct keys *keys) {
    if (!keys) return;
    if (keys->slots) munmap(keys->slots, keys->slots_bytes);
    free(keys->probe);
    free(keys);
}

const struct keys_facts *keys_facts(const struct keys *keys) {
    return &keys->facts;
}

size_t keys_limit(const struct keys *keys) {
    return keys->limit;
}

const void *keys_stored_text(const struct keys *keys, size_t *bytes) {
    bool from_set = keys->set && keys->set->text;
    *bytes = keys->shape->key_bits ? 0 : from_set ? keys->set->offset[keys->set->count] : keys->slots_bytes;
    return *bytes == 0 ? NULL : from_set ? keys->set->text : keys->slots;
}

/* --- blocks of keys --- */

/* Indices past the limit begin again at 0, so that a window of n <= limit indices always has n distinct keys.
 */
static uint64_t wrapped(const struct keys *keys, uint64_t index) {
    return __builtin_expect(index >= keys->limit, 0) ? index % keys->limit : index;
}

static uint64_t number_at(const struct keys *keys, uint64_t index) {
    if (!keys->set) return keygen_number(&keys->gen, wrapped(keys, index));
    return keys->set->number[set_index(keys, wrapped(keys, index))];
}

/* Keys that are made from numbers; what they point to is in its slot if they are to be stored, else the
 * block's. */
static void fill_made(const struct keys *keys, const uint64_t *index, size_t count, bool stored, void *out) {
    for (size_t i = 0; i < count; i++) {
        char *room = stored ? keys->slots + (keys->slots ? index[i] % keys->slot_count * TEXT_SLOT_BYTES : 0)
                            : keys->probe + (keys->probe ? i * TEXT_SLOT_BYTES : 0);
        keys->shape->key_make(number_at(keys, index[i]), room, (char *)out + i * keys->shape->key_size);
    }
}

static void fill_numbers(const struct keys *keys, const uint64_t *index, size_t count, bool stored,
                         void *out) {
    if (keys->shape->key_size == sizeof(uint32_t)) {
        uint32_t *key = out;
        for (size_t i = 0; i < count; i++) key[i] = (uint32_t)number_at(keys, index[i]);
    } else if (keys->shape->key_is_number) {
        uint64_t *key = out;
        for (size_t i = 0; i < count; i++) key[i] = number_at(keys, index[i]);
    } else {
        fill_made(keys, index, count, stored, out);
    }
}

/* A key of a real set, where the set keeps it. */
static struct str set_text(const struct keys *keys, uint64_t index) {
    uint64_t i = set_index(keys, wrapped(keys, index));
    uint64_t begin = keys->set->offset[i];
    return (struct str){keys->set->text + begin, keys->set->offset[i + 1] - begin};
}

/* Brings a text into the cache, where a program has a key that it is about to store. */
static void touch(struct str key) {
    for (size_t at = 0; at < key.len; at += TOUCH_STRIDE_BYTES) (void)*(const volatile char *)(key.text + at);
}

void keys_store(struct keys *keys, const uint64_t *index, size_t count, void *out) {
    if (keys->shape->key_bits) {
        fill_numbers(keys, index, count, true, out);
        return;
    }
    struct str *key = out;
    for (size_t i = 0; i < count; i++) {
        if (keys->set) {
            key[i] = set_text(keys, index[i]);
            touch(key[i]);
        } else {
            char *slot = keys->slots + index[i] % keys->slot_count * TEXT_SLOT_BYTES;
            key[i] = (struct str){slot, keygen_text(&keys->gen, wrapped(keys, index[i]), slot)};
        }
    }
}

/* Room for a block's texts; the earlier ones are lost. */
static void grow_probe(struct keys *keys, size_t bytes) {
    if (bytes <= keys->probe_room) return;
    free(keys->probe);
    keys->probe = malloc(bytes);
    keys->probe_room = bytes;
    if (keys->probe) return;
    fprintf(stderr, "mapbench: out of memory: %zu bytes for the text of a block of keys\n", bytes);
    exit(4);
}

static void probe_set(struct keys *keys, const uint64_t *index, size_t count, struct str *key) {
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        key[i] = set_text(keys, index[i]);
        bytes += key[i].len;
    }
    grow_probe(keys, bytes);
    char *at = keys->probe;
    for (size_t i = 0; i < count; i++) {
        memcpy(at, key[i].text, key[i].len);
        key[i].text = at;
        at += key[i].len;
    }
}

void keys_probe(struct keys *keys, const uint64_t *index, size_t count, void *out) {
    struct str *key = out;
    if (keys->shape->key_bits) {
        fill_numbers(keys, index, count, false, out);
    } else if (keys->set) {
        probe_set(keys, index, count, key);
    } else {
        char *at = keys->probe;
        for (size_t i = 0; i < count; i++, at += TEXT_SLOT_BYTES)
            key[i] = (struct str){at, keygen_text(&keys->gen, wrapped(keys, index[i]), at)};
    }
}

/* --- orders --- */

void keys_cursor_init(struct keys_cursor *cursor, uint64_t seed) {
    *cursor = (struct keys_cursor){.seed = seed, .rng = rng_derive(seed, PURPOSE_DRAWS)};
}

static struct permute pass_order(const struct keys *keys, uint64_t seed, uint64_t pass) {
    return permute_make(keys->n, rng_derive(rng_derive(seed, PURPOSE_PASS), pass));
}

void keys_pass(const struct keys *keys, uint64_t seed, uint64_t pass, uint64_t position, size_t count,
               uint64_t *index) {
    struct permute order = pass_order(keys, seed, pass);
    for (size_t i = 0; i < count; i++) index[i] = permute_at(&order, position + i);
}

/* The absent indices in windows of at most n, each in a random order of its own, so that misses too come in
 * no order a map could profit from. */
struct absent_window {
    uint64_t begin, size; /* counted from n */
    struct permute order;
};

static struct absent_window absent_window(const struct keys *keys, uint64_t seed, uint64_t which) {
    uint64_t span = keys->limit - keys->n, number = which / keys->n;
    struct absent_window window = {.begin = number * keys->n, .size = keys->n};
    if (window.size > span - window.begin) window.size = span - window.begin;
    window.order = permute_make(window.size, rng_derive(rng_derive(seed, PURPOSE_ABSENT), number));
    return window;
}

static uint64_t draw_absent(const struct keys *keys, struct keys_cursor *cursor, bool insertion_order,
                            struct absent_window *window) {
    uint64_t which = cursor->absent++ % (keys->limit - keys->n);
    if (insertion_order) return keys->n + which;
    if (which - window->begin >= window->size) *window = absent_window(keys, cursor->seed, which);
    return keys->n + window->begin + permute_at(&window->order, which - window->begin);
}

static uint64_t draw_skewed(const struct keys *keys, struct keys_cursor *cursor) {
    uint64_t rank;
    if (keys->spec.kind == KEYSPEC_ZIPF)
        rank = zipf_draw(&keys->zipf, &cursor->rng) - 1;
    else if (keys->hot == keys->n || rng_unit(&cursor->rng) < keys->hot_share)
        rank = rng_below(&cursor->rng, keys->hot);
    else
        rank = keys->hot + rng_below(&cursor->rng, keys->n - keys->hot);
    return permute_at(&keys->popularity, rank);
}

void keys_draw(const struct keys *keys, struct keys_cursor *cursor, size_t count, unsigned hit_percent,
               bool insertion_order, uint64_t *index) {
    bool skewed = keys_stream_at(keys->spec.kind)->skewed && !insertion_order;
    struct permute order = pass_order(keys, cursor->seed, cursor->pass);
    struct absent_window window = {0};
    if (hit_percent < 100 && keys->limit == keys->n) {
        fprintf(stderr, "mapbench: keys '%s' with n = %zu leave no absent keys; choose a smaller n\n",
                keys->facts.name, keys->limit);
        exit(2);
    }
    for (size_t i = 0; i < count; i++) {
        if (hit_percent < 100 && rng_below(&cursor->rng, 100) >= hit_percent) {
            index[i] = draw_absent(keys, cursor, insertion_order, &window);
            continue;
        }
        if (skewed) {
            index[i] = draw_skewed(keys, cursor);
            continue;
        }
        index[i] = insertion_order ? cursor->position : permute_at(&order, cursor->position);
        if (++cursor->position == keys->n) {
            cursor->position = 0;
            order = pass_order(keys, cursor->seed, ++cursor->pass);
        }
    }
}

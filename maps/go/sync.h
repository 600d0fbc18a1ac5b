/* The common ground of the two ports of Go's sync.Map: the lock, the memory that waits for its last reader,
 * the counters.
 *
 * Go leaves every replaced value, entry and map to its collector, so a reader may go on using what it found
 * without a lock. C has no collector. Here each map is in one of two states:
 *
 *   alone    (as created) one thread uses the map. Whatever an operation replaces is freed at once.
 *   shared   any number of threads. A replaced block is RETIRED: it goes on a list and stays readable until
 *            map_quiesce or map_destroy.
 *
 * map_share begins the shared state, before other threads get to know of the map. map_quiesce ends it: call
 * it when no other thread is inside an operation and none keeps the address of a value from a scan (all
 * joined, or all past a barrier). Until then memory grows with every replacement; nothing is freed under a
 * reader, and no address comes back while a compare-and-swap could still take it for the old one.
 */
#ifndef MAPBENCH_MAPS_GO_SYNC_H
#define MAPBENCH_MAPS_GO_SYNC_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- the lock: sync.Mutex of Go's sync/mutex.go, without its starvation mode ---
 * One compare-and-swap to take it, one exchange to release it, as there. The waiting is Drepper's ("Futexes
 * Are Tricky", 2011, section 6): 2 says that somebody may sleep. */
enum { GO_MUTEX_FREE, GO_MUTEX_HELD, GO_MUTEX_CONTENDED, GO_MUTEX_SPINS = 4 };

struct go_mutex {
    _Atomic(uint32_t) state;
};

static __attribute__((noinline, cold, unused)) void go_mutex_wait(struct go_mutex *mutex) {
    for (int spin = 0; spin < GO_MUTEX_SPINS; spin++) {
        for (int i = 0; i < 30; i++) __asm__ volatile("" ::: "memory");
        uint32_t expected = GO_MUTEX_FREE;
        if (atomic_compare_exchange_strong(&mutex->state, &expected, GO_MUTEX_HELD)) return;
    }
    while (atomic_exchange(&mutex->state, GO_MUTEX_CONTENDED) != GO_MUTEX_FREE)
        syscall(SYS_futex, &mutex->state, FUTEX_WAIT_PRIVATE, GO_MUTEX_CONTENDED, NULL, NULL, 0);
}

static inline void go_mutex_lock(struct go_mutex *mutex) {
    uint32_t expected = GO_MUTEX_FREE;
    if (__builtin_expect(!atomic_compare_exchange_strong(&mutex->state, &expected, GO_MUTEX_HELD), 0))
        go_mutex_wait(mutex);
}

static inline void go_mutex_unlock(struct go_mutex *mutex) {
    if (__builtin_expect(atomic_exchange(&mutex->state, GO_MUTEX_FREE) == GO_MUTEX_CONTENDED, 0))
        syscall(SYS_futex, &mutex->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* --- retired memory --- */

/* First member of everything that can be retired; used only from then on, as readers may still use the rest.
 */
struct go_retired {
    struct go_retired *next;
};

typedef _Atomic(struct go_retired *) go_retired_list;

/* Pushes only: whoever takes the list apart is alone, so no node is popped while another is pushed. */
static inline void go_retired_push(go_retired_list *list, struct go_retired *node) {
    node->next = atomic_load(list);
    while (!atomic_compare_exchange_weak(list, &node->next, node)) continue;
}

/* --- counters ---
 * Go's sync.Map does not count its entries. The suite must know the length, so it is counted beside the port:
 * without a locked instruction while the map is alone. */
static inline void go_counter_add(_Atomic(size_t) *counter, size_t change, bool shared) {
    if (shared)
        atomic_fetch_add_explicit(counter, change, memory_order_relaxed);
    else
        atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + change,
                              memory_order_relaxed);
}

static inline size_t go_counter_read(const _Atomic(size_t) *counter) {
    return atomic_load_explicit((_Atomic(size_t) *)counter, memory_order_relaxed);
}

/* --- hashing ---
 * Both kinds of sync.Map have keys of type any, which Go hashes by nilinterhash of runtime/alg.go: the hash
 * of the value inside, keyed and multiplied. This is the native policy; the common one takes the suite's
 * key_hash. The seed is fixed, so that runs repeat: Go draws one for each map. A map file keeps the keys in
 * `hash_keys`. */
#ifdef UNIT_HASH_native
#include "maps/go/hash.h"

#define GO_SYNC_SEED 0x123456789abcdef1u
#define GO_HASH_FIELD const struct go_hash_keys *hash_keys;
#define GO_HASH_BIND(map) ((void)((map)->hash_keys = go_hash_unit_keys()))

static inline uint64_t go_interface_hash(const struct go_hash_keys *keys, map_key key) {
    const uint64_t c0 = 33054211828000289u, c1 = 23344194077549503u; /* runtime/alg.go, 64-bit */
    uint64_t seed = GO_SYNC_SEED ^ c0;
#if defined(SHAPE_KEY_STR)
    return c1 * go_strhash(keys, key.text, key.len, seed);
#elif !defined(SHAPE_KEY_INT)
    return c1 * go_strhash(keys, (const char *)&key, sizeof key, seed); /* plain memory */
#elif SHAPE_KEY_BITS == 32
    return c1 * go_memhash32(keys, key, seed);
#else
    return c1 * go_memhash64(keys, key, seed);
#endif
}
#define GO_KEY_HASH(map, key) go_interface_hash((map)->hash_keys, key)
#else
#define GO_HASH_FIELD
#define GO_HASH_BIND(map) ((void)(map))
#define GO_KEY_HASH(map, key) ((void)(map), key_hash(key))
#endif

#endif

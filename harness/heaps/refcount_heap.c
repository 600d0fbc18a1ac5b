#include "harness/heaps/refcount_heap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "harness/base/address.h"

/* The head in front of every object. */
struct head {
    _Alignas(16) uint64_t references;
    uint64_t bytes; /* of the object; the top bit: its owner has given it up */
};
#define GIVEN_UP ((uint64_t)1 << 63)

/* The table of addresses that are objects: a bit per 16 bytes (malloc's alignment) of the address
 * space, in regions of 1 GiB that are mapped when first used. */
enum { REGION_BITS = 30, GRANULE_BITS = 4 };
#define REGION_MAP_BYTES ((size_t)1 << (REGION_BITS - GRANULE_BITS - 3))

/* Global because the address space is. */
static struct {
    unsigned char *region[(size_t)1 << (ADDRESS_BITS - REGION_BITS)];
    struct refcount_stats stats;
} heap;

/* --- which addresses are objects --- */

static unsigned char *bits_of(const void *address, bool *out_of_memory) {
    uintptr_t at = (uintptr_t)address;
    if (at >> ADDRESS_BITS) return NULL;
    unsigned char **region = &heap.region[at >> REGION_BITS];
    if (!*region && out_of_memory) {
        void *map = mmap(NULL, REGION_MAP_BYTES, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        *out_of_memory = map == MAP_FAILED;
        if (!*out_of_memory) *region = map;
    }
    return *region ? &(*region)[(at & (((uintptr_t)1 << REGION_BITS) - 1)) >> (GRANULE_BITS + 3)] : NULL;
}

static unsigned char bit_of(const void *address) {
    return (unsigned char)(1u << ((uintptr_t)address >> GRANULE_BITS & 7));
}

static struct head *head_of(const void *address) {
    if (!address || (uintptr_t)address & ((1u << GRANULE_BITS) - 1)) return NULL;
    const unsigned char *bits = bits_of(address, NULL);
    return bits && *bits & bit_of(address) ? (struct head *)((uintptr_t)address - sizeof(struct head)) : NULL;
}

static uint64_t bytes_of(const struct head *head) {
    return head->bytes & ~GIVEN_UP;
}

/* --- going --- */

/* Takes a reference away; true: the object must go. A reference that was never counted (a plain copy) may be
 * dropped too. */
static bool lose_reference(struct head *head) {
    if (head->references == 0) return false;
    head->references--;
    if (head->references > 0 || !(head->bytes & GIVEN_UP)) return false;
    heap.stats.waiting--;
    heap.stats.waiting_bytes -= bytes_of(head);
    return true;
}

/* Makes it no object any more and puts it on the list, linked through the count, which is 0 and done with. */
static void condemn(struct head *head, struct head **list) {
    void *object = head + 1;
    *bits_of(object, NULL) &= (unsigned char)~bit_of(object);
    heap.stats.objects--;
    heap.stats.bytes -= bytes_of(head);
    head->references = (uint64_t)(uintptr_t)*list;
    *list = head;
}

static void drop_words(void *start, size_t bytes, bool zero, struct head **list) {
    unsigned char *at = start;
    for (size_t i = 0; i + sizeof(void *) <= bytes; i += sizeof(void *)) {
        void *value;
        memcpy(&value, at + i, sizeof value);
        struct head *head = head_of(value);
        if (!head) continue;
        if (zero) memset(at + i, 0, sizeof value);
        if (lose_reference(head)) condemn(head, list);
    }
}

/* A list instead of recursion: a chain of a million objects goes as well. */
static void let_go(struct head *list) {
    while (list) {
        struct head *head = list;
        list = (struct head *)(uintptr_t)head->references;
        drop_words(head + 1, bytes_of(head), false, &list);
        free(head);
    }
}

/* --- what maps call --- */

void *refcount_new(size_t bytes) {
    bool out_of_memory = false;
    if (bytes > PTRDIFF_MAX - sizeof(struct head)) return NULL;
    struct head *head = calloc(1, sizeof *head + bytes);
    if (!head) return NULL;
    unsigned char *bits = bits_of(head + 1, &out_of_memory);
    if (!bits) {
        free(head);
        return NULL;
    }
    head->bytes = bytes;
    *bits |= bit_of(head + 1);
    heap.stats.objects++;
    heap.stats.bytes += bytes;
    return head + 1;
}

void refcount_free(void *object) {
    struct head *head = head_of(object), *list = NULL;
    if (!head || head->bytes & GIVEN_UP) {
        if (object) abort(); /* freed twice, or not an object of this heap */
        return;
    }
    head->bytes |= GIVEN_UP;
    if (head->references > 0) {
        heap.stats.waiting++;
        heap.stats.waiting_bytes += bytes_of(head);
        return;
    }
    condemn(head, &list);
    let_go(list);
}

void refcount_store(void *slot, void *value) {
    void *old;
    struct head *head = head_of(value), *list = NULL;
    heap.stats.stores++;
    memcpy(&old, slot, sizeof old);
    if (head) head->references++;
    memcpy(slot, &value, sizeof value);
    head = head_of(old);
    if (!head || !lose_reference(head)) return;
    condemn(head, &list);
    let_go(list);
}

void refcount_drop(void *slot, size_t bytes) {
    struct head *list = NULL;
    heap.stats.drops++;
    drop_words(slot, bytes, true, &list);
    let_go(list);
}

uint64_t refcount_of(const void *object) {
    const struct head *head = head_of(object);
    return head ? head->references : 0;
}

void refcount_stats(struct refcount_stats *out) {
    *out = heap.stats;
}

#include "harness/heaps/fault.h"

/* The one mutable state of the suite's own code that no argument carries: an allocation has nowhere to take
 * it from. */
static _Thread_local uint64_t calls_left = UINT64_MAX;
static _Thread_local uint64_t failed;

void fault_after(uint64_t calls) {
    calls_left = calls;
}

bool fault_now(void) {
    if (calls_left == UINT64_MAX) return false;
    if (calls_left > 0) {
        calls_left--;
        return false;
    }
    calls_left = UINT64_MAX;
    failed++;
    return true;
}

uint64_t fault_count(void) {
    return failed;
}

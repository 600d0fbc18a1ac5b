/* Uses the maps of split.h without a line of their functions.
 *
 * Prints:
 * 7 has 2, 8 has 1, 9 has 0
 */
#include <stdio.h>

#include "split.h"

int main(void) {
    struct poll poll = poll_make();
    static const struct { uint64_t voter, candidate; } cast[] = {{1, 7}, {2, 8}, {3, 7}, {1, 8}};
    for (size_t i = 0; i < sizeof cast / sizeof *cast; i++)
        poll_vote(&poll, cast[i].voter, cast[i].candidate);
    printf("7 has %u, 8 has %u, 9 has %u\n", (unsigned)poll_votes(&poll, 7), (unsigned)poll_votes(&poll, 8),
           (unsigned)poll_votes(&poll, 9));
    poll_free(&poll);
    return 0;
}

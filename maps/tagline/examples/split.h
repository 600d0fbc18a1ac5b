/* A header that shows a map's type and keeps its functions to itself. */
#ifndef SPLIT_H
#define SPLIT_H
#include <stdint.h>

#define TAGLINE_NAME votes
#define TAGLINE_KEY uint64_t
#define TAGLINE_VALUE uint32_t
#define TAGLINE_TYPES_ONLY
#include "tagline.h"

#define TAGLINE_NAME voters
#define TAGLINE_KEY uint64_t
#define TAGLINE_TYPES_ONLY
#include "tagline.h"

struct poll {
    struct votes votes;
    struct voters voters;
};

struct poll poll_make(void);
void poll_free(struct poll *poll);
bool poll_vote(struct poll *poll, uint64_t voter,
               uint64_t candidate); /* false: not again, or out of memory */
uint32_t poll_votes(const struct poll *poll, uint64_t candidate);
#endif

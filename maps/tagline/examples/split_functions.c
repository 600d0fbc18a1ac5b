/* The functions of the maps of split.h: the same settings again, and those that only functions need. */
#include "split.h"

#define TAGLINE_NAME votes
#define TAGLINE_KEY uint64_t
#define TAGLINE_VALUE uint32_t
#define TAGLINE_HASH(key) tagline_hash_u64(key)
#define TAGLINE_TYPES_GIVEN
#include "tagline.h"

#define TAGLINE_NAME voters
#define TAGLINE_KEY uint64_t
#define TAGLINE_HASH(key) tagline_hash_u64(key)
#define TAGLINE_TYPES_GIVEN
#include "tagline.h"

struct poll poll_make(void) {
    struct poll poll;
    poll.votes = votes_make();
    poll.voters = voters_make();
    return poll;
}

void poll_free(struct poll *poll) {
    votes_free(&poll->votes);
    voters_free(&poll->voters);
}

bool poll_vote(struct poll *poll, uint64_t voter, uint64_t candidate) {
    bool first, added;
    if (!voters_add(&poll->voters, voter, &first) || !first) return false;
    uint32_t *votes = votes_add(&poll->votes, candidate, &added);
    if (!votes) {
        voters_del(&poll->voters, voter);
        return false;
    }
    *votes = added ? 1 : *votes + 1;
    return true;
}

uint32_t poll_votes(const struct poll *poll, uint64_t candidate) {
    const uint32_t *votes = votes_get(&poll->votes, candidate);
    return votes ? *votes : 0;
}

#include "harness/base/go_release.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINOR_MAX = 99 };

int go_release_number(const char *text) {
    char *end;
    if (strncmp(text, "1.", 2) != 0 || text[2] < '1' || text[2] > '9') return 0;
    long minor = strtol(text + 2, &end, 10);
    return *end || minor > MINOR_MAX ? 0 : 100 + (int)minor;
}

const char *go_release_text(int release, char room[GO_RELEASE_TEXT_SIZE]) {
    snprintf(room, GO_RELEASE_TEXT_SIZE, "%d.%d", release / 100, release % 100);
    return room;
}

bool go_release_unknown(const char *text, const int known[], size_t count, struct why *why) {
    int release = go_release_number(text), nearest = 0, distance = INT_MAX;
    char room[GO_RELEASE_TEXT_SIZE];
    for (size_t i = 0; release && i < count; i++)
        if (abs(known[i] - release) < distance) nearest = known[i], distance = abs(nearest - release);
    if (nearest)
        return why_say(why, "unknown release of Go '%s': did you mean '%s'?", text,
                       go_release_text(nearest, room));
    why_say(why, "unknown release of Go '%s': there are", text);
    for (size_t i = 0; i < count; i++) why_add(why, "%s %s", i ? "," : "", go_release_text(known[i], room));
    return false;
}

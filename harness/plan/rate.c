#include "harness/plan/rate.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/names.h"

/* A thousandfold of the closed loop's throughput would only ever measure the length of the queue. */
static const double share_most = 4;
/* One operation a nanosecond: no clock here resolves more. */
static const double per_s_most = 1e9;

struct parse {
    struct rates *out;
    struct why *why;
};

static bool refuse(const struct parse *parse, const char *item, const char *reason) {
    return why_say(parse->why,
                   "--rate: '%.40s' %s; write closed, 50%%, same:50%% (of the slowest map) or 2m/s", item,
                   reason);
}

/* The number at the beginning of `text`; false when there is none. strtod alone would take "inf" and "0x1p3".
 */
static bool number(const char *text, double *value, const char **rest) {
    char *end;
    if (!isdigit((unsigned char)text[0]) || text[strspn(text, "0123456789.")] == 'x') return false;
    *value = strtod(text, &end);
    *rest = end;
    return true;
}

static bool parse_share(const char *text, struct rate *rate) {
    const char *rest;
    if (!number(text, &rate->value, &rest) || strcmp(rest, "%") != 0) return false;
    rate->value /= 100;
    return true;
}

static bool parse_per_s(const char *text, struct rate *rate) {
    const char *rest;
    if (!number(text, &rate->value, &rest)) return false;
    if (*rest == 'k')
        rate->value *= 1e3, rest++;
    else if (*rest == 'm')
        rate->value *= 1e6, rest++;
    return strcmp(rest, "/s") == 0;
}

static bool parse_item(void *context, const char *item) {
    struct parse *parse = context;
    struct rate rate = {.kind = RATE_CLOSED};
    bool same = strncmp(item, "same:", 5) == 0;
    if (strlen(item) >= sizeof rate.text) return refuse(parse, item, "is no rate");
    snprintf(rate.text, sizeof rate.text, "%s", item);
    if (strcmp(item, "closed") != 0) {
        if (parse_share(same ? item + 5 : item, &rate))
            rate.kind = same ? RATE_SAME : RATE_SHARE;
        else if (!same && parse_per_s(item, &rate))
            rate.kind = RATE_ABSOLUTE;
        else
            return refuse(parse, item, "is no rate");
        if (!(rate.value > 0)) return refuse(parse, item, "is no load at all");
        if (rate.value > (rate.kind == RATE_ABSOLUTE ? per_s_most : share_most))
            return refuse(parse, item, "is more than 400% or 1000m/s");
    }
    for (size_t i = 0; i < parse->out->count; i++)
        if (strcmp(parse->out->rate[i].text, item) == 0) return true; /* asked for twice */
    if (parse->out->count == RATES_MAX) return refuse(parse, item, "is one rate too many (8 at most)");
    parse->out->rate[parse->out->count++] = rate;
    return true;
}

bool rates_parse(const char *list, struct rates *out, struct why *why) {
    struct parse parse = {out, why};
    out->count = 0;
    if (!names_split(list, parse_item, &parse)) return false;
    return out->count > 0 || refuse(&parse, list, "names no rate");
}

double rate_per_s(const struct rate *rate, double own_per_s, double slowest_per_s) {
    switch (rate->kind) {
    case RATE_SHARE:
        return rate->value * own_per_s;
    case RATE_SAME:
        return rate->value * slowest_per_s;
    case RATE_ABSOLUTE:
        return rate->value;
    case RATE_CLOSED:
        break;
    }
    return 0;
}

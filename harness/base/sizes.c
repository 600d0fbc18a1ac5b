#include "harness/base/sizes.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/names.h"

struct parse {
    struct sizes *out;
    struct why *why;
};

/* NUMBER[k|m|g] up to `end`; false with a reason when it is none, or is not positive. */
static bool parse_size(const char *text, const char *end, size_t *n, struct parse *p) {
    int len = (int)(end - text);
    char *stop;
    errno = 0;
    if (len > 0 && *text == '-') return why_say(p->why, "size '%.*s' is negative: give 1 or more", len, text);
    unsigned long long value =
        len > 0 && isdigit((unsigned char)*text) ? strtoull(text, &stop, 10) : (stop = (char *)text, 0);
    unsigned shift = 0;
    if (stop > text && stop < end) {
        switch (tolower((unsigned char)*stop)) {
        case 'k':
            shift = 10, stop++;
            break;
        case 'm':
            shift = 20, stop++;
            break;
        case 'g':
            shift = 30, stop++;
            break;
        default:
            break;
        }
    }
    if (stop != end || len <= 0)
        why_say(p->why, "size '%.*s' is not a number: write 1000, 64k, 1m, 1k..1m*2 or octave:1m", len, text);
    else if (value == 0)
        why_say(p->why, "size 0 measures nothing: give 1 or more");
    else if (errno == ERANGE || value > (UINT64_MAX >> 8 >> shift))
        why_say(p->why, "size '%.*s' is too large to address", len, text);
    else
        return *n = (size_t)value << shift, true;
    return false;
}

static bool add(struct parse *p, size_t n) {
    for (size_t i = 0; i < p->out->count; i++)
        if (p->out->n[i] == n) return true;
    if (p->out->count == SIZES_MAX) return why_say(p->why, "more than %d sizes", SIZES_MAX);
    p->out->n[p->out->count++] = n;
    return true;
}

/* A sweep in smaller steps has more sizes than anybody measures, or never ends. */
static const double factor_least = 1.001;

static bool parse_sweep(const char *item, const char *dots, struct parse *p) {
    const char *star = strchr(dots, '*'), *end = star ? star : dots + strlen(dots);
    double factor = 2;
    size_t from, to;
    if (!parse_size(item, dots, &from, p) || !parse_size(dots + 2, end, &to, p)) return false;
    if (star) {
        char *stop;
        factor = strtod(star + 1, &stop);
        if (stop == star + 1 || *stop || !(factor >= factor_least) || factor > 1e9)
            return why_say(p->why, "sweep '%s': the factor after * must be a number from %g to 1e9", item,
                           factor_least);
    }
    if (from > to) return why_say(p->why, "sweep '%s' runs backwards: write the smaller size first", item);
    for (double n = (double)from; n < (double)to; n *= factor)
        if (!add(p, (size_t)llround(n))) return false;
    return add(p, to);
}

static bool parse_octave(const char *item, const char *top_text, struct parse *p) {
    size_t top;
    if (!parse_size(top_text, top_text + strlen(top_text), &top, p)) return false;
    if (top < 16) return why_say(p->why, "'%s': an octave has eight different sizes only from 16 on", item);
    for (int i = 7; i >= 0; i--)
        if (!add(p, (size_t)llround((double)top * exp2(-i / 8.0)))) return false;
    return true;
}

static bool parse_item(void *context, const char *item) {
    struct parse *p = context;
    const char *dots = strstr(item, "..");
    size_t n;
    if (strcmp(item, "all") == 0) return add(p, SIZE_ALL);
    if (strncmp(item, "octave:", 7) == 0) return parse_octave(item, item + 7, p);
    if (dots) return parse_sweep(item, dots, p);
    return parse_size(item, item + strlen(item), &n, p) && add(p, n);
}

bool sizes_parse(const char *text, struct sizes *out, struct why *why) {
    struct parse p = {out, why};
    out->count = 0;
    if (!names_split(text, parse_item, &p)) return false;
    if (out->count == 0) why_say(why, "no size given");
    return out->count > 0;
}

char *size_text(size_t n, char *out) {
    if (n == SIZE_ALL) return strcpy(out, "all");
    unsigned shift = 0;
    while (shift < 30 && n != 0 && (n >> shift & 1023) == 0) shift += 10;
    sprintf(out, "%zu%s", n >> shift, shift == 10 ? "k" : shift == 20 ? "m" : shift == 30 ? "g" : "");
    return out;
}

char *size_bytes_text(double bytes, char *out, size_t size) {
    static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t i = 0;
    for (; bytes >= 1024 && i < 6; i++) bytes /= 1024;
    snprintf(out, size, "%.1f %s", bytes, unit[i]);
    return out;
}

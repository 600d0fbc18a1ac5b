#include "harness/keys/keyspec.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/count_of.h"
#include "harness/keys/keys.h"

static const double zipf_theta_default = 0.99; /* YCSB's, so figures can be held against others' */
static const double zipf_theta_max = 5;
static const uint64_t stride_default = 4096; /* a page: addresses of aligned buffers look like this */
/* Low bits zero, the rest in groups: what a hash that keeps low bits, or few bits, cannot tell apart. */
static const uint64_t mask_default_64 = 0xfff000fff000fff0, mask_default_32 = 0xfff0fff0;

static const struct keys_stream streams[] = {
    [KEYSPEC_UNIFORM] = {"uniform", "", "pseudo-random keys, each touched once per pass", false, false},
    [KEYSPEC_ZIPF] = {"zipf", ":THETA",
                      "uniform keys; the k-th most popular is touched as often as k^-THETA (0.99)", true,
                      false},
    [KEYSPEC_HOTSET] = {"hotset", ":KEYS%:TOUCHES%",
                        "uniform keys; TOUCHES% of the touches go to KEYS% of them (10:90)", true, false},
    [KEYSPEC_SEQUENTIAL] = {"sequential", "", "1, 2, 3 ...", false, false},
    [KEYSPEC_REVERSE] = {"reverse", "", "descending from 2^32 - 1", false, false},
    [KEYSPEC_STRIDED] = {"strided", ":STRIDE", "multiples of STRIDE (4096)", false, false},
    [KEYSPEC_MASKED] = {"masked", ":MASK",
                        "counts in the set bits of MASK only (low bits zero, the rest in groups)", false,
                        false},
    [KEYSPEC_ATTACK] = {"attack", "", "keys that collide under khash's own hash functions", false, false},
    [KEYSPEC_WORDS] = {"words", "", "English words of the package wamerican", false, true},
    [KEYSPEC_PATHS] = {"paths", "", "file paths of the installed Debian packages", false, true},
    [KEYSPEC_SYMBOLS] = {"symbols", "", "dynamic symbol names of the installed shared libraries", false,
                         true},
    [KEYSPEC_FILE] = {"file", ":PATH", "the lines of a file of yours, shuffled", false, false},
    [KEYSPEC_LINES] = {"lines", ":PATH", "the lines of a file of yours, stored in the file's order", false,
                       false},
};

size_t keys_stream_count(void) {
    return COUNT_OF(streams);
}

const struct keys_stream *keys_stream_at(size_t i) {
    return &streams[i];
}

/* The stream that `text` names before its first colon; NULL: none. */
static const struct keys_stream *stream_named(const char *text) {
    size_t len = strcspn(text, ":");
    for (size_t i = 0; i < keys_stream_count(); i++)
        if (strlen(streams[i].name) == len && strncmp(streams[i].name, text, len) == 0) return &streams[i];
    return NULL;
}

bool keys_skewed(const char *spec) {
    const struct keys_stream *stream = stream_named(spec);
    return stream && stream->skewed;
}

/* A decimal number at the start of `text`, ended by an optional '%' and then by `end`; *rest is past the end.
 */
static bool parse_real(const char *text, char end, double *out, const char **rest) {
    char *stop;
    if (!isdigit((unsigned char)*text) && *text != '.') return false;
    *out = strtod(text, &stop);
    if (stop == text || !isfinite(*out)) return false;
    if (*stop == '%') stop++;
    if (*stop != end) return false;
    if (rest) *rest = stop + (end != '\0');
    return true;
}

static bool parse_number(const char *text, uint64_t *out) {
    char *stop;
    if (!isdigit((unsigned char)*text)) return false;
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    errno = 0;
    *out = strtoull(text, &stop, hex ? 16 : 10);
    return errno == 0 && *stop == '\0' && !(hex && stop == text + 1);
}

static bool parse_zipf(const char *param, struct keyspec *out, struct why *why) {
    out->theta = zipf_theta_default;
    if (!param) return true;
    if (strchr(param, '%') || !parse_real(param, '\0', &out->theta, NULL) || !(out->theta > 0) ||
        out->theta > zipf_theta_max)
        return why_say(why, "keys 'zipf:%s': THETA must be a number above 0 and at most %g, e.g. zipf:%g",
                       param, zipf_theta_max, zipf_theta_default);
    return true;
}

static bool parse_hotset(const char *param, struct keyspec *out, struct why *why) {
    out->hot_keys_pct = 10;
    out->hot_touches_pct = 90;
    if (!param) return true;
    const char *rest;
    if (!parse_real(param, ':', &out->hot_keys_pct, &rest) ||
        !parse_real(rest, '\0', &out->hot_touches_pct, NULL) || !(out->hot_keys_pct > 0) ||
        out->hot_keys_pct >= 100 || out->hot_touches_pct > 100)
        return why_say(
            why,
            "keys 'hotset:%s': needs two percentages, of the keys (above 0, below 100) and of the touches "
            "(0 to 100), e.g. hotset:10:90",
            param);
    return true;
}

static bool parse_strided(const char *param, unsigned key_bits, struct keyspec *out, struct why *why) {
    out->stride = stride_default;
    if (!param) return true;
    if (!parse_number(param, &out->stride) || out->stride == 0 ||
        (key_bits == 32 && out->stride > UINT32_MAX))
        return why_say(
            why, "keys 'strided:%s': STRIDE must be a whole number from 1 to 2^%u - 1, e.g. strided:4096",
            param, key_bits == 32 ? 32 : 64);
    return true;
}

static bool parse_masked(const char *param, unsigned key_bits, struct keyspec *out, struct why *why) {
    out->mask = key_bits == 32 ? mask_default_32 : mask_default_64;
    if (!param) return true;
    if (!parse_number(param, &out->mask) || out->mask == 0 || (key_bits == 32 && out->mask > UINT32_MAX))
        return why_say(
            why, "keys 'masked:%s': MASK must be a number above 0 of at most %u bits, e.g. masked:0xfff0fff0",
            param, key_bits == 32 ? 32 : 64);
    return true;
}

static void say_unknown(const char *text, struct why *why) {
    why_say(why, "unknown keys '%s': known are", text);
    for (size_t i = 0; i < keys_stream_count(); i++)
        why_add(why, "%s %s%s%s%s", i ? "," : "", streams[i].name,
                i < KEYSPEC_FILE && *streams[i].parameters ? "[" : "", streams[i].parameters,
                i < KEYSPEC_FILE && *streams[i].parameters ? "]" : "");
}

bool keyspec_parse(const char *text, unsigned key_bits, struct keyspec *out, struct why *why) {
    const struct keys_stream *stream = stream_named(text);
    if (!stream) {
        say_unknown(text, why);
        return false;
    }
    const char *param = strchr(text, ':');
    if (param) param++;
    *out = (struct keyspec){.kind = (enum keyspec_kind)(stream - streams)};
    switch (out->kind) {
    case KEYSPEC_ZIPF:
        return parse_zipf(param, out, why);
    case KEYSPEC_HOTSET:
        return parse_hotset(param, out, why);
    case KEYSPEC_STRIDED:
        return parse_strided(param, key_bits, out, why);
    case KEYSPEC_MASKED:
        return parse_masked(param, key_bits, out, why);
    case KEYSPEC_FILE:
    case KEYSPEC_LINES:
        if (!param || !*param)
            return why_say(why, "keys '%s' needs a path, one key a line: %s:PATH", stream->name,
                           stream->name);
        out->path = param;
        return true;
    default:
        if (param) return why_say(why, "keys '%s' takes no parameter: '%s'", stream->name, text);
        return true;
    }
}

void keyspec_name(const struct keyspec *spec, char *out, size_t size) {
    const char *name = streams[spec->kind].name;
    switch (spec->kind) {
    case KEYSPEC_ZIPF:
        snprintf(out, size, "%s:%.15g", name, spec->theta);
        break;
    case KEYSPEC_HOTSET:
        snprintf(out, size, "%s:%.15g:%.15g", name, spec->hot_keys_pct, spec->hot_touches_pct);
        break;
    case KEYSPEC_STRIDED:
        snprintf(out, size, "%s:%llu", name, (unsigned long long)spec->stride);
        break;
    case KEYSPEC_MASKED:
        snprintf(out, size, "%s:%#llx", name, (unsigned long long)spec->mask);
        break;
    case KEYSPEC_FILE:
    case KEYSPEC_LINES: {
        /* The end of a long path tells more than its beginning. */
        size_t len = strlen(spec->path), room = size - strlen(name) - sizeof ":...";
        const char *end = spec->path + (len > room ? len - room : 0);
        while (end > spec->path && (*end & 0xc0) == 0x80) end++; /* not from within a UTF-8 character */
        snprintf(out, size, "%s:%s%s", name, end > spec->path ? "..." : "", end);
        break;
    }
    default:
        snprintf(out, size, "%s", name);
    }
}

const char *keyspec_user_path(const char *text) {
    const struct keys_stream *stream = stream_named(text);
    const char *param = strchr(text, ':');
    return stream >= &streams[KEYSPEC_FILE] && param ? param + 1 : NULL;
}

bool keyspec_is_set(const struct keyspec *spec) {
    return spec->kind >= KEYSPEC_WORDS;
}

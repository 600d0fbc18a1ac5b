/* profile.proto of github.com/google/pprof (proto/profile.proto; Apache licence), encoded by hand: a message
 * is a row of fields, each a number that is field << 3 | wire type, then a varint (type 0) or a length and
 * bytes (type 2). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "harness/retention/snapshot/export.h"
#include "harness/retention/snapshot/names.h"
#include "harness/retention/snapshot/trie.h"

enum { /* fields */
       PROFILE_SAMPLE_TYPE = 1,
       PROFILE_SAMPLE = 2,
       PROFILE_LOCATION = 4,
       PROFILE_FUNCTION = 5,
       PROFILE_STRING = 6,
       PROFILE_PERIOD_TYPE = 11,
       PROFILE_PERIOD = 12,
       PROFILE_DEFAULT_SAMPLE_TYPE = 14,
       VALUE_TYPE = 1,
       VALUE_UNIT = 2,
       SAMPLE_LOCATION = 1,
       SAMPLE_VALUE = 2,
       LOCATION_ID = 1,
       LOCATION_LINE = 4,
       LINE_FUNCTION = 1,
       FUNCTION_ID = 1,
       FUNCTION_NAME = 2,
       FUNCTION_SYSTEM_NAME = 3,
};

/* --- protocol buffers --- */

struct message {
    unsigned char *bytes;
    size_t length, room;
    bool failed; /* out of memory */
};

static void put_byte(struct message *m, unsigned char byte) {
    if (m->length == m->room) {
        size_t room = m->room ? 2 * m->room : 256;
        unsigned char *larger = m->failed ? NULL : realloc(m->bytes, room);
        if (!larger) {
            m->failed = true;
            return;
        }
        m->bytes = larger;
        m->room = room;
    }
    m->bytes[m->length++] = byte;
}

/* Seven bits a byte, low ones first; the top bit says that more follow. */
static void put_varint(struct message *m, uint64_t number) {
    for (; number >= 0x80; number >>= 7) put_byte(m, (unsigned char)(number | 0x80));
    put_byte(m, (unsigned char)number);
}

static void put_number(struct message *m, unsigned field, uint64_t number) {
    put_varint(m, field << 3);
    put_varint(m, number);
}

static void put_bytes(struct message *m, unsigned field, const void *bytes, size_t length) {
    put_varint(m, field << 3 | 2);
    put_varint(m, length);
    for (size_t i = 0; i < length; i++) put_byte(m, ((const unsigned char *)bytes)[i]);
}

/* Ends `part` as a field of `whole` and empties it for the next. */
static void put_message(struct message *whole, unsigned field, struct message *part) {
    put_bytes(whole, field, part->bytes, part->length);
    whole->failed |= part->failed;
    part->length = 0;
}

/* --- the profile --- */

struct pprof {
    const struct snapshot *s;
    const struct trie *trie;
    struct names strings;   /* number 0 is the empty text, as the format demands */
    struct names functions; /* the frames; ids of functions and of locations are these numbers + 1 */
    struct message profile, part, inner;
    uint64_t samples;
    bool failed;
};

static uint32_t string_of(struct pprof *p, const char *text) {
    uint32_t number = names_add(&p->strings, text);
    p->failed |= number == NAMES_FULL;
    return number;
}

static uint64_t frame_of(struct pprof *p, const char *text) {
    uint32_t number = names_add(&p->functions, text);
    p->failed |= number == NAMES_FULL;
    return (uint64_t)number + 1;
}

static void put_value_type(struct pprof *p, unsigned field, const char *type, const char *unit) {
    put_number(&p->part, VALUE_TYPE, string_of(p, type));
    put_number(&p->part, VALUE_UNIT, string_of(p, unit));
    put_message(&p->profile, field, &p->part);
}

/* How a node of the trie shows above its child: roots by their names, objects with the field that leads on.
 */
static uint64_t frame_above(struct pprof *p, uint32_t at, uint32_t child) {
    const struct trie_node *n = &p->trie->node[at];
    const char *type = p->s->names.text[n->type], *field = "";
    if (child != SNAPSHOT_NONE && p->trie->node[child].field != SNAPSHOT_NONE)
        field = p->s->names.text[p->trie->node[child].field];
    const char *dot = *field && n->root_kind == ROOT_KINDS ? "." : "";
    char *text = NULL;
    int length = n->root_kind < ROOT_KINDS
                     ? asprintf(&text, "%s %s", snapshot_root_kind_name(n->root_kind), type)
                     : asprintf(&text, "%s%s%s", type, dot, field);
    if (length < 0) {
        p->failed = true;
        return 0;
    }
    uint64_t frame = frame_of(p, text);
    free(text);
    return frame;
}

static void put_sample(struct pprof *p, uint32_t at) {
    const struct trie_node *n = &p->trie->node[at];
    uint32_t child = SNAPSHOT_NONE, up = at;
    for (; up >= TRIE_FIRST; child = up, up = p->trie->node[up].parent)
        put_varint(&p->inner, frame_above(p, up, child));
    if (up == TRIE_UNREACHABLE)
        put_varint(&p->inner, frame_of(p, "(not reachable)"));
    else if (p->trie->node[child].root_kind == ROOT_KINDS)
        put_varint(&p->inner, frame_of(p, "(several roots)"));
    put_message(&p->part, SAMPLE_LOCATION, &p->inner);
    put_varint(&p->inner, n->objects);
    put_varint(&p->inner, n->bytes);
    put_varint(&p->inner, n->retained);
    put_message(&p->part, SAMPLE_VALUE, &p->inner);
    put_message(&p->profile, PROFILE_SAMPLE, &p->part);
    p->samples++;
}

/* One function and one location for each frame. */
static void put_frames(struct pprof *p) {
    for (uint32_t i = 0; i < p->functions.count; i++) {
        uint32_t name = string_of(p, p->functions.text[i]);
        put_number(&p->part, FUNCTION_ID, (uint64_t)i + 1);
        put_number(&p->part, FUNCTION_NAME, name);
        put_number(&p->part, FUNCTION_SYSTEM_NAME, name);
        put_message(&p->profile, PROFILE_FUNCTION, &p->part);
        put_number(&p->inner, LINE_FUNCTION, (uint64_t)i + 1);
        put_number(&p->part, LOCATION_ID, (uint64_t)i + 1);
        put_message(&p->part, LOCATION_LINE, &p->inner);
        put_message(&p->profile, PROFILE_LOCATION, &p->part);
    }
}

static void encode(struct pprof *p) {
    string_of(p, "");
    put_value_type(p, PROFILE_SAMPLE_TYPE, "inuse_objects", "count");
    put_value_type(p, PROFILE_SAMPLE_TYPE, "inuse_space", "bytes");
    put_value_type(p, PROFILE_SAMPLE_TYPE, "retained", "bytes");
    for (uint32_t at = TRIE_FIRST; at < p->trie->count && !p->failed; at++) put_sample(p, at);
    put_frames(p);
    put_value_type(p, PROFILE_PERIOD_TYPE, "space", "bytes");
    put_number(&p->profile, PROFILE_PERIOD, 1);
    put_number(&p->profile, PROFILE_DEFAULT_SAMPLE_TYPE, string_of(p, "inuse_space"));
    for (uint32_t i = 0; i < p->strings.count; i++)
        put_bytes(&p->profile, PROFILE_STRING, p->strings.text[i], strlen(p->strings.text[i]));
    p->failed |= p->profile.failed;
}

/* NULL: written. */
static const char *write_gzip(const struct message *m, const char *path) {
    errno = 0;
    gzFile file = gzopen(path, "wb");
    if (!file) return errno ? strerror(errno) : "out of memory";
    size_t done = 0;
    while (done < m->length) {
        unsigned part = m->length - done < 1u << 20 ? (unsigned)(m->length - done) : 1u << 20;
        int written = gzwrite(file, m->bytes + done, part);
        if (written <= 0) break;
        done += (size_t)written;
    }
    if (gzclose(file) == Z_OK && done == m->length) return NULL;
    const char *why = errno ? strerror(errno) : "could not be written";
    remove(path);
    return why;
}

struct export_report export_pprof(const struct snapshot *s, const struct dominators *d, const char *path) {
    struct trie *trie = trie_build(s, d);
    struct pprof p = {.s = s, .trie = trie};
    struct export_report report = export_failed(path, "out of memory");
    if (trie) encode(&p);
    if (trie && !p.failed) {
        const char *why = write_gzip(&p.profile, path);
        report = why ? export_failed(path, why) : (struct export_report){.ok = true, .written = p.samples};
    }
    trie_free(trie);
    names_free(&p.strings);
    names_free(&p.functions);
    free(p.profile.bytes);
    free(p.part.bytes);
    free(p.inner.bytes);
    return report;
}

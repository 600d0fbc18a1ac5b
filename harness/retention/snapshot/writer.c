#include "harness/retention/snapshot/writer.h"

#include <errno.h>
#include <string.h>

static void flush(struct writer *w) {
    if (!w->error && fwrite(w->buffer, 1, w->used, w->file) != w->used) w->error = errno ? errno : EIO;
    w->used = 0;
}

static void write_bytes(struct writer *w, const char *bytes, size_t count) {
    while (count > sizeof w->buffer - w->used) {
        size_t part = sizeof w->buffer - w->used;
        memcpy(w->buffer + w->used, bytes, part);
        w->used += part;
        bytes += part;
        count -= part;
        flush(w);
    }
    memcpy(w->buffer + w->used, bytes, count);
    w->used += count;
}

bool writer_open(struct writer *w, const char *path) {
    w->used = 0;
    w->error = 0;
    w->path = path;
    w->file = fopen(path, "w");
    if (!w->file) w->error = errno;
    return w->file != NULL;
}

bool writer_close(struct writer *w) {
    if (!w->file) return false;
    flush(w);
    if (fclose(w->file) != 0 && !w->error) w->error = errno;
    w->file = NULL;
    if (w->error) remove(w->path);
    return !w->error;
}

void write_text(struct writer *w, const char *text) {
    write_bytes(w, text, strlen(text));
}

void write_number(struct writer *w, uint64_t number) {
    char digits[20];
    size_t at = sizeof digits;
    do digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    write_bytes(w, digits + at, sizeof digits - at);
}

static bool plain(unsigned char c) {
    return c >= 0x20 && c != '"' && c != '\\';
}

void write_json_text(struct writer *w, const char *text) {
    write_bytes(w, "\"", 1);
    while (*text) {
        size_t run = 0;
        while (text[run] && plain((unsigned char)text[run])) run++;
        write_bytes(w, text, run);
        text += run;
        if (!*text) break;
        char escaped[8];
        unsigned char c = (unsigned char)*text++;
        snprintf(escaped, sizeof escaped, c < 0x20 ? "\\u%04x" : "\\%c", c);
        write_text(w, escaped);
    }
    write_bytes(w, "\"", 1);
}

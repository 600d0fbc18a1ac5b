#include "harness/keys/keyset_source.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/count_of.h"
#include "harness/keys/dynsym.h"
#include "harness/base/sysfile.h"
#include "harness/base/textfile.h"

static const char words_path[] = "/usr/share/dict/american-english";
static const char lists_folder[] = "/var/lib/dpkg/info";
/* Folders where the dynamic linker looks; their subfolders named like a platform (x86_64-linux-gnu) count
 * too. */
static const char *const library_folders[] = {"/lib", "/lib64", "/usr/lib", "/usr/lib64"};

/* A set being read. */
struct reading {
    struct keyset_builder *builder;
    unsigned key_bits; /* 0: texts */
    struct why *why;
};

static bool out_of_memory(const struct reading *reading) {
    return why_say(reading->why, "out of memory while reading %zu keys", reading->builder->set.count);
}

/* --- lines --- */

struct line_reader {
    int fd;
    size_t begin, end; /* what is unread in the buffer */
    bool at_end;
    uint64_t bytes;
    size_t line; /* number of the last line returned, from 1 */
    char buffer[2 * (KEYSET_LINE_MAX + 1)];
};

enum line_result { LINE_READ, LINE_END, LINE_TOO_LONG, LINE_ERROR };

static enum line_result line_next(struct line_reader *reader, const char **text, size_t *len) {
    for (;;) {
        char *begin = reader->buffer + reader->begin;
        size_t left = reader->end - reader->begin;
        char *newline = memchr(begin, '\n', left);
        if (newline || (reader->at_end && left > 0)) {
            *text = begin;
            *len = newline ? (size_t)(newline - begin) : left;
            reader->begin += *len + (newline != NULL);
            reader->line++;
            return *len <= KEYSET_LINE_MAX ? LINE_READ : LINE_TOO_LONG;
        }
        if (reader->at_end) return LINE_END;
        if (left > KEYSET_LINE_MAX) {
            reader->line++;
            return LINE_TOO_LONG;
        }
        memmove(reader->buffer, begin, left);
        reader->begin = 0;
        reader->end = left;
        ssize_t got = read(reader->fd, reader->buffer + left, sizeof reader->buffer - left);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return LINE_ERROR;
        reader->at_end = got == 0;
        reader->end += (size_t)got;
        reader->bytes += (uint64_t)got;
    }
}

/* --- integers --- */

/* An unsigned decimal or 0x number that is all of the line. */
static bool parse_whole(const char *text, size_t len, uint64_t *out) {
    unsigned base = 10;
    if (len > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
        len -= 2;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++) {
        int c = tolower((unsigned char)text[i]);
        unsigned digit = isdigit(c)             ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                                                : 16;
        if (digit >= base) return false;
        if (__builtin_mul_overflow(number, (uint64_t)base, &number) ||
            __builtin_add_overflow(number, (uint64_t)digit, &number))
            return false;
    }
    *out = number;
    return len > 0;
}

static bool take_number(const struct reading *reading, const char *path, size_t line, const char *text,
                        size_t len) {
    uint64_t number;
    if (parse_whole(text, len, &number) && (reading->key_bits == 64 || number <= UINT32_MAX))
        return keyset_builder_number(reading->builder, number) || out_of_memory(reading);
    char shown[41];
    size_t count = len < sizeof shown - 1 ? len : sizeof shown - 1;
    for (size_t i = 0; i < count; i++) shown[i] = isprint((unsigned char)text[i]) ? text[i] : '?';
    shown[count] = '\0';
    return why_say(
        reading->why,
        "%s line %zu: '%s%s' is no unsigned decimal or 0x number of %u bits; for other keys use --shapes %s",
        path, line, shown, count < len ? "..." : "", reading->key_bits,
        reading->key_bits == 32 ? "u64_u64 or str_u64" : "str_u64");
}

/* --- files of lines --- */

static bool take_lines(const struct reading *reading, const char *path, bool is_users,
                       struct line_reader *reader) {
    const char *text;
    size_t len;
    enum line_result result;
    while ((result = line_next(reader, &text, &len)) == LINE_READ) {
        if (is_users && memchr(text, '\0', len))
            return why_say(reading->why, "key file %s line %zu has a NUL byte: keys are lines of text", path,
                           reader->line);
        if (is_users && len > 0 && text[len - 1] == '\r') len--;
        if (len == 0)
            reading->builder->set.empty_lines++;
        else if (reading->key_bits != 0) {
            if (!take_number(reading, path, reader->line, text, len)) return false;
        } else if (!keyset_builder_text(reading->builder, text, len)) {
            return out_of_memory(reading);
        }
    }
    if (result == LINE_TOO_LONG)
        why_say(reading->why, "%s line %zu: longer than %d bytes; keys are one a line", path, reader->line,
                KEYSET_LINE_MAX);
    if (result == LINE_ERROR) why_say(reading->why, "cannot read %s: %s", path, strerror(errno));
    if (result != LINE_END) return false;
    return keyset_builder_file(reading->builder, path, reader->bytes) || out_of_memory(reading);
}

/* Of a user's file: the lines of others are what their programs wrote. */
static bool is_text(const struct reading *reading, const char *path, int fd) {
    char head[TEXTFILE_HEAD], what[256];
    ssize_t got = pread(fd, head, sizeof head, 0);
    if (got <= 0 || !textfile_is_not_text("file:", path, head, (size_t)got, what, sizeof what)) return true;
    return why_say(reading->why, "key file %s %s; keys are lines of text", path, what);
}

static bool read_lines(const struct reading *reading, const char *path, bool is_users) {
    struct stat st;
    int fd = textfile_open(path);
    if (fd < 0 || fstat(fd, &st) != 0) {
        why_say(reading->why, "cannot open key file %s: %s; name a readable file with one key a line%s", path,
                strerror(errno),
                strncmp(path, "/dev/fd/", 8) == 0 ? ": a pipe can be read by run and plan only" : "");
        if (fd >= 0) close(fd);
        return false;
    }
    bool read = false;
    struct line_reader *reader = calloc(1, sizeof *reader);
    if (S_ISDIR(st.st_mode))
        why_say(reading->why, "key file %s is a folder; name a file with one key a line", path);
    else if (!S_ISREG(st.st_mode))
        why_say(reading->why, "key file %s is a device; name a file with one key a line", path);
    else if (!reader)
        out_of_memory(reading);
    else if (!is_users || is_text(reading, path, fd)) {
        reader->fd = fd;
        read = take_lines(reading, path, is_users, reader);
    }
    free(reader);
    close(fd);
    return read;
}

static bool read_user_file(const struct reading *reading, const char *path) {
    struct keyset *set = &reading->builder->set;
    if (!read_lines(reading, path, true)) return false;
    if (set->count == 0)
        return why_say(reading->why, "key file %s has no keys (%zu empty lines); it needs one key a line",
                       path, set->empty_lines);
    snprintf(set->provenance, sizeof set->provenance, "lines of %s", path);
    return true;
}

static bool read_words(const struct reading *reading) {
    struct keyset *set = &reading->builder->set;
    char full[PATH_MAX];
    if (access(sysfile_path(words_path, full, sizeof full), R_OK) != 0)
        return why_say(reading->why, "keys 'words': no %s: make deps (wamerican)", words_path);
    snprintf(set->provenance, sizeof set->provenance, "English words, %s of the package wamerican",
             words_path);
    return read_lines(reading, full, false);
}

/* --- folders --- */

static bool ends_with(const char *name, const char *end) {
    size_t a = strlen(name), b = strlen(end);
    return a > b && strcmp(name + a - b, end) == 0;
}

static int is_list(const struct dirent *entry) {
    return ends_with(entry->d_name, ".list");
}

static int is_library(const struct dirent *entry) {
    return ends_with(entry->d_name, ".so") || strstr(entry->d_name, ".so.") != NULL;
}

static int is_platform(const struct dirent *entry) {
    return strstr(entry->d_name, "-linux-gnu") != NULL;
}

static int by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

typedef bool folder_visit_fn(const struct reading *reading, const char *path, void *context);

/* Visits the entries that `want` selects, in byte order; a folder that is not there has none. */
static bool each_entry(const struct reading *reading, const char *folder, int (*want)(const struct dirent *),
                       folder_visit_fn *visit, void *context) {
    struct dirent **entry;
    int count = scandir(folder, &entry, want, by_bytes);
    bool going = true;
    if (count < 0) return true;
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        if (going && asprintf(&path, "%s/%s", folder, entry[i]->d_name) < 0) {
            path = NULL;
            going = out_of_memory(reading);
        }
        going = going && visit(reading, path, context);
        free(path);
        free(entry[i]);
    }
    free(entry);
    return going;
}

static bool visit_list(const struct reading *reading, const char *path, void *unused) {
    (void)unused;
    return read_lines(reading, path, false);
}

static bool read_paths(const struct reading *reading) {
    struct keyset *set = &reading->builder->set;
    char full[PATH_MAX];
    if (!each_entry(reading, sysfile_path(lists_folder, full, sizeof full), is_list, visit_list, NULL))
        return false;
    if (set->count == 0)
        return why_say(
            reading->why,
            "keys 'paths': no package lists %s/*.list; this set needs Debian's dpkg, use words or file:PATH",
            lists_folder);
    snprintf(set->provenance, sizeof set->provenance, "paths in %s/*.list of %zu installed packages",
             lists_folder, set->files);
    return true;
}

/* --- libraries --- */

/* The files read so far, so that links to one library count once. */
struct libraries {
    struct library {
        dev_t device;
        ino_t inode;
    } * seen;
    size_t count, room;
};

static bool note_library(struct libraries *libraries, const struct stat *st, bool *is_new) {
    *is_new = false;
    for (size_t i = 0; i < libraries->count; i++)
        if (libraries->seen[i].device == st->st_dev && libraries->seen[i].inode == st->st_ino) return true;
    if (libraries->count == libraries->room) {
        size_t room = libraries->room ? libraries->room * 2 : 256;
        struct library *seen = realloc(libraries->seen, room * sizeof *seen);
        if (!seen) return false;
        libraries->seen = seen;
        libraries->room = room;
    }
    libraries->seen[libraries->count++] = (struct library){st->st_dev, st->st_ino};
    *is_new = true;
    return true;
}

static bool take_symbol(void *context, const char *name, size_t len) {
    return keyset_builder_text(context, name, len);
}

static bool visit_library(const struct reading *reading, const char *path, void *context) {
    struct stat st;
    bool is_new;
    uint64_t bytes;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return true; /* a dangling link, or a folder of that name */
    if (!note_library(context, &st, &is_new)) return out_of_memory(reading);
    if (!is_new) return true;
    enum dynsym_result result = dynsym_read(path, take_symbol, reading->builder, &bytes);
    if (result == DYNSYM_STOPPED) return out_of_memory(reading);
    if (result == DYNSYM_MALFORMED) reading->builder->set.files_skipped++;
    if (result != DYNSYM_READ) return true;
    char *real = realpath(path, NULL); /* the same name whichever link came first */
    bool noted = real && keyset_builder_file(reading->builder, real, bytes);
    free(real);
    return noted || out_of_memory(reading);
}

static bool visit_platform(const struct reading *reading, const char *path, void *context) {
    return each_entry(reading, path, is_library, visit_library, context);
}

static bool read_symbols(const struct reading *reading) {
    struct keyset *set = &reading->builder->set;
    struct libraries libraries = {0};
    bool read = true;
    for (size_t i = 0; read && i < COUNT_OF(library_folders); i++) {
        char full[PATH_MAX];
        sysfile_path(library_folders[i], full, sizeof full);
        read = each_entry(reading, full, is_library, visit_library, &libraries) &&
               each_entry(reading, full, is_platform, visit_platform, &libraries);
    }
    free(libraries.seen);
    if (!read) return false;
    if (set->count == 0)
        return why_say(
            reading->why,
            "keys 'symbols': no ELF libraries in /lib, /usr/lib and their platform folders; use words "
            "or file:PATH");
    snprintf(set->provenance, sizeof set->provenance,
             "dynamic symbol names of %zu shared libraries in /lib, /usr/lib and their platform folders",
             set->files);
    return true;
}

bool keyset_source_read(const struct keyspec *spec, unsigned key_bits, struct keyset_builder *builder,
                        struct why *why) {
    struct reading reading = {builder, key_bits, why};
    if (spec->kind < KEYSPEC_FILE && key_bits != 0) {
        char name[32];
        keyspec_name(spec, name, sizeof name);
        return why_say(why, "keys '%s' are strings: use --shapes str_u64", name);
    }
    switch (spec->kind) {
    case KEYSPEC_WORDS:
        return read_words(&reading);
    case KEYSPEC_PATHS:
        return read_paths(&reading);
    case KEYSPEC_SYMBOLS:
        return read_symbols(&reading);
    default:
        builder->hash_keys = true;
        return read_user_file(&reading, spec->path);
    }
}

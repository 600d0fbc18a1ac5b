#include "harness/base/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- pipes --- */

/* The pipes read so far. They stay: a plan is read before it is measured, and again by children. */
static struct kept {
    struct kept *next;
    char *path;
    int fd; /* the contents, in memory */
} * kept;

static const struct kept *kept_of(const char *path) {
    const struct kept *k = kept;
    while (k && strcmp(k->path, path) != 0) k = k->next;
    return k;
}

static bool copy(int from, int to) {
    char part[1 << 16];
    for (;;) {
        ssize_t got = read(from, part, sizeof part);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return got == 0;
        for (ssize_t done = 0, written; done < got; done += written)
            if ((written = write(to, part + done, (size_t)(got - done))) < 0) return false;
    }
}

static const struct kept *keep(const char *path, int pipe) {
    struct kept *new = malloc(sizeof *new);
    char *name = strdup(path);
    int fd = memfd_create("keys", MFD_CLOEXEC);
    if (new &&name && fd >= 0 && copy(pipe, fd)) {
        *new = (struct kept){kept, name, fd};
        return kept = new;
    }
    int error = errno;
    if (fd >= 0) close(fd);
    free(new), free(name);
    errno = error;
    return NULL;
}

static int open_kept(const struct kept *k) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", k->fd);
    return open(path, O_RDONLY | O_CLOEXEC); /* from the beginning, whoever else reads it */
}

int textfile_open(const char *path) {
    struct stat st;
    const struct kept *k = kept_of(path);
    if (k) return open_kept(k);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISFIFO(st.st_mode)) return fd;
    k = keep(path, fd);
    int error = errno;
    close(fd);
    errno = error;
    return k ? open_kept(k) : -1;
}

const char *textfile_child_path(const char *path, char *out, size_t size) {
    const struct kept *k = kept_of(path);
    if (!k) return path;
    snprintf(out, size, "/proc/%ld/fd/%d", (long)getpid(), k->fd);
    return out;
}

/* --- what is no text --- */

static const struct {
    const char *name, *reader; /* what it is, and a program that prints its text */
    unsigned char bytes[6];
    size_t count;
} formats[] = {
    {"compressed with gzip", "zcat", {0x1f, 0x8b}, 2},
    {"compressed with compress", "zcat", {0x1f, 0x9d}, 2},
    {"compressed with xz", "xzcat", {0xfd, '7', 'z', 'X', 'Z', 0}, 6},
    {"compressed with zstd", "zstdcat", {0x28, 0xb5, 0x2f, 0xfd}, 4},
    {"compressed with bzip2", "bzcat", {'B', 'Z', 'h'}, 3},
    {"compressed with lz4", "lz4cat", {0x04, 0x22, 0x4d, 0x18}, 4},
    {"a zip archive", "unzip -p", {'P', 'K', 3, 4}, 4},
    {"a 7z archive", "7z x -so", {'7', 'z', 0xbc, 0xaf, 0x27, 0x1c}, 6},
    {"UTF-16 text", "iconv -f UTF-16 -t UTF-8", {0xff, 0xfe}, 2},
    {"UTF-16 text", "iconv -f UTF-16 -t UTF-8", {0xfe, 0xff}, 2},
};

bool textfile_is_not_text(const char *prefix, const char *path, const void *head, size_t size, char *what,
                          size_t what_size) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const unsigned char *bytes = head;
        if (size <= formats[i].count || memcmp(bytes, formats[i].bytes, formats[i].count) != 0) continue;
        /* "BZh" begins words, too: a digit and the pi of every block follow in a file of bzip2. */
        if (bytes[0] == 'B' && (size < 6 || bytes[3] < '1' || bytes[3] > '9' || bytes[4] != 0x31)) continue;
        snprintf(what, what_size, "is %s: read it through %s<(%s %s)", formats[i].name, prefix,
                 formats[i].reader, path);
        return true;
    }
    if (!memchr(head, '\0', size)) return false;
    snprintf(what, what_size, "is not text: it has NUL bytes");
    return true;
}

#include "harness/base/sysfile.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *root = "";

void sysfile_root(const char *folder) {
    root = folder ? folder : "";
}

const char *sysfile_path(const char *path, char *out, size_t size) {
    snprintf(out, size, "%s%s", root, path);
    return out;
}

bool sysfile_exists(const char *path) {
    char full[PATH_MAX];
    return access(sysfile_path(path, full, sizeof full), F_OK) == 0;
}

FILE *sysfile_open(const char *path) {
    char full[PATH_MAX];
    return fopen(sysfile_path(path, full, sizeof full), "re");
}

bool sysfile_read(const char *path, char *text, size_t size) {
    char full[PATH_MAX];
    text[0] = '\0';
    int fd = open(sysfile_path(path, full, sizeof full), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    size_t used = 0;
    ssize_t got = 0;
    while (used < size - 1 &&
           ((got = read(fd, text + used, size - 1 - used)) > 0 || (got < 0 && errno == EINTR)))
        if (got > 0) used += (size_t)got;
    int error = errno;
    close(fd);
    errno = error;
    if (got < 0) used = 0;
    while (used > 0 && isspace((unsigned char)text[used - 1])) used--;
    text[used] = '\0';
    return got >= 0;
}

bool sysfile_number(const char *path, uint64_t *number) {
    char text[64], *end;
    if (!sysfile_read(path, text, sizeof text) || !isdigit((unsigned char)text[0])) return false;
    *number = strtoull(text, &end, 10);
    return true;
}

bool sysfile_field(const char *text, const char *name, uint64_t *number) {
    size_t length = strlen(name);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, name, length) != 0) continue;
        const char *digits = line + length + strspn(line + length, ": \t");
        if (digits == line + length || !isdigit((unsigned char)*digits)) continue;
        *number = strtoull(digits, NULL, 10);
        return true;
    }
    return false;
}

bool sysfile_choice(const char *path, char *word, size_t size) {
    char text[256];
    word[0] = '\0';
    if (!sysfile_read(path, text, sizeof text)) return false;
    const char *open_bracket = strchr(text, '[');
    size_t length = open_bracket ? strcspn(open_bracket + 1, "]") : 0;
    if (length == 0 || length >= size) return false;
    memcpy(word, open_bracket + 1, length);
    word[length] = '\0';
    return true;
}

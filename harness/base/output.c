#include "harness/base/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/exit.h"

struct output {
    int fd;
    int error; /* errno of the first write that failed */
};

static ssize_t output_write(void *cookie, const char *bytes, size_t size) {
    struct output *output = cookie;
    size_t done = 0;
    while (done < size) {
        ssize_t written = write(output->fd, bytes + done, size - done);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            if (!output->error) output->error = errno;
            break;
        }
        done += (size_t)written;
    }
    return (ssize_t)done; /* fewer: the stream sees a failure */
}

static int output_close(void *cookie) {
    struct output *output = cookie;
    int error = output->error;
    if (close(output->fd) != 0 && !error) error = errno;
    free(output);
    if (error) errno = error;
    return error ? -1 : 0;
}

static FILE *output_stream(int fd) {
    struct output *output = malloc(sizeof *output);
    if (!output) return NULL;
    *output = (struct output){.fd = fd};
    FILE *file =
        fopencookie(output, "w", (cookie_io_functions_t){.write = output_write, .close = output_close});
    if (!file) free(output);
    return file;
}

FILE *output_open(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    FILE *file = fd >= 0 ? output_stream(fd) : NULL;
    if (fd >= 0 && !file) close(fd);
    return file;
}

void output_stdout_begin(void) {
    FILE *file = output_stream(STDOUT_FILENO);
    if (!file) return; /* then only the reason is missing */
    setvbuf(file, NULL, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, BUFSIZ);
    stdout = file;
}

int output_stdout_end(int code) {
    if (fclose(stdout) == 0) return code;
    fprintf(stderr, "mapbench: cannot write the output: %s\n", strerror(errno));
    return code == EXIT_OK ? EXIT_CANNOT : code;
}

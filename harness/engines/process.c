#include "harness/engines/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/base/clock.h"

/* An executable in BUILD/tests finds the engines one folder higher. */
bool engine_program_path(const char *name, char *path, size_t size) {
    char self[PATH_MAX];
    const char *folder = getenv("MAPBENCH_ENGINES");
    if (folder && *folder) {
        snprintf(path, size, "%s/%s", folder, name);
        return access(path, X_OK) == 0;
    }
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0) return false;
    self[length] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(self, '/');
        if (!slash) return false;
        *slash = '\0';
        snprintf(path, size, "%s/engines/%s", self, name);
        if (access(path, X_OK) == 0) return true;
    }
    return false;
}

static void close_fd(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

void engine_process_end(struct engine_process *p) {
    enum { PATIENCE_MS = 2000 };
    close_fd(&p->command_fd); /* it ends by itself when there are no more commands */
    if (p->child.pid) child_wait_or_kill(&p->child, PATIENCE_MS);
    close_fd(&p->answer_fd), close_fd(&p->error_fd);
    if (p->block) munmap(p->block, sizeof *p->block);
    p->block = NULL;
    p->pending_size = 0;
}

/* Tells what became of a program that stopped answering: how it ended, and the first line it complained with.
 */
static bool describe_end(struct engine_process *p, struct why *why) {
    char end[96], complaint[160];
    enum { PATIENCE_MS = 30000 }; /* it closed its pipe: it is ending */
    child_wait_or_kill(&p->child, PATIENCE_MS);
    child_describe_end(&p->child, end, sizeof end);
    child_output_line(p->error_fd, complaint, sizeof complaint);
    return why_say(why, "it %s%s%s", end, complaint[0] ? ": " : "", complaint);
}

/* Takes one line from what has arrived. */
static bool take_line(struct engine_process *p) {
    char *end = memchr(p->pending, '\n', p->pending_size);
    if (!end) return false;
    size_t length = (size_t)(end - p->pending);
    memcpy(p->line, p->pending, length);
    p->line[length] = '\0';
    p->pending_size -= length + 1;
    memmove(p->pending, end + 1, p->pending_size);
    return true;
}

static bool await_line(struct engine_process *p, struct deadline deadline, struct why *why) {
    while (!take_line(p)) {
        struct pollfd answer = {.fd = p->answer_fd, .events = POLLIN};
        int ready = poll(&answer, 1, deadline_wait_ms(&deadline));
        if (ready < 0 && errno == EINTR) continue;
        if (ready == 0 && deadline_passed(&deadline, child_clock(&p->child)))
            return why_say(why, "it did not answer within the time limit (--limit)");
        if (ready == 0) continue;
        if (p->pending_size == sizeof p->pending)
            return why_say(why, "it printed \"%.40s...\" instead of an answer", p->pending);
        ssize_t got = read(p->answer_fd, p->pending + p->pending_size, sizeof p->pending - p->pending_size);
        if (got <= 0) return describe_end(p, why);
        p->pending_size += (size_t)got;
    }
    return true;
}

bool engine_process_ask(struct engine_process *p, const char *command, struct deadline deadline,
                        struct why *why) {
    char line[512];
    int length = snprintf(line, sizeof line, "%s\n", command);
    for (int done = 0; done < length;) {
        ssize_t wrote = write(p->command_fd, line + done, (size_t)(length - done));
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return describe_end(p, why);
        done += (int)wrote;
    }
    return await_line(p, deadline, why);
}

/* The shared block: sparse, so that only what is used takes memory. */
static int open_block(struct engine_process *p) {
    int fd = memfd_create("block", MFD_CLOEXEC);
    if (fd < 0) return -1;
    void *block = ftruncate(fd, sizeof *p->block) == 0
                      ? mmap(NULL, sizeof *p->block, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                      : MAP_FAILED;
    if (block == MAP_FAILED) return close(fd), -1;
    p->block = block;
    return fd;
}

bool engine_process_start(struct engine_process *p, const char *path, const char *kind, const char *shape,
                          const char *collector, struct deadline deadline, struct why *why) {
    int command[2] = {-1, -1}, answer[2] = {-1, -1};
    char command_text[16], block_text[16];
    *p = (struct engine_process){
        .child.alive_fd = -1, .command_fd = -1, .answer_fd = -1, .error_fd = child_output_open()};
    int block = open_block(p);
    bool ok = block >= 0 && pipe2(command, O_CLOEXEC) == 0 && pipe2(answer, O_CLOEXEC) == 0;
    if (!ok) why_say(why, "no memory or descriptors to talk to it: %s", strerror(errno));
    snprintf(command_text, sizeof command_text, "%d", command[0]);
    snprintf(block_text, sizeof block_text, "%d", block);
    const char *argv[] = {path, command_text, block_text, kind, shape, collector, NULL};
    struct child_start how = {.argv = argv,
                              .out_fd = answer[1],
                              .err_fd = p->error_fd,
                              .keep_fd = {command[0], block, -1},
                              .own_group = true};
    ok = ok && child_start(&p->child, &how, why);
    close_fd(&command[0]), close_fd(&answer[1]), close_fd(&block);
    p->command_fd = command[1], p->answer_fd = answer[0];
    ok = ok && await_line(p, deadline, why);
    if (!ok) engine_process_end(p);
    return ok;
}

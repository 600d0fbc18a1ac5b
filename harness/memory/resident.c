#include "harness/memory/resident.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "harness/base/sysfile.h"

enum { KIB = 1024, TEXT_BYTES = 8192 };

static int open_proc(pid_t pid, const char *name, int how) {
    char path[64];
    if (pid == 0)
        snprintf(path, sizeof path, "/proc/self/%s", name);
    else
        snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
    return open(path, how | O_CLOEXEC);
}

bool resident_open(struct resident_reader *reader, pid_t pid, struct why *why) {
    struct resident now;
    reader->pid = pid;
    reader->rollup_fd = open_proc(pid, "smaps_rollup", O_RDONLY);
    reader->status_fd = open_proc(pid, "status", O_RDONLY);
    reader->stat_fd = open_proc(pid, "stat", O_RDONLY);
    const char *missing = !resident_read(reader, &now)               ? "smaps_rollup and stat"
                          : resident_peak_bytes(reader) == 0         ? "VmHWM in status"
                          : pid == 0 && !resident_peak_reset(reader) ? "clear_refs"
                                                                     : NULL;
    if (!missing) return true;
    why_say(why,
            "resident memory cannot be read: no %s of process %ld in /proc (ended, or a kernel without "
            "CONFIG_PROC_PAGE_MONITOR)",
            missing, pid ? (long)pid : (long)getpid());
    resident_close(reader);
    return false;
}

void resident_close(struct resident_reader *reader) {
    if (reader->rollup_fd >= 0) close(reader->rollup_fd);
    if (reader->status_fd >= 0) close(reader->status_fd);
    if (reader->stat_fd >= 0) close(reader->stat_fd);
    reader->rollup_fd = reader->status_fd = reader->stat_fd = -1;
}

static bool read_text(int fd, char *text) {
    ssize_t got = fd < 0 ? -1 : pread(fd, text, TEXT_BYTES - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    return got > 0;
}

static uint64_t field_bytes(const char *text, const char *name) {
    uint64_t kibibytes;
    return sysfile_field(text, name, &kibibytes) ? kibibytes * KIB : 0;
}

/* Fields 10 (minflt) and 12 (majflt) of stat; the second field, the program's name, may contain anything. */
static bool read_faults(int fd, struct resident *out) {
    char text[TEXT_BYTES];
    unsigned long long minor, major;
    if (!read_text(fd, text)) return false;
    const char *after_name = strrchr(text, ')');
    if (!after_name ||
        sscanf(after_name + 1, " %*c %*d %*d %*d %*d %*d %*u %llu %*u %llu", &minor, &major) != 2)
        return false;
    out->minor_faults = minor;
    out->major_faults = major;
    return true;
}

bool resident_read(const struct resident_reader *reader, struct resident *out) {
    char text[TEXT_BYTES];
    memset(out, 0, sizeof *out);
    if (!read_text(reader->rollup_fd, text)) return false;
    out->rss_bytes = field_bytes(text, "Rss");
    out->private_dirty_bytes = field_bytes(text, "Private_Dirty");
    out->shared_dirty_bytes = field_bytes(text, "Shared_Dirty");
    out->huge_bytes = field_bytes(text, "AnonHugePages");
    out->swap_bytes = field_bytes(text, "Swap");
    return out->rss_bytes > 0 && read_faults(reader->stat_fd, out);
}

uint64_t resident_peak_bytes(const struct resident_reader *reader) {
    char text[TEXT_BYTES];
    return read_text(reader->status_fd, text) ? field_bytes(text, "VmHWM") : 0;
}

bool resident_peak_reset(const struct resident_reader *reader) {
    int fd = open_proc(reader->pid, "clear_refs", O_WRONLY);
    if (fd < 0) return false;
    bool reset = write(fd, "5", 1) == 1; /* proc(5): reset the peak resident set */
    close(fd);
    return reset;
}

bool resident_small_pages(struct why *why) {
    if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0) return true;
    return why_say(why, "this kernel cannot turn huge pages off for a process (PR_SET_THP_DISABLE)");
}

void resident_thp_setting(char *word, size_t size) {
    if (!sysfile_choice("/sys/kernel/mm/transparent_hugepage/enabled", word, size)) word[0] = '\0';
}

size_t resident_huge_page_bytes(void) {
    uint64_t bytes;
    return sysfile_number("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", &bytes) ? (size_t)bytes : 0;
}

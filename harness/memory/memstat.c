#include "harness/memory/memstat.h"

#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <unistd.h>

#include "harness/base/sysfile.h"

bool memstat_open(struct memstat *stat, struct why *why) {
    stat->rollup_fd = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
    stat->status_fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    const char *missing = stat->rollup_fd < 0 || memstat_rss_bytes(stat) == 0 ? "/proc/self/smaps_rollup"
                          : stat->status_fd < 0 || memstat_peak_bytes(stat) == 0
                              ? "VmHWM in /proc/self/status"
                          : !memstat_peak_reset() ? "/proc/self/clear_refs"
                                                  : NULL;
    if (!missing) return true;
    memstat_close(stat);
    return why_say(why,
                   "resident memory cannot be read: this kernel does not offer %s (CONFIG_PROC_PAGE_MONITOR)",
                   missing);
}

void memstat_close(struct memstat *stat) {
    if (stat->rollup_fd >= 0) close(stat->rollup_fd);
    if (stat->status_fd >= 0) close(stat->status_fd);
    stat->rollup_fd = stat->status_fd = -1;
}

/* The field of an open file of /proc, given there in kB. */
static uint64_t read_field_bytes(int fd, const char *name) {
    char text[4096];
    uint64_t kibibytes;
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    if (got <= 0) return 0;
    text[got] = '\0';
    return sysfile_field(text, name, &kibibytes) ? kibibytes * 1024 : 0;
}

uint64_t memstat_rss_bytes(const struct memstat *stat) {
    return read_field_bytes(stat->rollup_fd, "Rss");
}

uint64_t memstat_peak_bytes(const struct memstat *stat) {
    return read_field_bytes(stat->status_fd, "VmHWM");
}

bool memstat_peak_reset(void) {
    int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool reset = write(fd, "5", 1) == 1; /* 5: reset the peak resident set (proc(5)) */
    close(fd);
    return reset;
}

static int touch_object(struct dl_phdr_info *object, size_t size, void *page_bytes) {
    (void)size;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_R)) continue;
        const volatile char *start = (const char *)(object->dlpi_addr + segment->p_vaddr);
        for (size_t at = 0; at < segment->p_filesz; at += *(const size_t *)page_bytes) (void)start[at];
    }
    return 0;
}

void memstat_touch_program(void) {
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    dl_iterate_phdr(touch_object, &page_bytes);
}

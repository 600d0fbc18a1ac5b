/* Runs a command, and ends it with everything it started once that has used more processor time than it may:
 * user and system time of the whole tree of processes. How busy the machine is then decides nothing. The
 * limit by the clock is for what waits for ever. within CPU_SECONDS CLOCK_SECONDS REPORT COMMAND
 * [ARGUMENT]... Writes "CLOCK CPU", the seconds used, into the file REPORT. Exit code: the command's; 128 +
 * the signal that ended it; 124 when a limit did, with a line on the standard error; 125 when the command
 * cannot be run. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct process {
    pid_t pid, parent;
    double cpu_s; /* its own, and that of the children it has waited for */
};

static double seconds_of(struct timeval t) {
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

static double clock_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Reads /proc/PID/stat. The name in it may hold blanks and parentheses: fields are counted from the last ")".
 */
static bool process_read(pid_t pid, struct process *process) {
    char path[32], text[1024];
    unsigned long user, system;
    long user_waited, system_waited;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *in = fopen(path, "r");
    size_t size = in ? fread(text, 1, sizeof text - 1, in) : 0;
    if (in) fclose(in);
    text[size] = '\0';
    const char *fields = strrchr(text, ')');
    if (!fields || sscanf(fields, ") %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld",
                          &process->parent, &user, &system, &user_waited, &system_waited) != 5)
        return false;
    process->pid = pid;
    process->cpu_s = ((double)user + (double)system + (double)user_waited + (double)system_waited) /
                     (double)sysconf(_SC_CLK_TCK);
    return true;
}

/* Lists the living descendants; orphans among them count, for this process is made their parent. Returns how
 * many. */
static size_t descendants(struct process **list) {
    struct process *all = NULL;
    size_t count = 0, room = 0, found = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc && (entry = readdir(proc));) {
        if (!isdigit((unsigned char)entry->d_name[0])) continue;
        if (count == room) {
            struct process *larger = realloc(all, (room = room ? 2 * room : 256) * sizeof *all);
            if (!larger) break;
            all = larger;
        }
        count += process_read((pid_t)atol(entry->d_name), &all[count]);
    }
    if (proc) closedir(proc);
    /* all[0..found): those known to be ours. Children of each are swapped behind them. */
    for (size_t next = 0; next <= found; next++) {
        pid_t parent = next == 0 ? getpid() : all[next - 1].pid;
        for (size_t i = found; i < count; i++)
            if (all[i].parent == parent) {
                struct process ours = all[i];
                all[i] = all[found], all[found++] = ours;
            }
    }
    *list = all;
    return found;
}

static double cpu_used_s(void) {
    struct rusage waited;
    struct process *list;
    size_t count = descendants(&list);
    getrusage(RUSAGE_CHILDREN, &waited);
    double used = seconds_of(waited.ru_utime) + seconds_of(waited.ru_stime);
    for (size_t i = 0; i < count; i++) used += list[i].cpu_s;
    free(list);
    return used;
}

/* Waits for all children that have ended. Returns whether `command` is among them. */
static bool reap(pid_t command, int *status) {
    bool ended = false;
    int got;
    for (pid_t pid; (pid = waitpid(-1, &got, WNOHANG)) > 0;)
        if (pid == command) ended = true, *status = got;
    return ended;
}

/* Sends the signal to every descendant, and waits until there is none, for so long. */
static bool end_all(int number, double patience_s) {
    sigset_t child_ended;
    sigemptyset(&child_ended), sigaddset(&child_ended, SIGCHLD);
    for (double until = clock_s() + patience_s;;) {
        struct process *list;
        size_t count = descendants(&list);
        for (size_t i = 0; i < count; i++) kill(list[i].pid, number);
        free(list);
        int status;
        reap(-1, &status);
        if (count == 0) return true;
        if (clock_s() >= until) return false;
        sigtimedwait(&child_ended, NULL, &(struct timespec){.tv_nsec = 100000000});
    }
}

/* Waits until the command ends (0), a signal asks to end (its number), or a limit is reached (-1, after
 * saying so). */
static int watch(pid_t command, double cpu_limit_s, double clock_limit_s, const sigset_t *signals,
                 int *status) {
    double processors = (double)sysconf(_SC_NPROCESSORS_ONLN), began = clock_s();
    for (;;) {
        double clock_left_s = clock_limit_s - (clock_s() - began), cpu_s = cpu_used_s();
        if (cpu_s > cpu_limit_s) {
            fprintf(stderr, "stopped: used %.1f s of processor time, %g s are allowed\n", cpu_s, cpu_limit_s);
            return -1;
        }
        if (clock_left_s <= 0) {
            fprintf(stderr, "stopped: not at its end after %g s, with %.1f s of processor time\n",
                    clock_limit_s, cpu_s);
            return -1;
        }
        /* No sooner than this can the limit be reached, all processors busy with the command. */
        double sleep_s = (cpu_limit_s - cpu_s) / processors + 0.1;
        if (sleep_s > clock_left_s) sleep_s = clock_left_s;
        for (double until = clock_s() + sleep_s, left_s; (left_s = until - clock_s()) > 0;) {
            struct timespec left = {(time_t)left_s, (long)((left_s - (double)(time_t)left_s) * 1e9)};
            int number = sigtimedwait(signals, NULL, &left);
            if (number == SIGCHLD && reap(command, status)) return 0;
            if (number > 0 && number != SIGCHLD) return number;
        }
    }
}

int main(int argc, char **argv) {
    if (argc < 5)
        return fputs("usage: within CPU_SECONDS CLOCK_SECONDS REPORT COMMAND [ARGUMENT]...\n", stderr), 2;
    sigset_t signals, before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD), sigaddset(&signals, SIGINT), sigaddset(&signals, SIGTERM),
        sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, &before);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* the runner was interrupted */
    double began = clock_s();
    pid_t command = fork();
    if (command == 0) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        setsid();
        execvp(argv[4], argv + 4);
        fprintf(stderr, "%s cannot be run: %s\n", argv[4], strerror(errno));
        _exit(125);
    }
    if (command < 0) return perror("within: fork"), 125;
    int status = 0, ended = watch(command, atof(argv[1]), atof(argv[2]), &signals, &status);
    enum { PATIENCE_S = 10 }; /* to remove what was written for the time of the test */
    if (ended != 0) end_all(SIGTERM, PATIENCE_S);
    double clock_used_s = clock_s() - began;
    while (!end_all(SIGKILL, PATIENCE_S)) continue; /* what it left behind, too */
    FILE *report = fopen(argv[3], "w");
    if (!report || fprintf(report, "%.2f %.2f\n", clock_used_s, cpu_used_s()) < 0 || fclose(report) != 0)
        return fprintf(stderr, "cannot write %s: %s\n", argv[3], strerror(errno)), 125;
    if (ended < 0) return 124;
    if (ended > 0) return 128 + ended;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

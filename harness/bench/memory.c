/* Workloads on memory that was promised or is shared: reserved and hardly used, copied and then changed,
 * forked. */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/bench/workloads.h"

static size_t smaller(uint64_t a, uint64_t b) {
    return (size_t)(a < b ? a : b);
}

enum { ONE_IN = 100 };

/* A hundredth of the entries: of a map that has more, what few touch. */
static size_t few_of(const struct bench *b) {
    size_t n = b->cell->n;
    return smaller(n / ONE_IN + (n < ONE_IN), b->block);
}

/* A loop of the harness's own, clocked as the units' are: creates the map that it fills. */
static uint64_t create_and_put(void *bench, const struct run_args *args) {
    struct bench *b = bench;
    b->map = b->unit->op.create(b->unit->own_heap, b->cell->n);
    return b->map ? b->unit->run.put(b->map, args) : 0;
}

bool bench_reserve_few(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    size_t few = few_of(b);
    (void)workload;
    while (out->ops < ops) {
        bench_next_keys(b);
        for (size_t i = 0; i < few; i++) b->room->index[i] = i;
        bench_store_keys(b, b->room->index, few, b->room->keys);
        struct run_args args = {.keys = b->room->keys, .n = few};
        uint64_t stored = bench_segment(b, create_and_put, b, &args, few, out);
        if (!b->map) return bench_fail(b, "out of memory: cannot create a map for %zu entries", b->cell->n);
        b->state = BENCH_WORN;
        if (stored != few)
            return bench_fail(b, "out of memory: %zu of %zu entries stored", (size_t)stored, few);
        size_t len = b->unit->op.len(b->map);
        if (len != few && !bench_is_baseline(b))
            return bench_wrong(b, "the length after storing few keys", len, few);
        if (bench_late(b)) return false;
    }
    return true;
}

/* What is copied, and the copy that was made last. */
struct copying {
    const struct map_unit *unit;
    void *map, *copy;
};

static uint64_t copy_and_put(void *context, const struct run_args *args) {
    struct copying *copying = context;
    copying->copy = copying->unit->op.copy(copying->map);
    return copying->copy ? copying->unit->run.put(copying->copy, args) : 0;
}

/* The original must be what it was, and the copy have the new values. */
bool bench_copy_put(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    size_t n = b->cell->n, few = few_of(b), size = b->unit->key_size;
    _Alignas(16) unsigned char val[SHAPE_VAL_SIZE_MAX];
    (void)workload;
    if (!bench_build(b)) return false;
    while (out->ops < ops) {
        struct copying copying = {b->unit, b->map, NULL};
        keys_pass(b->keys, b->order_seed, b->passes++, 0, few, b->room->index);
        bench_store_keys(b, b->room->index, few, b->room->keys);
        struct run_args args = {.keys = b->room->keys, .n = few, .first_value = n};
        uint64_t stored = bench_segment(b, copy_and_put, &copying, &args, n, out);
        if (!copying.copy) return bench_fail(b, "out of memory: cannot copy a map of %zu entries", n);
        bool ok = true;
        if (!bench_is_baseline(b)) {
            const void *last = (char *)b->room->keys + (few - 1) * size;
            size_t len = b->unit->op.len(copying.copy);
            uint64_t word = b->unit->op.get(copying.copy, last, val) ? b->cell->shape->val_word(val) : 0;
            if (stored != few) ok = bench_wrong(b, "the number of entries stored in a copy", stored, few);
            if (ok && len != n) ok = bench_wrong(b, "the length of a copy", len, n);
            if (ok && word != bench_value_word(b, n + few - 1))
                ok = bench_wrong(b, "a value of a copy", word, bench_value_word(b, n + few - 1));
        }
        b->unit->op.destroy(copying.copy);
        if (!ok || !bench_verify_full(b) || bench_late(b)) return false;
    }
    return true;
}

/* What a child hands back. */
struct child_result {
    struct batch batch;
    bool ok, late, wrong_result;
    char why[sizeof((struct bench *)0)->why];
};

/* Stores again to all keys, in random order. */
static bool touch_all(struct bench *b, struct batch *out) {
    size_t n = b->cell->n;
    for (size_t done = 0, count; done < n; done += count) {
        count = smaller(n - done, b->block);
        keys_pass(b->keys, b->order_seed, b->passes, done, count, b->room->index);
        bench_store_keys(b, b->room->index, count, b->room->keys);
        struct run_args args = {.keys = b->room->keys, .n = count, .first_value = n + done};
        uint64_t stored = bench_segment(b, b->unit->run.put, b->map, &args, count, out);
        if (stored != count && !bench_is_baseline(b))
            return bench_wrong(b, "the number of entries stored after a fork", stored, count);
        if (bench_late(b)) return false;
    }
    size_t len = b->unit->op.len(b->map);
    return len == n || bench_is_baseline(b) || bench_wrong(b, "the length after a fork", len, n);
}

static void run_child(struct bench *b, int out_fd) {
    struct child_result result = {0};
    result.ok = touch_all(b, &result.batch);
    result.late = b->late;
    result.wrong_result = b->wrong_result;
    memcpy(result.why, b->why, sizeof result.why);
    _exit(write(out_fd, &result, sizeof result) == sizeof result ? 0 : 1);
}

/* One pass in a child of its own. False: `why` is set. */
static bool fork_pass(struct bench *b, struct batch *out) {
    struct child_result result;
    int ends[2], status = 0;
    if (pipe(ends) != 0) return bench_fail(b, "cannot make a pipe: %s", strerror(errno));
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        run_child(b, ends[1]);
    }
    int why_not = errno;
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return bench_fail(b, "cannot fork: %s", strerror(why_not));
    }
    size_t got = 0;
    for (ssize_t part; got < sizeof result; got += (size_t)part) {
        part = read(ends[0], (char *)&result + got, sizeof result - got);
        if (part < 0 && errno == EINTR)
            part = 0;
        else if (part <= 0)
            break;
    }
    close(ends[0]);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    if (got < sizeof result)
        return bench_fail(b,
                          WIFSIGNALED(status) ? "the forked child was ended by signal %d"
                                              : "the forked child ended with code %d",
                          WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    b->late = result.late;
    b->wrong_result |= result.wrong_result;
    memcpy(b->why, result.why, sizeof b->why);
    out->ops += result.batch.ops;
    out->segments += result.batch.segments;
    out->ns += result.batch.ns;
    out->wall_ns += result.batch.wall_ns;
    out->preempted |= result.batch.preempted;
    out->checksum += result.batch.checksum;
    return result.ok;
}

/* The map itself is never written to here: every pass finds it as it was built. */
bool bench_fork_touch(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    (void)workload;
    if (b->hooks.start)
        return bench_fail(b, "it runs in a child process, where nothing is counted: measure its time");
    if (!bench_build(b)) return false;
    while (out->ops < ops) {
        bool ok = fork_pass(b, out);
        b->passes++;
        if (!ok || bench_late(b)) return false;
    }
    return true;
}

/* The scenarios about allocators (33 to 37), each variant in a process of its own: the leaky ones leak as
 * much as was measured elsewhere, the fixed ones stay within their bounds, the fixes that do not work do not
 * work. Stands in for the framework, so that only the scenarios are tested here. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/memory/resident.h"
#include "harness/retention/retention.h"

#ifdef MAPBENCH_SANITIZED
/* The sanitizer's allocator is another one, it touches pages of its own, and its larger frames keep old words
 * that a conservative collector finds. */
enum { BYTES_MEAN_SOMETHING = 0, SCALE = 20, SHADOW_SHARE = 8 };
#else
enum { BYTES_MEAN_SOMETHING = 1, SCALE = 4, SHADOW_SHARE = 1 << 30 }; /* a quarter of the default n */
#endif

enum { POINTS_MAX = 32, NOTES_MAX = 16 };

struct note {
    char name[32];
    double value;
};

struct point {
    char label[24];
    size_t step;
    uint64_t live_bytes;
    int64_t rss_bytes;
    struct note note[NOTES_MAX];
    size_t notes;
};

/* Written by the child, read by the test. */
struct outcome {
    bool ok;
    struct why why;
    size_t points, events;
    struct point point[POINTS_MAX];
};

struct retention {
    const char *variant;
    size_t n;
    struct resident_reader reader;
    uint64_t base_bytes;
    struct outcome *out;
};

/* --- what scenarios call --- */

const char *case_variant(const struct retention *r) {
    return r->variant;
}
bool case_is(const struct retention *r, const char *variant) {
    return strcmp(r->variant, variant) == 0;
}
size_t case_n(const struct retention *r) {
    return r->n;
}
uint64_t case_seed(const struct retention *r) {
    (void)r;
    return 11;
}

bool case_fail(struct retention *r, const char *format, ...) {
    va_list list;
    va_start(list, format);
    why_vsay(&r->out->why, format, list);
    va_end(list);
    return false;
}

void note_number(struct retention *r, const char *name, double value) {
    struct point *next = &r->out->point[r->out->points];
    size_t i = 0;
    while (i < next->notes && strcmp(next->note[i].name, name) != 0) i++;
    if (i == next->notes) next->notes++;
    snprintf(next->note[i].name, sizeof next->note[i].name, "%s", name);
    next->note[i].value = value;
}

void mark_event(struct retention *r, const char *what, size_t step) {
    (void)what, (void)step;
    r->out->events++;
}

bool checkpoint(struct retention *r, const char *label, size_t step, uint64_t live_bytes) {
    struct resident now;
    struct point *point = &r->out->point[r->out->points];
    if (r->out->points == POINTS_MAX - 1) return case_fail(r, "too many checkpoints");
    if (!resident_read(&r->reader, &now)) return case_fail(r, "resident memory cannot be read");
    if (r->out->points == 0) r->base_bytes = now.rss_bytes;
    snprintf(point->label, sizeof point->label, "%s", label);
    point->step = step;
    point->live_bytes = live_bytes;
    point->rss_bytes = (int64_t)(now.rss_bytes - r->base_bytes);
    r->out->points++;
    return true;
}

bool each_with_checkpoints(struct retention *r, size_t n,
                           bool (*f)(struct retention *r, size_t i, void *context), void *context,
                           const char *label,
                           uint64_t (*live)(struct retention *r, size_t done, void *context)) {
    size_t step = n / 8 ? n / 8 : 1;
    for (size_t i = 0; i < n; i++) {
        if (!f(r, i, context)) return false;
        if ((i + 1) % step == 0 && !checkpoint(r, label, i + 1, live(r, i + 1, context))) return false;
    }
    return true;
}

/* --- running --- */

static bool run_case(const struct scenario *s, const char *variant, size_t n, struct outcome *out) {
    struct retention r = {.variant = variant, .n = n, .out = out};
    return resident_open(&r.reader, 0, &out->why) && s->run(&r);
}

static struct outcome run_in_child(const struct scenario *s, const char *variant, size_t n) {
    int status = -1;
    struct outcome copy,
        *out = mmap(NULL, sizeof *out, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(out != MAP_FAILED);
    pid_t pid = fork();
    if (pid == 0) {
        out->ok = run_case(s, variant, n, out);
        _exit(0);
    }
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    copy = *out;
    munmap(out, sizeof *out);
    if (status != 0) fail_msg("%s %s: the child ended with status %d", s->name, variant, status);
    return copy;
}

static const struct point *last_with(const struct outcome *out, const char *label) {
    const struct point *found = NULL;
    for (size_t i = 0; i < out->points; i++)
        if (strcmp(out->point[i].label, label) == 0) found = &out->point[i];
    if (!found) fail_msg("no checkpoint %s", label);
    return found;
}

static const double *noted(const struct point *point, const char *name) {
    for (size_t i = 0; i < point->notes; i++)
        if (strcmp(point->note[i].name, name) == 0) return &point->note[i].value;
    return NULL;
}

static double number(const struct point *point, const char *name) {
    const double *value = noted(point, name);
    if (!value) fail_msg("%s: no number %s", point->label, name);
    return value ? *value : 0;
}

static double kept(const struct point *point) {
    const double *own = noted(point, "kept_bytes");
    return own ? *own : (double)point->rss_bytes;
}

/* Of every scenario: it can be read as a story, and each variant does what its role says. */
static struct outcome run_checked(const struct scenario *s, const struct variant *v, size_t n) {
    struct outcome out = run_in_child(s, v->name, n);
    if (!out.ok) fail_msg("%s %s: %s", s->name, v->name, out.why.text);
    assert_string_equal(out.point[0].label, "base");
    const struct point *point = last_with(&out, s->verdict_label);
    double bound = s->bound_factor * (double)point->live_bytes + (double)s->bound_bytes;
    if (!BYTES_MEAN_SOMETHING) return out;
    if (v->role == VARIANT_FIXED && kept(point) > bound)
        fail_msg("%s %s keeps %.0f bytes, bound %.0f", s->name, v->name, kept(point), bound);
    if ((v->role == VARIANT_LEAKY || v->role == VARIANT_NO_FIX) && kept(point) < 2 * bound)
        fail_msg("%s %s keeps only %.0f bytes, bound %.0f", s->name, v->name, kept(point), bound);
    return out;
}

static struct outcome run_named(const struct scenario *s, const char *variant, size_t n) {
    for (const struct variant *v = s->variant; v->name; v++)
        if (strcmp(v->name, variant) == 0) return run_checked(s, v, n);
    fail_msg("%s has no variant %s", s->name, variant);
    return (struct outcome){0};
}

static double amplification(const struct scenario *s, const char *variant, size_t n) {
    struct outcome out = run_named(s, variant, n);
    const struct point *point = last_with(&out, s->verdict_label);
    return kept(point) / (double)point->live_bytes;
}

/* --- the scenarios --- */

static void test_described(void **state) {
    (void)state;
    const struct scenario *all[] = {&scenario_fragmentation, &scenario_pinned_reader, &scenario_fork_cow,
                                    &scenario_presize_thp, &scenario_conservative_root};
    for (size_t i = 0; i < 5; i++) {
        size_t leaky = 0, fixed = 0, variants = 0;
        assert_int_equal(all[i]->number, 33 + i);
        assert_true(strlen(all[i]->claim) > 20 && strlen(all[i]->fix) > 20);
        for (const struct variant *v = all[i]->variant; v->name; v++, variants++) {
            leaky += v->role == VARIANT_LEAKY;
            fixed += v->role == VARIANT_FIXED;
            assert_non_null(v->summary);
        }
        assert_true(leaky >= 1 && fixed >= 1 && variants <= 8 /* none of these has more variants */);
    }
}

/* On machines that are set to "always", a page that a scenario touches brings 511 more: asked for here by
 * madvise. */
static void test_small_pages(void **state) {
    (void)state;
    enum { BYTES = 8 << 20 };
    struct why why = {""};
    pid_t child = fork();
    if (child == 0) {
        struct resident_reader reader;
        struct resident before = {0}, now = {0}; /* before: a sanitizer's tables */
        bool ok =
            resident_small_pages(&why) && resident_open(&reader, 0, &why) && resident_read(&reader, &before);
        char *at = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        madvise(at, BYTES, MADV_HUGEPAGE);
        memset(at, 1, BYTES);
        ok = ok && resident_read(&reader, &now) && now.rss_bytes > BYTES;
        _exit(ok && now.huge_bytes == before.huge_bytes ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_fragmentation(void **state) {
    (void)state;
    const struct scenario *s = &scenario_fragmentation;
    size_t n = s->n / SCALE;
    for (const struct variant *v = s->variant; v->name; v++) run_checked(s, v, n);
    if (!BYTES_MEAN_SOMETHING) return;
    struct outcome out = run_named(s, "malloc", n);
    const struct point *filled = last_with(&out, "filled"), *deleted = last_with(&out, "deleted");
    assert_true((double)filled->rss_bytes < 1.2 * (double)filled->live_bytes);
    assert_true(deleted->rss_bytes > filled->rss_bytes / 100 * 95);
    out = run_named(s, "malloc_trim", n);
    assert_true(last_with(&out, "deleted")->rss_bytes > filled->rss_bytes / 100 * 85);
}

static void test_pinned_reader(void **state) {
    (void)state;
    const struct scenario *s = &scenario_pinned_reader;
    size_t n = s->n / SCALE;
    struct outcome out = run_in_child(s, "pinned", n);
    assert_true(out.ok);
    assert_int_equal(number(last_with(&out, "end"), "pending_nodes"), n);
    assert_int_equal(number(last_with(&out, "left"), "pending_nodes"), 0);
    out = run_in_child(s, "short_sections", n);
    assert_true(out.ok);
    assert_in_range(number(last_with(&out, "end"), "pending_nodes_max"), 64, 256);
    if (!BYTES_MEAN_SOMETHING) return;
    for (const struct variant *v = s->variant; v->name; v++) {
        out = run_checked(s, v, n);
        if (strcmp(v->name, "pinned") != 0) continue;
        /* 112 bytes a node, and not one page back after the reader has left. */
        assert_in_range(last_with(&out, "end")->rss_bytes, n * 112, n * 112 + (1 << 20));
        assert_true(last_with(&out, "left")->rss_bytes > last_with(&out, "end")->rss_bytes / 100 * 99);
    }
    out = run_named(s, "left_late_trim", n);
    assert_true(last_with(&out, "end")->rss_bytes < last_with(&out, "left")->rss_bytes / 10);
}

/* 256 entries a page: 1 - 0.99^256 = 92.4 % of the pages are copied for 2.56 x 16 bytes each. */
static void test_fork_cow(void **state) {
    (void)state;
    const struct scenario *s = &scenario_fork_cow;
    size_t n = s->n / 4;
    for (const struct variant *v = s->variant; v->name && !BYTES_MEAN_SOMETHING; v++) run_checked(s, v, n);
    if (!BYTES_MEAN_SOMETHING) return;
    double flat = amplification(s, "flat", n), grouped = amplification(s, "grouped", n);
    assert_true(flat > 88 && flat < 97);
    assert_true(amplification(s, "sorted_batch", n) > 0.97 * flat);
    assert_true(amplification(s, "nodes", n) > flat);
    assert_true(grouped > 0.8 && grouped < 1.5);
    assert_true(amplification(s, "side_table", n) < 4);
    struct outcome out = run_named(s, "flat", n);
    assert_true(kept(last_with(&out, "ended")) < 256 * 1024);
}

static void test_presize_thp(void **state) {
    (void)state;
    const struct scenario *s = &scenario_presize_thp;
    struct outcome out = run_named(s, "small_pages", s->n);
    if (BYTES_MEAN_SOMETHING) {
        assert_in_range(last_with(&out, "filled")->rss_bytes, s->n * 4096 / 100 * 95, 7 << 20);
        assert_int_equal(number(last_with(&out, "filled"), "huge_bytes"), 0);
    }
    run_named(s, "grown", s->n);
    if (s->cannot(NULL, "huge_pages")) {
        print_message("huge pages: %s\n", s->cannot(NULL, "huge_pages"));
        return;
    }
    assert_null(s->cannot(NULL, "small_pages"));
    out = run_named(s, "huge_pages", s->n);
    assert_in_range(last_with(&out, "filled")->rss_bytes, 200u << 20, 260u << 20);
}

static void test_conservative_root(void **state) {
    (void)state;
    const struct scenario *s = &scenario_conservative_root;
    const char *why = s->cannot(NULL, "scanned_keys");
    if (why) {
        struct outcome refused = run_in_child(s, "scanned_keys", 1000);
        assert_false(refused.ok);
        assert_string_equal(refused.why.text, why);
        return;
    }
    for (const struct variant *v = s->variant; v->name; v++) {
        struct outcome out = run_checked(s, v, s->n);
        const struct point *point = last_with(&out, "dropped");
        if (!BYTES_MEAN_SOMETHING) continue;
        if (v->role == VARIANT_FIXED) {
            assert_int_equal(number(point, "pinned_small"), 0);
            assert_int_equal(number(point, "pinned_large"), 0);
        } else { /* 0.1 to 1 % of 200,000 */
            assert_in_range(number(point, "pinned_small"), 200, 2000);
            assert_int_equal(number(point, "pinned_large"), 1);
        }
    }
}

static void test_bad_sizes(void **state) {
    (void)state;
    struct outcome out = run_in_child(&scenario_fork_cow, "flat", 99);
    assert_false(out.ok);
    assert_string_equal(out.why.text, "n is 99: 1 % of it needs at least 100");
    out = run_in_child(&scenario_fragmentation, "arena_copy", 1);
    assert_true(out.ok);
    out = run_in_child(&scenario_fragmentation, "slab_compact", 12);
    assert_true(out.ok);
}

/* Another process's memory, and one that has ended. */
static void test_resident(void **state) {
    (void)state;
    enum { BYTES = 8 << 20 };
    struct resident_reader own, other;
    struct resident before, after;
    struct why why = {""};
    int hold[2];
    assert_true(resident_open(&own, 0, &why));
    assert_true(resident_read(&own, &before));
    char *block = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(block != MAP_FAILED && madvise(block, BYTES, MADV_NOHUGEPAGE) == 0);
    memset(block, 1, BYTES);
    assert_true(resident_read(&own, &after));
    assert_in_range(after.rss_bytes - before.rss_bytes, BYTES, BYTES + (1 << 20));
    assert_in_range(after.private_dirty_bytes - before.private_dirty_bytes, BYTES, BYTES + (1 << 20));
    assert_in_range(after.minor_faults - before.minor_faults, BYTES / 4096,
                    (BYTES + BYTES / SHADOW_SHARE) / 4096 + 256);
    assert_int_equal(pipe(hold), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char unused;
        close(hold[1]);
        _exit(read(hold[0], &unused, 1) < 0);
    }
    assert_true(resident_open(&other, pid, &why));
    assert_true(resident_read(&own, &after));
    assert_true(after.shared_dirty_bytes >= BYTES && after.private_dirty_bytes < BYTES);
    munmap(block, BYTES);
    /* The running counter behind the mark lags by some pages. */
    assert_true(resident_peak_bytes(&own) >= before.rss_bytes + BYTES - (512 << 10));
    assert_true(resident_peak_reset(&own));
    assert_true(resident_peak_bytes(&own) < before.rss_bytes + BYTES / 2);
    close(hold[0]), close(hold[1]);
    waitpid(pid, NULL, 0);
    assert_false(resident_read(&other, &after));
    resident_close(&other), resident_close(&own);
    assert_false(resident_open(&other, pid, &why));
    assert_non_null(strstr(why.text, "resident memory cannot be read: no smaps_rollup"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resident),      cmocka_unit_test(test_described),
        cmocka_unit_test(test_small_pages),   cmocka_unit_test(test_fragmentation),
        cmocka_unit_test(test_pinned_reader), cmocka_unit_test(test_fork_cow),
        cmocka_unit_test(test_presize_thp),   cmocka_unit_test(test_conservative_root),
        cmocka_unit_test(test_bad_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

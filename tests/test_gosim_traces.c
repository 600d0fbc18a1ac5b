/* What gosim prints by release, and goroutines that it finds to be leaked. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/gosim_support.h"

static const struct gosim_type int_type = {.name = "int", .size = 8};

/* --- what is printed --- */

/* What a heap of three nodes, a large array of pointers and a string's bytes prints. */
static char *trace_of(int release, bool scans, bool leaks) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    struct gosim *g = gosim_open(
        &(struct gosim_options){.gogc = -1, .release = release, .trace = out, .trace_scans = scans});
    void **root = NULL;
    assert_non_null(g);
    gosim_root(g, &root, "root");
    root = gosim_new(g, &pointer_type, 40000); /* 320,000 bytes: three pieces */
    for (size_t i = 0; i < 3; i++) gosim_store(g, &root[i], new_node(g, NULL, NULL));
    gosim_store(g, &root[3], gosim_new(g, &byte_type, 100));
    gosim_store(g, &root[4], gosim_new(g, &pointer_type, 100)); /* 800 bytes and a header: 896 */
    if (leaks)
        assert_int_equal(gosim_leaked_goroutines(g), 0);
    else
        gosim_collect(g);
    gosim_close(g);
    fclose(out);
    return text;
}

static void test_trace_by_release(void **state) {
    (void)state;
    static const char *const by_class[] = {"scan: total 7 objs\n", "scan: class L 3 objs\n",
                                           "scan: class 24B 3 objs\n", "scan: class 896B 1 objs\n"},
                             *const by_span[] = {"scan: total 4+3+0=7 objs, 1+0=1 spans\n",
                                                 "scan: class L 3+0+0=3 objs, 0+0=0 spans\n",
                                                 "scan: class 24B 0+3+0=3 objs, 1+0=1 spans\n",
                                                 "scan: class 896B 1+0+0=1 objs, 0+0=0 spans\n"};
    static const int release_of[] = {124, 125, 126, 127};
    for (int c = 0; c < 4; c++) {
        char *plain = trace_of(release_of[c], false, false), *scans = trace_of(release_of[c], true, false);
        assert_non_null(strstr(plain, " (forced)\n"));
        assert_null(strstr(plain, "scan:"));
        assert_null(strstr(plain, "leaks"));
        for (int line = 0; line < 4; line++) {
            assert_true(!strstr(scans, by_class[line]) == (release_of[c] != 125));
            assert_true(!strstr(scans, by_span[line]) == (release_of[c] < 126));
        }
        assert_null(strstr(scans, "class 112B")); /* nothing in it to scan */
        free(plain), free(scans);
    }
    char *leaks = trace_of(126, false, true);
    assert_non_null(strstr(leaks, "% (checking for goroutine leaks): 0+0+"));
    free(leaks);
}

/* --- leaked goroutines --- */

/* Of a chain of goroutines each waits at a channel that the one before has; of another, nobody has the first
 * channel. */
static void test_leaked_goroutines(void **state) {
    (void)state;
    enum { CHAIN = 5 };
    struct gosim *g = open_heap_of(126, true);
    struct gosim_channel *first = NULL;
    gosim_root(g, &first, "first");
    for (int leaked = 0; leaked < 2; leaked++) {
        struct gosim_channel *channel = gosim_make_channel(g, &int_type, 1);
        if (!leaked) first = channel;
        for (int i = 0; i < CHAIN; i++) {
            struct gosim_goroutine *goroutine = gosim_go(g, "waits", 0);
            void **local = gosim_local(goroutine, "next");
            *local = channel; /* until it has the next one */
            assert_true(gosim_receive(g, goroutine, channel));
            channel = gosim_make_channel(g, &int_type, 1);
            *local = channel;
        }
    }
    gosim_collect(g);
    uint64_t before = objects(g);
    assert_int_equal(gosim_leaked_goroutines(g), CHAIN);
    assert_int_equal(objects(g), before); /* they are told, not ended */
    first = NULL;
    assert_int_equal(gosim_leaked_goroutines(g), 2 * CHAIN);
    gosim_collect(g);
    assert_int_equal(objects(g), before);
    assert_null(gosim_verify(g));
    gosim_close(g);
    g = open_heap_of(125, false);
    assert_true(gosim_leaked_goroutines(g) == SIZE_MAX);
    gosim_close(g);
}

/* A goroutine that ends is no longer in the queue of its channel. */
static void test_waiters_leave(void **state) {
    (void)state;
    struct gosim *g = open_heap_of(127, true);
    struct gosim_channel *channel = NULL;
    struct gosim_goroutine *goroutine[3];
    gosim_root(g, &channel, "channel");
    channel = gosim_make_channel(g, &string_type, 1);
    for (int i = 0; i < 3; i++) {
        goroutine[i] = gosim_go(g, "waits", 0);
        assert_true(gosim_receive(g, goroutine[i], channel));
    }
    gosim_exit(g, goroutine[1]);
    gosim_collect(g);
    assert_ptr_equal(((struct gosim_waiter *)channel->receivers_first)->next, channel->receivers_last);
    gosim_exit(g, goroutine[0]);
    gosim_exit(g, goroutine[2]);
    assert_null(channel->receivers_first);
    assert_null(channel->receivers_last);
    gosim_close(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace_by_release),
        cmocka_unit_test(test_leaked_goroutines),
        cmocka_unit_test(test_waiters_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* 26: a goroutine that ranges over the channel of an item that is long deleted. */
#include "harness/retention/program/program.h"

enum {
    DATA_BYTES = 1024,
    YIELD_EVERY = 64,
    /* A yielding goroutine waits in the global queue until some processor takes it up. With another one idle
     * that happens while the old one still works off its own queue: two batches are alive at a time, and
     * sooner or later both are late, and there are three. */
    ALIVE_MAX = 3 * YIELD_EVERY,
};

/* Goroutines with a closed channel: they end when they get to run. */
struct ending {
    struct gosim_goroutine *at[ALIVE_MAX];
    size_t count;
};

struct consumers {
    struct program_map items;
    struct ending ending;
    bool close;
};

/* An item as the shape str_item has it. */
struct item {
    void *data;
    size_t len, cap;
    void *config, *channel;
};

/* The goroutine's stack has the channel that it waits at. */
static bool block(struct retention *r, struct gosim_goroutine *goroutine, struct gosim_channel *channel) {
    void **local = gosim_local(goroutine, "ch");
    if (!local) return false;
    *local = channel;
    return gosim_receive(case_gosim(r), goroutine, channel);
}

static void end_oldest(struct retention *r, struct ending *e, size_t count) {
    for (size_t i = 0; i < count; i++) gosim_exit(case_gosim(r), e->at[i]);
    e->count -= count;
    for (size_t i = 0; i < e->count; i++) e->at[i] = e->at[count + i];
}

static bool consume(struct retention *r, size_t i, void *context) {
    struct consumers *c = context;
    struct str key = {0};
    struct item item = {program_new(r, &type_bytes, DATA_BYTES), DATA_BYTES, DATA_BYTES, NULL,
                        gosim_make_channel(case_gosim(r), &type_strings, 1)};
    if (!item.data || !item.channel || !(key = program_key(r, i)).text ||
        !program_put(&c->items, &key, &item))
        return false;
    size_t alive_max = i < case_n(r) * 3 / 8 ? ALIVE_MAX - YIELD_EVERY : ALIVE_MAX;
    if (c->ending.count == alive_max) end_oldest(r, &c->ending, YIELD_EVERY);
    struct gosim_goroutine *goroutine = gosim_go(case_gosim(r), "consume", 0);
    if (!goroutine) return false;
    if (c->close)
        c->ending.at[c->ending.count++] = goroutine;
    else if (!block(r, goroutine, item.channel))
        return false;
    program_del(&c->items, &key);
    return true;
}

static uint64_t nothing(struct retention *r, size_t done, void *context) {
    (void)r, (void)done, (void)context;
    return 0;
}

static bool run(struct retention *r) {
    struct consumers c = {.close = case_is(r, "close")};
    struct gosim_stats stats;
    size_t n = case_n(r);
    if (!program_map_make(r, &c.items, NULL, 0, "items") || !checkpoint(r, "base", 0, 0) ||
        !each_with_checkpoints(r, n, consume, &c, "fill", nothing))
        return false;
    end_oldest(r, &c.ending, c.ending.count);
    gosim_stats(case_gosim(r), &stats);
    note_number(r, "stack_bytes", (double)stats.stack_inuse);
    bool ok = checkpoint(r, "end", n, 0);
    program_map_drop(&c.items);
    return ok;
}

const struct scenario scenario_blocked_consumer = {
    .number = 26,
    .name = "blocked_consumer",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_item",
    .maps = "go_hmap,go_swiss",
    .n = 5000,
    .claim = "A goroutine that waits for a channel nobody will send to keeps its stack, the channel and "
             "everything either refers to; deleting the item does not end it.",
    .fix = "Close the channel when the item is deleted, or let the goroutine also wait for a done signal.",
    .variant = VARIANTS(
        {"leaky", VARIANT_LEAKY, "a goroutine ranges over the channel of each item; the items are deleted"},
        {"close", VARIANT_FIXED, "the channel is closed first: its goroutine ends"}),
    .labels = "base fill end",
    .verdict_label = "end",
    .bound_factor = 0,
    .bound_bytes = 128 << 10, /* descriptors of the goroutines that were alive at once */
    .run = run,
};

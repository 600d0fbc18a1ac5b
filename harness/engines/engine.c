#include "harness/engines/engine.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/clock.h"
#include "harness/base/why.h"
#include "harness/engines/process.h"
#include "harness/engines/units.h"
#include "harness/unit/recorder.h"
#include "harness/shapes/shape.h"
#include "harness/shapes/str.h"

enum { PATIENCE_S = 60 }; /* where no time limit is set */

const char *engine_fault(const struct engine *e) {
    return e->fault[0] ? e->fault : NULL;
}

static bool start(struct engine *e);

const char *engine_version(struct engine *e) {
    if (!e->version[0]) start(e);
    return e->version[0] ? e->version : e->program;
}

const char *engine_name(const struct engine *e) {
    return e->program;
}

void engine_refuse(struct engine *e, const char *why) {
    if (!e->fault[0])
        snprintf(e->fault, sizeof e->fault, "engine %s: %s", e->version[0] ? e->version : e->program, why);
    if (e->running) engine_process_end(&e->process);
    e->running = false;
}

void engine_restart(struct engine *e) {
    if (e->running) engine_process_end(&e->process);
    e->running = false;
}

/* Allows the engine a number of seconds more. */
static struct deadline deadline_more(const struct engine *e, double seconds) {
    return deadline_in(seconds, e->running ? clock_read_ns(child_clock(&e->process.child)) : 0);
}

void engine_set_limit(struct engine *e, double seconds) {
    e->deadline = deadline_more(e, seconds);
    e->limited = true;
}

bool engine_is_late(const struct engine *e) {
    return e->running && e->limited && deadline_passed(&e->deadline, child_clock(&e->process.child));
}

/* Says how long an answer is waited for. */
static struct deadline patience(const struct engine *e) {
    enum { GRACE_NS = 1000000000 }; /* the runner gives up first, with its own words */
    const struct deadline *d = &e->deadline;
    return e->limited ? (struct deadline){d->cpu_ns + GRACE_NS, d->wall_ns + GRACE_NS, d->wall_least_ns}
                      : deadline_more(e, PATIENCE_S);
}

/* Reads "mapbench-engine PROTOCOL VERSION MAP_DESIGN SYNC_DESIGN" and compares it with engines.def. */
bool engine_greeting(const char *line, const char *program, const char *map_design, const char *sync_design,
                     char *version, size_t version_size, struct why *why) {
    int protocol;
    char says[48], maps[24], syncs[24];
    if (strncmp(line, "error ", 6) == 0) {
        why_say(why, "it says: %.120s", line + 6);
    } else if (sscanf(line, "mapbench-engine %d %47s %23s %23s", &protocol, says, maps, syncs) != 4) {
        why_say(why, "it printed \"%.60s\" instead of its name", line);
    } else if (protocol != ENGINE_PROTOCOL) {
        why_say(why, "it speaks protocol %d, this program %d: build it again with make engines", protocol,
                ENGINE_PROTOCOL);
    } else if (strcmp(maps, map_design) != 0 || strcmp(syncs, sync_design) != 0) {
        why_say(why, "it was built with %s and %s maps, not %s and %s: build it again", maps, syncs,
                map_design, sync_design);
    } else {
        return engine_version_of(program, says, version, version_size, why);
    }
    return false;
}

static bool mirror(struct engine *e);

static bool start(struct engine *e) {
    char path[4096];
    struct why why;
    if (e->fault[0]) return false;
    if (e->running) return true;
    if (!engine_program_path(e->program, path, sizeof path))
        return engine_refuse(e, "it is not built any more"), false;
    e->running =
        engine_process_start(&e->process, path, e->kind, e->unit.shape, e->collector, patience(e), &why);
    if (!e->running || !engine_greeting(e->process.line, e->program, e->map_design, e->sync_design,
                                        e->version, sizeof e->version, &why))
        return engine_refuse(e, why.text), false;
    return mirror(e);
}

/* Asks, and reads as many numbers as the answer must have. False: the engine has a fault now. */
static bool ask(struct engine *e, uint64_t *numbers, size_t count, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static bool ask(struct engine *e, uint64_t *numbers, size_t count, const char *format, ...) {
    char command[256];
    struct why why;
    va_list args;
    if (!start(e)) return false;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    if (!engine_process_ask(&e->process, command, patience(e), &why))
        return engine_refuse(e, why.text), false;
    const char *line = e->process.line;
    bool ok = strncmp(line, "ok", 2) == 0;
    char *at = (char *)line + 2;
    for (size_t i = 0; ok && i < count; i++) {
        char *end;
        ok = *at == ' ';
        numbers[i] = strtoull(at, &end, 10);
        ok = ok && end > at + 1;
        at = end;
    }
    if (ok && *at == '\0') return true;
    if (strncmp(line, "error ", 6) == 0)
        why_say(&why, "it says: %.160s", line + 6);
    else
        why_say(&why, "it printed \"%.60s\" instead of an answer to \"%.60s\"", line, command);
    return engine_refuse(e, why.text), false;
}

/* --- keys and values --- */

static bool give_keys(struct engine *e, const void *keys, size_t count) {
    struct wire_block *block = e->process.block;
    if (count > WIRE_KEYS) return engine_refuse(e, "a block has more keys than can be handed over"), false;
    if (e->shape->key_bits) {
        memcpy(block->key, keys, count * e->shape->key_size);
        return true;
    }
    const struct str *text = keys;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (text[i].len > sizeof block->text - at)
            return engine_refuse(e, "the texts of a block of keys exceed 64 MiB"), false;
        block->text_key[i] = (struct wire_text){(uintptr_t)text[i].text, text[i].len};
        memcpy(block->text + at, text[i].text, text[i].len);
        at += text[i].len;
    }
    return true;
}

static void take_key(const struct engine *e, size_t i, void *key) {
    const struct wire_block *block = e->process.block;
    if (e->shape->key_bits)
        memcpy(key, block->key + i * e->shape->key_size, e->shape->key_size);
    else
        *(struct str *)key =
            (struct str){block->text + block->text_key[i].address, block->text_key[i].length};
}

static bool mirror(struct engine *e) {
    return e->text_bytes == 0 ||
           ask(e, NULL, 0, "mirror %" PRIuPTR " %zu", (uintptr_t)e->text_base, e->text_bytes);
}

void engine_mirror_text(struct engine *e, const void *base, size_t bytes) {
    if (e->shape->key_bits || (e->text_base == base && e->text_bytes == bytes)) return;
    e->text_base = base, e->text_bytes = bytes;
    if (e->running) mirror(e);
}

/* --- measured loops --- */

static size_t keys_of(const struct engine_loop *loop, const struct run_args *args) {
    size_t keys = 0;
    switch (loop->keys) {
    case LOOP_KEYS_NONE:
        return 0;
    case LOOP_KEYS_PAIRS:
        return 2 * args->n;
    case LOOP_KEYS_SUM:
        for (size_t i = 0; i < args->n; i++) keys += args->entries_of_map[i];
        return keys;
    default:
        return args->n;
    }
}

/* Hands over what the loop needs of maps: the entries or the map of each operation, or the maps it works on.
 */
static bool give_maps(struct engine *e, const struct engine_loop *loop, const struct run_args *args) {
    struct wire_block *block = e->process.block;
    if (loop->maps != LOOP_ONE_MAP && args->n > WIRE_KEYS)
        return engine_refuse(e, "a block has more maps than can be handed over"), false;
    for (size_t i = 0; i < args->n && loop->maps != LOOP_ONE_MAP; i++) switch (loop->maps) {
        case LOOP_CHOSEN_MAPS:
            block->id[i] = ((struct engine_map *)args->maps[i])->id;
            break;
        case LOOP_MAP_OF_KEY:
            block->of[i] = ((struct engine_map *)args->maps[args->map_of_operation[i]])->id;
            break;
        case LOOP_NEW_MAPS:
            if (args->entries_of_map) block->of[i] = args->entries_of_map[i];
            break;
        default:
            break;
        }
    return true;
}

static struct engine_map *handle(struct engine *e, uint32_t id) {
    struct engine_map *map = malloc(sizeof *map);
    if (!map) abort();
    *map = (struct engine_map){e, id};
    return map;
}

uint64_t engine_run(struct engine *e, struct engine_map *map, const struct engine_loop *loop,
                    const struct run_args *args) {
    size_t keys = keys_of(loop, args);
    uint64_t answer[5];
    e->last = (struct engine_segment){0};
    if (!start(e) || !give_maps(e, loop, args) || !give_keys(e, args->keys, keys)) return 0;
    if (!ask(e, answer, 5, "run %s %" PRIu32 " %zu %d %zu %" PRIu64 " %zu", loop->name, map ? map->id : 0,
             keys, (int)loop->storing, args->n, args->first_value, args->zero))
        return 0;
    e->last = (struct engine_segment){answer[1], answer[2], answer[3], answer[4] != 0};
    const struct wire_block *block = e->process.block;
    if (loop->maps == LOOP_NEW_MAPS)
        for (size_t i = 0; i < args->n; i++) args->maps[i] = handle(e, block->id[i]);
    if (loop->timed)
        for (size_t i = 0; i < args->n; i++)
            recorder_add(args->recorder, block->ticks[i], (size_t)block->capacity[i]);
    return answer[0];
}

void engine_last_segment(const struct engine *e, struct engine_segment *out) {
    *out = e->last;
}

/* --- single operations --- */

struct engine_map *engine_create(struct engine *e, size_t hint) {
    uint64_t id;
    return ask(e, &id, 1, "create %zu", hint) ? handle(e, (uint32_t)id) : NULL;
}

void engine_destroy(struct engine_map *map) {
    if (map->engine->running && !map->engine->fault[0]) ask(map->engine, NULL, 0, "drop %" PRIu32, map->id);
    free(map);
}

bool engine_get(struct engine_map *map, const void *key, void *val) {
    struct engine *e = map->engine;
    uint64_t found;
    if (!start(e) || !give_keys(e, key, 1) || !ask(e, &found, 1, "get %" PRIu32, map->id) || !found)
        return false;
    memcpy(val, e->process.block->val, e->shape->val_size);
    return true;
}

bool engine_put(struct engine_map *map, const void *key, const void *val) {
    struct engine *e = map->engine;
    if (!start(e) || !give_keys(e, key, 1)) return false;
    memcpy(e->process.block->val, val, e->shape->val_size);
    return ask(e, NULL, 0, "put %" PRIu32, map->id);
}

size_t engine_number(const struct engine_map *map, const char *what) {
    uint64_t number;
    return ask(map->engine, &number, 1, "%s %" PRIu32, what, map->id) ? (size_t)number : 0;
}

void engine_each(struct engine_map *map, map_visit_fn *visit, void *context) {
    struct engine *e = map->engine;
    uint64_t entries;
    if (!ask(e, &entries, 1, "collect %" PRIu32, map->id)) return;
    for (uint64_t done = 0; done < entries;) {
        uint64_t count = entries - done < WIRE_CHUNK ? entries - done : WIRE_CHUNK;
        if (!ask(e, NULL, 0, "chunk %" PRIu64 " %" PRIu64, done, count)) return;
        for (uint64_t i = 0; i < count; i++) {
            _Alignas(16) unsigned char key[SHAPE_KEY_SIZE_MAX], val[SHAPE_VAL_SIZE_MAX];
            take_key(e, i, key);
            memcpy(val, e->process.block->val + i * e->shape->val_size, e->shape->val_size);
            if (!visit(context, key, val)) return;
        }
        done += count;
    }
}

bool engine_memory(struct engine *e, bool collect, struct engine_memory *m) {
    uint64_t n[7];
    if (!ask(e, n, 7, "memory %d", collect)) return false;
    *m = (struct engine_memory){n[0], n[1], n[2], n[3], n[4], n[5], n[6]};
    return true;
}

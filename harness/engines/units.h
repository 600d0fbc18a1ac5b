/* Between engine.c, which talks to an engine, and units.c, which makes units of it. */
#ifndef MAPBENCH_ENGINE_UNITS_H
#define MAPBENCH_ENGINE_UNITS_H

#include "harness/base/deadline.h"
#include "harness/base/why.h"
#include "harness/engines/engine.h"
#include "harness/engines/process.h"
#include "harness/engines/wire.h"
#include "harness/shapes/shape.h"

struct engine {
    struct map_unit unit;
    const char *program, *kind, *collector, *map_design, *sync_design; /* as in engines.def */
    const struct shape *shape;
    bool running;
    struct engine_process process;
    bool limited; /* by this: */
    struct deadline deadline;
    const void *text_base; /* mirrored */
    size_t text_bytes;
    struct engine_segment last;
    char version[96], fault[320];
};

/* A map of an engine, as the harness holds it. */
struct engine_map {
    struct engine *engine;
    uint32_t id;
};

/* The maps that a loop needs to be handed over. */
struct engine_loop {
    const char *name;
    enum { LOOP_KEYS_EACH, LOOP_KEYS_PAIRS, LOOP_KEYS_SUM, LOOP_KEYS_NONE } keys;
    enum { LOOP_ONE_MAP, LOOP_CHOSEN_MAPS, LOOP_MAP_OF_KEY, LOOP_NEW_MAPS } maps;
    enum wire_storing storing;
    bool timed;
};

/* Each returns 0, false or NULL when the engine has a fault. */
uint64_t engine_run(struct engine *engine, struct engine_map *map, const struct engine_loop *loop,
                    const struct run_args *args);
struct engine_map *engine_create(struct engine *engine, size_t hint);
void engine_destroy(struct engine_map *map);
bool engine_get(struct engine_map *map, const void *key, void *val);
bool engine_put(struct engine_map *map, const void *key, const void *val);
size_t engine_number(const struct engine_map *map, const char *what); /* "len", "capacity" */
void engine_each(struct engine_map *map, map_visit_fn *visit, void *context);

/* Checks the first line of a program and takes its version. False: `why`. */
bool engine_greeting(const char *line, const char *program, const char *map_design, const char *sync_design,
                     char *version, size_t version_size, struct why *why);

#endif

/* Functions on the heap: closures, and what runtime.AddCleanup makes of a function and its argument
 * (runtime/mcleanup.go). */
#include "internal.h"

static const struct gosim_field captured_fields[] = {{"captured", offsetof(struct gosim_closure, captured)}};
static const struct gosim_type function_type = {
    .name = "func", .size = sizeof(struct gosim_closure), .pointer = captured_fields, .pointers = 1};

struct gosim_closure *gosim_closure_make(struct gosim *heap, void (*call)(void *captured, void *argument),
                                         void *captured) {
    gosim_hold(heap); /* perhaps nothing holds what is captured */
    struct gosim_closure *closure = gosim_new(heap, &function_type, 1);
    gosim_release(heap);
    if (!closure) return NULL;
    closure->call = call;
    gosim_store(heap, &closure->captured, captured);
    return closure;
}

/* What runtime.AddCleanup makes: up to 1.25 a closure that has function and argument, later one without,
 * whose record has them.
 */
struct cleanup {
    void *code, *dictionary, *function, *argument;
};
static const struct gosim_field cleanup_fields[] = {{"cleanup", offsetof(struct cleanup, function)},
                                                    {"arg", offsetof(struct cleanup, argument)}};
#define CLEANUP(release)                                                                                     \
    {.name = "cleanup closure",                                                                              \
     .size = GS_cleanup_closure_##release,                                                                   \
     .pointer = cleanup_fields,                                                                              \
     .pointers = GS_cleanup_closure_##release == sizeof(struct cleanup) ? 2 : 0},
static const struct gosim_type cleanup_types[] = {GS_RELEASES(CLEANUP)};
static const struct gosim_field pointer_fields[] = {{"", 0}};
static const struct gosim_type function_box_type = {
    .name = "cleanup function", .size = sizeof(void *), .pointer = pointer_fields, .pointers = 1};
static const struct gosim_type pointer_type = {
    .name = "cleanup argument", .size = sizeof(void *), .pointer = pointer_fields, .pointers = 1};
static const struct gosim_type plain_box_type = {.name = "cleanup argument",
                                                 .size = GS_cleanup_argument_min_127};

bool gs_cleanup_has_fields(const struct gosim *heap) {
    return cleanup_types[heap->column].pointers > 0;
}

/* The argument's place on the heap. NULL: out of memory. */
static void *box_argument(struct gosim *heap, const struct gosim_type *type, const void *argument) {
    static const struct gosim_type nothing = {.name = "struct{}"};
    if (!type) type = &nothing;
    bool small = type->pointers == 0 && type->size < heap->facts->cleanup_argument_min;
    void *box = gosim_new(heap, small ? &plain_box_type : type, 1);
    if (box && type->size) gosim_move(heap, type, box, argument, 1);
    return box;
}

bool gs_cleanup_make(struct gosim *heap, struct gs_special *made, const struct gosim_type *type,
                     const void *argument) {
    made->argument = box_argument(heap, made->by_pointer ? &pointer_type : type, argument);
    made->value = made->argument ? gosim_new(heap, &cleanup_types[heap->column], 1) : NULL;
    if (!made->value) return false;
    void *function = made->closure;
    if (heap->facts->cleanup_function) {
        function = gosim_new(heap, &function_box_type, 1);
        if (!function) return false;
        gosim_store(heap, function, made->closure);
    }
    if (!gs_cleanup_has_fields(heap)) return true;
    struct cleanup *cleanup = made->value;
    gosim_store(heap, &cleanup->function, function);
    gosim_store(heap, &cleanup->argument, made->argument);
    return true;
}

/* Slices that a function makes and appends to: where their first elements are (runtime/slice.go; cmd/compile,
 * since 1.25). */
#include "internal.h"

#include <string.h>

enum { STACK_WORDS = sizeof((struct gosim_slice *)NULL)->stack / sizeof(uint64_t) };

/* Elements that the array on the stack has room for, in a slice that is made or appended to. */
static size_t room_on_stack(const struct gosim *heap, const struct gosim_slice *slice, bool made) {
    const struct gs_facts *facts = heap->facts;
    size_t append = slice->leaves ? facts->stack_append_escaping : facts->stack_append;
    size_t bytes = made ? (slice->leaves ? 0 : facts->stack_make) : append;
    return slice->type->size ? bytes / slice->type->size : 0;
}

static bool is_on_stack(const struct gosim_slice *slice) {
    return slice->data == slice->stack;
}

bool gosim_slice_begin(struct gosim *heap, struct gosim_slice *slice, const struct gosim_type *type,
                       bool leaves) {
    *slice = (struct gosim_slice){.type = type, .leaves = leaves};
    bool rooted = gosim_root(heap, &slice->data, "slice");
    for (size_t i = 0; rooted && type->pointers && i < STACK_WORDS; i++)
        rooted = gosim_root(heap, &slice->stack[i], "slice on the stack");
    if (!rooted) gosim_slice_end(heap, slice);
    return rooted;
}

void gosim_slice_end(struct gosim *heap, struct gosim_slice *slice) {
    for (size_t i = STACK_WORDS; i-- > 0;) gosim_unroot(heap, &slice->stack[i]);
    gosim_unroot(heap, &slice->data);
}

bool gosim_slice_make(struct gosim *heap, struct gosim_slice *slice, size_t length) {
    bool fits = length && length <= room_on_stack(heap, slice, true);
    void *data = fits ? slice->stack : gosim_new(heap, slice->type, length);
    if (!data) return false;
    slice->data = data;
    slice->length = slice->capacity = length;
    return true;
}

/* Goes on in an array on the heap. */
static bool move_to_heap(struct gosim *heap, struct gosim_slice *slice, size_t capacity) {
    void *data = gosim_new(heap, slice->type, capacity);
    if (!data) return false;
    if (slice->length) gosim_move(heap, slice->type, data, slice->data, slice->length);
    if (is_on_stack(slice)) memset(slice->stack, 0, sizeof slice->stack);
    slice->data = data;
    slice->capacity = capacity;
    return true;
}

bool gosim_append(struct gosim *heap, struct gosim_slice *slice, const void *element) {
    size_t size = slice->type->size, room = room_on_stack(heap, slice, false);
    if (slice->length == slice->capacity) {
        bool noscan = slice->type->pointers == 0;
        if (slice->capacity == 0 && room) {
            slice->data = slice->stack;
            slice->capacity = room;
        } else if (!move_to_heap(heap, slice,
                                 gs_grown_capacity(slice->capacity, size, noscan, heap->header))) {
            return false;
        }
    }
    void *at = (char *)slice->data + slice->length * size;
    if (is_on_stack(slice))
        memcpy(at, element, size);
    else
        gosim_move(heap, slice->type, at, element, 1);
    slice->length++;
    return true;
}

/* moveSlice: what leaves is as large as its size class lets it be. */
bool gosim_slice_leave(struct gosim *heap, struct gosim_slice *slice) {
    if (!is_on_stack(slice)) return true;
    size_t size = slice->type->size;
    size_t block = gs_booked_bytes(slice->length * size, slice->type->pointers == 0, heap->header);
    return move_to_heap(heap, slice, block / size);
}

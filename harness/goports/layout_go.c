/* The structs of Go's maps, as text for the layout engine, and the report on it as JSON.
 *
 * Source: Go 1.23.5, runtime/map.go (hmap, mapextra, bmap, hiter) and
 * cmd/compile/internal/reflectdata/reflect.go (MapBucketType, writeType: the map type); Go 1.24.4,
 * runtime/map_noswiss.go, internal/runtime/maps/map.go (Map), table.go (table, Iter), group.go, and
 * reflectdata/map_swiss.go (SwissMapGroupType, writeSwissMapType); Go 1.25.12, 1.26.11 and 1.27.4, the same
 * and internal/abi/map.go (MapType). */
#include <stdio.h>
#include <string.h>

#include "harness/goports/layout.h"
#include "harness/base/count_of.h"
#include "harness/base/why.h"

enum { GO_SLOTS = 8, GO_INLINE_BYTES_MAX = 128, STRUCT_TEXT_MAX = 2 * LAYOUT_TEXT_MAX + 128 };

struct go_struct {
    const char *name, *go; /* the release it is like this since, until the next of the name */
    const char *text;      /* NULL: that release has it no more */
};

#define GROUPS_REFERENCE "struct { data unsafe.Pointer; lengthMask uint64 }"
#define GROUP_REFERENCE "struct { data unsafe.Pointer }"
#define ABI_TYPE                                                                                             \
    "struct { Size_ uintptr; PtrBytes uintptr; Hash uint32; TFlag uint8; Align_ uint8; FieldAlign_ uint8; "  \
    "Kind_ uint8; Equal unsafe.Pointer; GCData *byte; Str int32; PtrToThis int32 }"
#define HMAP                                                                                                 \
    "count int; flags uint8; B uint8; noverflow uint16; hash0 uint32; buckets unsafe.Pointer; "              \
    "oldbuckets unsafe.Pointer; nevacuate uintptr; "
#define HITER(map_type)                                                                                      \
    "key unsafe.Pointer; elem unsafe.Pointer; t *" map_type                                                  \
    "; h *hmap; buckets unsafe.Pointer; bptr *bmap; "                                                        \
    "overflow *[]*bmap; oldoverflow *[]*bmap; startBucket uintptr; offset uint8; wrapped bool; B uint8; "    \
    "i uint8; bucket uintptr; checkBucket uintptr"

static const struct go_struct classic_structs[] = {
    {"runtime.hmap", "1.23", "struct { " HMAP "extra *mapextra }"},
    {"runtime.hmap", "1.24 noswissmap", "struct { " HMAP "clearSeq uint64; extra *mapextra }"},
    {"runtime.mapextra", "1.23", "struct { overflow *[]*bmap; oldoverflow *[]*bmap; nextOverflow *bmap }"},
    {"runtime.bmap", "1.23", "struct { tophash [8]uint8 }"},
    {"runtime.hiter", "1.23", "struct { " HITER("abi.MapType") " }"},
    {"runtime.hiter", "1.24 noswissmap", "struct { " HITER("abi.OldMapType") "; clearSeq uint64 }"},
};

/* A function is a pointer to lay out: Hasher. */
#define MAP_TYPE(slots)                                                                                      \
    "struct { Type " ABI_TYPE "; Key *abi.Type; Elem *abi.Type; Group *abi.Type; Hasher unsafe.Pointer; "    \
    "GroupSize uintptr; " slots "ElemOff uintptr; Flags uint32 }"
#define SWISS_MAP(tombstone_possible)                                                                        \
    "struct { used uint64; seed uintptr; dirPtr unsafe.Pointer; dirLen int; globalDepth uint8; "             \
    "globalShift uint8; writing uint8; " tombstone_possible "clearSeq uint64 }"
#define SWISS_ITER(map_type)                                                                                 \
    "struct { key unsafe.Pointer; elem unsafe.Pointer; typ *" map_type "; m *Map; entryOffset uint64; "      \
    "dirOffset uint64; clearSeq uint64; globalDepth uint8; dirIdx int; tab *table; "                         \
    "group " GROUP_REFERENCE "; entryIdx uint64 }"

static const struct go_struct swiss_structs[] = {
    {"internal/runtime/maps.Map", "1.24", SWISS_MAP("")},
    {"internal/runtime/maps.Map", "1.25", SWISS_MAP("tombstonePossible bool; ")},
    {"internal/runtime/maps.table", "1.24",
     "struct { used uint16; capacity uint16; growthLeft uint16; localDepth uint8; index int; "
     "groups " GROUPS_REFERENCE " }"},
    {"internal/runtime/maps.groupsReference", "1.24", GROUPS_REFERENCE},
    {"internal/runtime/maps.groupReference", "1.24", GROUP_REFERENCE},
    {"internal/runtime/maps.probeSeq", "1.24", "struct { mask uint64; offset uint64; index uint64 }"},
    {"internal/runtime/maps.Iter", "1.24", SWISS_ITER("abi.SwissMapType")},
    {"internal/runtime/maps.Iter", "1.26", SWISS_ITER("abi.MapType")},
    {"internal/abi.SwissMapType", "1.24", MAP_TYPE("SlotSize uintptr; ")},
    {"internal/abi.SwissMapType", "1.26", NULL}, /* renamed */
    {"internal/abi.MapType", "1.26", MAP_TYPE("SlotSize uintptr; ")},
    {"internal/abi.MapType", "1.27",
     MAP_TYPE("KeysOff uintptr; KeyStride uintptr; ElemsOff uintptr; ElemStride uintptr; ")},
};

/* Whether the struct at `i` is how that release has it; a release is NULL where all are wanted. */
static bool is_of_release(const struct go_struct *structs, size_t count, size_t i, const char *release) {
    if (!structs[i].text || !release) return structs[i].text != NULL;
    for (size_t later = i + 1; later < count; later++)
        if (strcmp(structs[later].name, structs[i].name) == 0 && strcmp(structs[later].go, release) <= 0)
            return false;
    return strcmp(structs[i].go, release) <= 0;
}

/* --- one struct on one target --- */

/* Long types by the names they have in Go. */
static const char *short_type(const char *type) {
    return strcmp(type, GROUPS_REFERENCE) == 0  ? "groupsReference"
           : strcmp(type, GROUP_REFERENCE) == 0 ? "groupReference"
           : strcmp(type, ABI_TYPE) == 0        ? "abi.Type"
                                                : type;
}

static json_t *layout_to_json(const char *name, const char *go, const struct layout_target *target,
                              const struct layout *layout) {
    json_t *fields = json_array();
    size_t padding = 0;
    for (size_t i = 0; i < layout->fields; i++) {
        const struct layout_field *f = &layout->field[i];
        size_t after = layout_padding_after(layout, i);
        padding += after;
        json_array_append_new(fields,
                              json_pack("{s:s, s:I, s:I, s:I, s:I, s:s}", "name", f->name, "off",
                                        (json_int_t)f->offset_bytes, "size", (json_int_t)f->size_bytes,
                                        "align", (json_int_t)f->align_bytes, "padding_after",
                                        (json_int_t)after, "type", short_type(f->type)));
    }
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:o}", "name", name, "go", go, "target", target->name,
                     "size", (json_int_t)layout->whole.size_bytes, "align",
                     (json_int_t)layout->whole.align_bytes, "padding", (json_int_t)padding, "fields", fields);
}

static bool append_struct(json_t *list, const char *name, const char *go, const char *text,
                          const struct layout_target *target, struct layout *layout, struct why *why) {
    if (!layout_compute(text, target, layout, why)) return false;
    json_array_append_new(list, layout_to_json(name, go, target, layout));
    return true;
}

/* --- what the compiler makes for a map type --- */

/* A map type's parts on one target; a cell is what a slot has for a key or value. */
struct map_parts {
    const struct layout_target *target;
    struct layout_type key, elem;
    char key_cell[LAYOUT_TEXT_MAX + 1], elem_cell[LAYOUT_TEXT_MAX + 1];
    bool key_indirect, elem_indirect;
};

static bool cell_of(const char *type, const struct layout_target *target, struct layout_type *out,
                    bool *indirect, char cell[LAYOUT_TEXT_MAX + 1], struct why *why) {
    struct layout layout;
    if (!layout_compute(type, target, &layout, why)) return false;
    *out = layout.whole;
    *indirect = out->size_bytes > GO_INLINE_BYTES_MAX;
    snprintf(cell, LAYOUT_TEXT_MAX + 1, "%s%s", *indirect ? "*" : "", type);
    return true;
}

static bool map_parts_of(const char *key, const char *elem, const struct layout_target *target,
                         struct map_parts *parts, struct why *why) {
    *parts = (struct map_parts){.target = target};
    if (!cell_of(key, target, &parts->key, &parts->key_indirect, parts->key_cell, why) ||
        !cell_of(elem, target, &parts->elem, &parts->elem_indirect, parts->elem_cell, why))
        return false;
    return true;
}

static size_t cell_bytes(const struct map_parts *parts, bool indirect, const struct layout_type *type) {
    return indirect ? parts->target->pointer_bytes : type->size_bytes;
}

/* MapBucketType and the map type's fields. Buckets whose entries have no pointers have none at all: their
 * overflow buckets are kept alive by hmap.extra. */
static json_t *classic_type(const struct map_parts *parts, json_t *structs, struct why *why) {
    char text[STRUCT_TEXT_MAX];
    struct layout bucket;
    bool pointers = parts->key_indirect || parts->elem_indirect || parts->key.pointer_prefix_bytes ||
                    parts->elem.pointer_prefix_bytes;
    snprintf(text, sizeof text, "struct { tophash [%d]uint8; keys [%d]%s; elems [%d]%s; overflow %s }",
             GO_SLOTS, GO_SLOTS, parts->key_cell, GO_SLOTS, parts->elem_cell,
             pointers ? "unsafe.Pointer" : "uintptr");
    if (!append_struct(structs, "bucket", "1.23", text, parts->target, &bucket, why)) return NULL;
    unsigned flags = (unsigned)parts->key_indirect | (unsigned)parts->elem_indirect << 1 |
                     (unsigned)parts->key.reflexive << 2 | (unsigned)parts->key.needs_key_update << 3 |
                     (unsigned)parts->key.hash_may_panic << 4;
    return json_pack("{s:I, s:I, s:I, s:I, s:b, s:b, s:b, s:b, s:b, s:I}", "KeySize",
                     (json_int_t)cell_bytes(parts, parts->key_indirect, &parts->key), "ValueSize",
                     (json_int_t)cell_bytes(parts, parts->elem_indirect, &parts->elem), "BucketSize",
                     (json_int_t)bucket.whole.size_bytes, "Flags", (json_int_t)flags, "IndirectKey",
                     parts->key_indirect, "IndirectElem", parts->elem_indirect, "ReflexiveKey",
                     parts->key.reflexive, "NeedKeyUpdate", parts->key.needs_key_update, "HashMightPanic",
                     parts->key.hash_may_panic, "Bucket.PtrBytes",
                     (json_int_t)bucket.whole.pointer_prefix_bytes);
}

static void add_swiss_flags(json_t *type, const struct map_parts *parts, const struct layout *group) {
    unsigned flags = (unsigned)parts->key.needs_key_update | (unsigned)parts->key.hash_may_panic << 1 |
                     (unsigned)parts->key_indirect << 2 | (unsigned)parts->elem_indirect << 3;
    json_t *more = json_pack("{s:I, s:b, s:b, s:b, s:b, s:I}", "Flags", (json_int_t)flags, "NeedKeyUpdate",
                             parts->key.needs_key_update, "HashMightPanic", parts->key.hash_may_panic,
                             "IndirectKey", parts->key_indirect, "IndirectElem", parts->elem_indirect,
                             "Group.PtrBytes", (json_int_t)group->whole.pointer_prefix_bytes);
    json_object_update(type, more);
    json_decref(more);
}

/* SwissMapGroupType and the map type's fields. */
static json_t *swiss_type(const struct map_parts *parts, json_t *structs, struct why *why) {
    char slot_text[STRUCT_TEXT_MAX], text[STRUCT_TEXT_MAX + 64];
    struct layout slot, group;
    snprintf(slot_text, sizeof slot_text, "struct { key %s; elem %s }", parts->key_cell, parts->elem_cell);
    snprintf(text, sizeof text, "struct { ctrl uint64; slots [%d]%s }", GO_SLOTS, slot_text);
    if (!append_struct(structs, "slot", "1.24", slot_text, parts->target, &slot, why) ||
        !append_struct(structs, "group", "1.24", text, parts->target, &group, why))
        return NULL;
    json_t *type =
        json_pack("{s:I, s:I, s:I}", "GroupSize", (json_int_t)group.whole.size_bytes, "SlotSize",
                  (json_int_t)slot.whole.size_bytes, "ElemOff", (json_int_t)slot.field[1].offset_bytes);
    add_swiss_flags(type, parts, &group);
    return type;
}

/* The same with GOEXPERIMENT=mapsplitgroup of 1.27 (reflectdata/map.go). */
static json_t *split_type(const struct map_parts *parts, json_t *structs, struct why *why) {
    char text[STRUCT_TEXT_MAX + 64];
    struct layout group;
    snprintf(text, sizeof text, "struct { ctrl uint64; keys [%d]%s; elems [%d]%s }", GO_SLOTS,
             parts->key_cell, GO_SLOTS, parts->elem_cell);
    if (!append_struct(structs, "group", "1.27 mapsplitgroup", text, parts->target, &group, why)) return NULL;
    json_t *type =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "GroupSize", (json_int_t)group.whole.size_bytes,
                  "KeysOff", (json_int_t)group.field[1].offset_bytes, "KeyStride",
                  (json_int_t)(group.field[1].size_bytes / GO_SLOTS), "ElemsOff",
                  (json_int_t)group.field[2].offset_bytes, "ElemStride",
                  (json_int_t)(group.field[2].size_bytes / GO_SLOTS), "ElemOff", (json_int_t)0);
    add_swiss_flags(type, parts, &group);
    return type;
}

/* --- which assignment --- */

/* The assignment that the compiler calls for a Swiss map of the type, and since which release it prunes
 * tombstones (cmd/compile/internal/walk/walk.go: mapfast, algType; internal/runtime/maps: runtime_fast*.go).
 * Where loads must be aligned, it is the generic one for keys that are less aligned than a word:
 * `aligned_loads` says on which machines. */
static json_t *assignment_json(const struct map_parts *parts) {
    const struct layout_type *key = &parts->key;
    bool pointer = key->pointer_prefix_bytes > 0;
    bool word = key->plain && (key->size_bytes == 4 || key->size_bytes == 8);
    const char *name = "mapassign", *since = NULL, *why = NULL;
    char fast[32];
    if (parts->elem_indirect) {
        why = "its values have more than 128 bytes";
    } else if (key->string) {
        name = "mapassign_faststr", since = "1.25";
    } else if (!word || (pointer && key->size_bytes != parts->target->pointer_bytes)) {
        why = "its keys are not compared as 4 or 8 plain bytes or as a string";
    } else {
        snprintf(fast, sizeof fast, "mapassign_fast%zu%s", 8 * key->size_bytes, pointer ? "ptr" : "");
        name = fast, since = pointer ? "1.27" : "1.25";
    }
    bool loose = since && !key->string && key->align_bytes < key->size_bytes &&
                 key->align_bytes < parts->target->pointer_bytes;
    return json_pack("{s:s, s:s?, s:s?, s:s?}", "function", name, "prunes_since", since, "why_not", why,
                     "aligned_loads",
                     !loose                              ? NULL
                     : parts->target->pointer_bytes == 8 ? "mips64, riscv64"
                                                         : "arm, mips");
}

/* --- the report --- */

typedef json_t *map_type_fn(const struct map_parts *, json_t *structs, struct why *why);

static const struct go_map {
    const char *name, *release; /* of NAME@RELEASE; NULL: all releases */
    const struct go_struct *structs;
    size_t struct_count;
    map_type_fn *map_type;
} go_maps[] = {
#define CLASSIC classic_structs, COUNT_OF(classic_structs), classic_type
#define SWISS swiss_structs, COUNT_OF(swiss_structs), swiss_type
    {"go_hmap", NULL, CLASSIC},
    {"go_hmap_notop", NULL, CLASSIC},
    {"go_swiss", NULL, SWISS},
    {"go_hmap@1.21", "1.23", CLASSIC}, /* no struct differs from 1.23's */
    {"go_hmap@1.22", "1.23", CLASSIC},
    {"go_hmap@1.23", "1.23", CLASSIC},
    {"go_swiss@1.24", "1.24", SWISS},
    {"go_swiss@1.25", "1.25", SWISS},
    {"go_swiss@1.26", "1.26", SWISS},
    {"go_swiss@1.27", "1.27", SWISS},
    {"go_swiss_split", "1.27", swiss_structs, COUNT_OF(swiss_structs), split_type},
#undef SWISS
#undef CLASSIC
};

static const struct go_map *find_map(const char *name, struct why *why) {
    for (size_t i = 0; i < COUNT_OF(go_maps); i++)
        if (strcmp(name, go_maps[i].name) == 0) return &go_maps[i];
    why_say(why, "'%s' has no layout report; these maps have one:", name);
    for (size_t i = 0, listed = 0; i < COUNT_OF(go_maps); i++)
        if (!strchr(go_maps[i].name, '@')) why_add(why, "%s %s", listed++ ? "," : "", go_maps[i].name);
    return NULL;
}

static bool append_type(json_t *types, const struct go_map *map, const char *key, const char *elem,
                        struct why *why) {
    char name[2 * LAYOUT_TEXT_MAX + 8];
    json_t *structs = json_array(), *map_types = json_object();
    snprintf(name, sizeof name, "map[%s]%s", key, elem);
    json_t *of_type = json_pack("{s:s, s:o, s:o}", "type", name, "structs", structs, "map_type", map_types);
    json_array_append_new(types, of_type);
    json_t *assignments = json_object();
    json_object_set_new(of_type, "assignment", assignments);
    for (size_t t = 0; t < LAYOUT_TARGETS; t++) {
        struct map_parts parts;
        if (!map_parts_of(key, elem, &layout_targets[t], &parts, why)) return false;
        json_t *map_type = map->map_type(&parts, structs, why);
        if (!map_type) return false;
        json_object_set_new(map_types, layout_targets[t].name, map_type);
        if (map->map_type != classic_type)
            json_object_set_new(assignments, layout_targets[t].name, assignment_json(&parts));
    }
    return true;
}

static bool append_types(json_t *types, const struct go_map *map, const char *type, struct why *why) {
#define LAYOUT_TYPE(name, key, elem, ...) {key, elem},
    static const struct {
        const char *key, *elem;
    } seven[] = {
#include "harness/goports/layout_types.def"
    };
#undef LAYOUT_TYPE
    char key[LAYOUT_TEXT_MAX], elem[LAYOUT_TEXT_MAX];
    if (type) return layout_split_map(type, key, elem, why) && append_type(types, map, key, elem, why);
    for (size_t i = 0; i < COUNT_OF(seven); i++)
        if (!append_type(types, map, seven[i].key, seven[i].elem, why)) return false;
    return true;
}

json_t *layout_json(const char *name, const char *type, struct why *why) {
    const struct go_map *map = find_map(name, why);
    if (!map) return NULL;
    json_t *structs = json_array(), *types = json_array();
    json_t *report = json_pack("{s:s, s:o, s:o}", "map", name, "structs", structs, "types", types);
    bool ok = true;
    for (size_t i = 0; ok && i < map->struct_count; i++)
        for (size_t t = 0; ok && t < LAYOUT_TARGETS; t++) {
            const struct go_struct *s = &map->structs[i];
            struct layout layout;
            if (!is_of_release(map->structs, map->struct_count, i, map->release)) continue;
            ok = append_struct(structs, s->name, s->go, s->text, &layout_targets[t], &layout, why);
        }
    if (ok && append_types(types, map, type, why)) return report;
    json_decref(report);
    return NULL;
}

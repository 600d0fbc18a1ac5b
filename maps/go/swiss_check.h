/* The invariants of go_swiss, recounted, and its structure in numbers. Ported from Go 1.24.4,
 * src/internal/runtime/maps/table_debug.go where a function says so. */
#ifndef MAPBENCH_MAPS_GO_SWISS_CHECK_H
#define MAPBENCH_MAPS_GO_SWISS_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/unit/map.h"
#include "maps/go/swiss_small.h"
#include "maps/go/swiss_table.h"

/* Groups from the beginning of an entry's probe to its place, both included; 0: a group before has an empty
 * slot. */
static size_t go_probe_length(const struct map *map, const struct go_table *table, struct go_group *place,
                              size_t i) {
    uint64_t hash = go_swiss_hash(map, go_slot_key(go_slot_of(place, i)));
    size_t length = 1;
    const struct go_group *group;
    for (struct go_probe probe = go_probe_start(table, hash);
         (group = go_group_at(map->type, table, probe.at), true); probe = go_probe_next(probe, table)) {
        if (group == place) return length;
        if (go_match_empty(group->ctrl)) return 0;
        length++;
    }
}

static const char *go_check_slot(const struct map *map, const struct go_table *table, struct go_group *place,
                                 size_t i) {
    map_key key = *go_slot_key(go_slot_of(place, i));
    uint64_t hash = go_swiss_hash(map, &key);
    struct go_group *group;
    size_t found;
    if (place->ctrl[i] != go_h2(hash)) return "a control byte is not its key's H2";
    if (go_table_of(map, hash) != table) return "the directory leads a key to another table";
    if (go_probe_length(map, table, place, i) == 0)
        return "an empty slot lies between a key's home and its group";
    if (!go_table_find(map->type, table, hash, &key, false, &group, &found))
        return "a key is not found in its table";
    return group == place && found == i ? NULL : "a key is stored twice";
}

/* table_debug.go: checkInvariants. */
static const char *go_check_table(const struct map *map, const struct go_table *table) {
    size_t used = 0, empty = 0, deleted = 0;
    if (table->capacity > GO_TABLE_CAPACITY_MAX ||
        table->capacity != (table->length_mask + 1) * GO_GROUP_SLOTS ||
        (table->capacity & (table->capacity - 1)))
        return "a table's capacity is wrong";
    for (size_t slot = 0; slot < table->capacity; slot++) {
        struct go_group *group = &table->groups[slot / GO_GROUP_SLOTS];
        uint8_t ctrl = group->ctrl[slot % GO_GROUP_SLOTS];
        empty += ctrl == GO_CTRL_EMPTY;
        deleted += ctrl == GO_CTRL_DELETED;
        if (ctrl & GO_CTRL_EMPTY) continue;
        const char *fault = go_check_slot(map, table, group, slot % GO_GROUP_SLOTS);
        if (fault) return fault;
        used++;
    }
    if (empty + deleted + used != table->capacity) return "a control byte is neither full, empty nor deleted";
    if (used != table->used) return "a table's length is miscounted";
    size_t limit = table->capacity <= GO_GROUP_SLOTS
                       ? table->capacity - 1u
                       : table->capacity * (size_t)GO_GROUP_LOAD_MAX / GO_GROUP_SLOTS;
    if (used + deleted + table->growth_left != limit) return "a table's growthLeft is miscounted";
    return empty ? NULL : "a table has no empty slot: a probe would not end";
}

static const char *go_check_small(struct map *map) {
    struct go_group *group = (struct go_group *)map->dir_ptr;
    size_t used = 0;
    for (size_t i = 0; group && i < GO_GROUP_SLOTS; i++) {
        if (group->ctrl[i] == GO_CTRL_EMPTY) continue;
        if (group->ctrl[i] == GO_CTRL_DELETED) return "a small map has a tombstone";
        map_key key = *go_slot_key(go_slot_of(group, i));
        if (group->ctrl[i] != go_h2(go_swiss_hash(map, &key))) return "a control byte is not its key's H2";
        if (go_slot_key_cell(go_small_find(map, key)) != go_slot_key_cell(go_slot_of(group, i)))
            return "a key is stored twice";
        used++;
    }
    if (map->slots != (group ? GO_GROUP_SLOTS : 0)) return "the slots are miscounted";
    return used == map->used ? NULL : "the length is not the number of full slots";
}

static const char *map_check(struct map *map) {
    size_t used = 0, slots = 0;
    if (map->fatal) return map->fatal;
    if (map->writing) return "the writing flag was left set";
    if (map->dir_len == 0) return go_check_small(map);
    if (map->dir_len != (int64_t)1 << map->global_depth)
        return "the directory is not as long as its depth says";
    if (map->global_shift != 64 - map->global_depth) return "the directory's shift and depth disagree";
    for (int64_t i = 0, entries = 0; i < map->dir_len; i += entries) {
        const struct go_table *table = go_directory(map)[i];
        if (table->local_depth > map->global_depth) return "a table is deeper than the directory";
        if (table->index != i) return "a table's index is not where it stands first";
        entries = (int64_t)1 << (map->global_depth - table->local_depth);
        if (i % entries) return "a table's run does not begin at a multiple of its length";
        for (int64_t j = i; j < i + entries; j++)
            if (go_directory(map)[j] != table) return "a table's run in the directory is broken";
        const char *fault = go_check_table(map, table);
        if (fault) return fault;
        used += table->used;
        slots += table->capacity;
    }
    if (slots != map->slots) return "the slots are miscounted";
    return used == map->used ? NULL : "the length is not the sum of the tables'";
}

static void map_describe(struct map *map, struct map_structure *out) {
    size_t steps = map->dir_len ? 0 : map->used;
    out->array_bytes = map->slots / GO_GROUP_SLOTS * sizeof(struct go_group);
    out->array_bytes += (size_t)map->dir_len * sizeof(struct go_table *);
    if (map->dir_len == 0 && map->used) out->probe_max = 1;
    for (int64_t d = 0; d < map->dir_len; d++) {
        const struct go_table *table = go_directory(map)[d];
        if (table->index != d) continue;
        out->array_bytes += sizeof *table;
        out->tombstones += go_table_tombstones(table);
        for (size_t slot = 0; slot < table->capacity; slot++) {
            struct go_group *group = &table->groups[slot / GO_GROUP_SLOTS];
            if (group->ctrl[slot % GO_GROUP_SLOTS] & GO_CTRL_EMPTY) continue;
            size_t length = go_probe_length(map, table, group, slot % GO_GROUP_SLOTS);
            steps += length;
            if (length > out->probe_max) out->probe_max = length;
        }
    }
    if (map->used) out->probe_mean = (double)steps / (double)map->used;
}

#endif

/* What swiss_flat says of itself. Part of maps/swiss_flat.h. */

/* Groups from that of an entry's home to its own, both included; 0: one before the last has an empty byte. */
static size_t swiss_probe_length(const struct map *map, size_t place) {
    size_t group = swiss_group(swiss_home(map, key_hash(map->slots[place].key))), step = 0;
    for (; group != swiss_group(place); group = swiss_next(map, group, &step))
        if (group_match_empty(group_load(map->ctrl + group))) return 0;
    return step / GROUP_SLOTS + 1;
}

static const char *swiss_check_slot(const struct map *map, size_t i) {
    map_key key = map->slots[i].key;
    uint64_t hash = key_hash(key);
    if (map->ctrl[i] != group_tag(hash)) return "a control byte is not its key's tag";
    if (swiss_probe_length(map, i) == 0) return "an empty byte lies between an entry's home and its group";
    return swiss_find(map, key, hash) == &map->slots[i] ? NULL : "a key is stored twice";
}

static const char *map_check(struct map *map) {
    size_t full = 0, empty = 0, deleted = 0;
    size_t bytes = swiss_group(map->home_mask) + GROUP_SLOTS;
    if (map->capacity & (map->capacity - 1)) return "the capacity is not a power of two";
    if (map->home_mask != (map->capacity ? map->capacity - 1 : 0)) return "capacity and homes disagree";
    for (size_t i = 0; i < bytes; i++) {
        if (i >= map->capacity && map->ctrl[i] != CTRL_EMPTY) return "a byte without a slot is not empty";
        empty += map->ctrl[i] == CTRL_EMPTY;
        deleted += map->ctrl[i] == CTRL_DELETED;
        if (map->ctrl[i] == CTRL_DELETED && group_match_empty(group_load(map->ctrl + swiss_group(i))))
            return "a group has a tombstone and an empty byte";
        if (map->ctrl[i] < CTRL_TAG_MIN) continue;
        const char *fault = swiss_check_slot(map, i);
        if (fault) return fault;
        full++;
    }
    if (full != map->len) return "the length is not the number of full slots";
    if (full + deleted + map->room != swiss_limit(map->capacity)) return "the room left is miscounted";
    return empty ? NULL : "no byte is empty: a probe would not end";
}

static void map_describe(struct map *map, struct map_structure *out) {
    size_t steps = 0;
    size_t slots = map->capacity + line_spare(map->capacity, sizeof(struct slot));
    if (map->capacity)
        out->array_bytes = swiss_group(map->home_mask) + GROUP_SLOTS + slots * sizeof(struct slot);
    for (size_t i = 0; i < map->capacity; i++) {
        out->tombstones += map->ctrl[i] == CTRL_DELETED;
        if (map->ctrl[i] < CTRL_TAG_MIN) continue;
        size_t length = swiss_probe_length(map, i);
        steps += length;
        if (length > out->probe_max) out->probe_max = length;
    }
    if (map->len) out->probe_mean = (double)steps / (double)map->len;
}

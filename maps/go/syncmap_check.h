/* What can be said of a go_syncmap from outside: its columns, its invariants, its structure. Included by
 * syncmap.h. Only while the map is alone. */

/* The columns of the reference traces. */
struct sync_state {
    size_t len_read, misses, nil_entries, expunged_entries; /* entries: of read */
    long len_dirty;                                         /* -1: there is none */
    bool amended;
};

static struct sync_state sync_state_of(const struct map *map) {
    const struct sync_view *read = atomic_load((_Atomic(const struct sync_view *) *)&map->read);
    struct sync_state state = {.len_read = read->m->len,
                               .misses = map->misses,
                               .len_dirty = map->dirty ? (long)map->dirty->len : -1,
                               .amended = read->amended};
    for (size_t i = 0; i < read->m->capacity; i++) {
        if (!read->m->slots[i].entry) continue;
        const struct sync_box *p = atomic_load(&read->m->slots[i].entry->p);
        state.nil_entries += p == NULL;
        state.expunged_entries += p == SYNC_EXPUNGED;
    }
    return state;
}

/* Every entry of read is in dirty exactly if it is not expunged. */
static const char *sync_check_read(const struct map *map, const struct inner *read) {
    for (size_t i = 0; i < read->capacity; i++) {
        const struct inner_slot *slot = &read->slots[i];
        if (!slot->entry) continue;
        bool expunged = atomic_load(&slot->entry->p) == SYNC_EXPUNGED;
        if (!map->dirty && expunged) return "an entry is expunged though there is no dirty map";
        if (!map->dirty) continue;
        const struct sync_entry *twin = inner_find(map->dirty, slot->key, sync_hash(map, slot->key));
        if (expunged && twin) return "the dirty map holds the key of an expunged entry";
        if (!expunged && twin != slot->entry) return "an entry of read is missing from the dirty map";
    }
    return NULL;
}

static const char *map_check(struct map *map) {
    struct sync_state state = sync_state_of(map);
    const struct inner *read = atomic_load(&map->read)->m;
    const char *fault = inner_check(map, read);
    if (!fault && map->dirty) fault = inner_check(map, map->dirty);
    if (!fault) fault = sync_check_read(map, read);
    if (fault) return fault;
    if (!map->dirty && (state.amended || state.misses)) return "amended or missed without a dirty map";
    if (state.misses && state.misses >= map->dirty->len) return "a promotion is overdue";
    size_t shared = state.len_read - state.expunged_entries;
    if (map->dirty && !state.amended && map->dirty->len != shared)
        return "the dirty map has keys that read lacks, yet read is not amended";
    if (map->dirty)
        for (size_t i = 0; i < map->dirty->capacity; i++) {
            struct sync_entry *entry = map->dirty->slots[i].entry;
            if (entry && atomic_load(&entry->p) == SYNC_EXPUNGED)
                return "the dirty map holds an expunged entry";
        }
    return sync_count(map) == map_len(map) ? NULL : "the length is not the number of entries with a value";
}

/* Probe lengths are those of the map that holds all live entries, dirty if there is one; read's deleted and
 * expunged entries count as tombstones. */
static void map_describe(struct map *map, struct map_structure *out) {
    const struct inner *all = map->dirty ? map->dirty : atomic_load(&map->read)->m;
    struct sync_state state = sync_state_of(map);
    size_t steps = 0;
    out->tombstones = state.nil_entries + state.expunged_entries;
    out->array_bytes = map_capacity(map) * sizeof(struct inner_slot);
    for (size_t i = 0; i < all->capacity; i++) {
        if (!all->slots[i].entry) continue;
        size_t length = ((i - sync_hash(map, all->slots[i].key)) & (all->capacity - 1)) + 1;
        steps += length;
        if (length > out->probe_max) out->probe_max = length;
    }
    if (all->len) out->probe_mean = (double)steps / (double)all->len;
}

/* What holds in a table of tagline.h, for the maps that are one and those that are many. Who includes it has
 * defined TABLE, the table's type, and TABLE_OF(name), the name of a function of it.
 */

/* Groups from an entry's home to its own, both included; 0: one before the last lacks its class's spill bit.
 */
static size_t table_probe_length(const TABLE *table, size_t own, uint64_t hash) {
    size_t at = tagline_home(hash, table->mask), step = 0;
    for (; at != own; at = TABLE_OF(next_group)(table, at, &step))
        if (!(table->tags[at + TAGLINE_SLOTS] & tagline_class(hash)) || step > table->mask) return 0;
    return step / TAGLINE_BYTES + 1;
}

static const char *table_check_slot(const TABLE *table, size_t at, size_t slot) {
    struct map_entry *entry = TABLE_OF(entries_at)(table, at) + slot;
    uint64_t hash = key_hash(entry->key);
    if (table->tags[at + slot] != tagline_tag_of(tagline_tags(hash))) return "a tag is not its key's";
    if (at < table->skip) return "an entry is where walks do not begin";
    if (table_probe_length(table, at, hash) == 0)
        return "a spill bit is missing between an entry's home and its group";
    return TABLE_OF(find)(table, entry->key, hash) == entry ? NULL : "a key is stored twice";
}

/* NULL, or the broken invariant. */
static const char *table_check(const TABLE *table) {
    size_t used = 0, spilled = 0, groups = table->mask / TAGLINE_BYTES + 1;
    if (table->capacity == 0)
        return table->len || table->tags_block ? "a table without slots is not empty" : NULL;
    if (groups & (groups - 1) || table->mask % TAGLINE_BYTES)
        return "the number of groups is not a power of two";
    if (table->capacity != groups * TAGLINE_SLOTS && (groups > 1 || table->capacity > TAGLINE_SLOTS))
        return "slots and groups disagree";
    for (size_t at = 0; at <= table->mask; at += TAGLINE_BYTES) {
        spilled += (size_t)__builtin_popcount(table->tags[at + TAGLINE_SLOTS]);
        for (size_t slot = 0; slot < TAGLINE_SLOTS; slot++) {
            bool there = at + slot < table->capacity || groups > 1;
            if ((table->tags[at + slot] == TAGLINE_NO_SLOT) == there)
                return "a slot is marked as none, or none as a slot";
            if (table->tags[at + slot] < TAGLINE_TAG_MIN) continue;
            const char *fault = table_check_slot(table, at, slot);
            if (fault) return fault;
            used++;
        }
    }
    if (used != table->len) return "the length is not the number of slots in use";
    if (table->len > table->limit || table->limit > table->capacity)
        return "more entries than the table takes";
    return spilled == table->spilled ? NULL : "the spill bits are miscounted";
}

/* Adds a table's bytes and groups looked at; returns the sum of the latter over its entries. */
static size_t table_describe(const TABLE *table, struct map_structure *out) {
    size_t steps = 0;
    if (table->capacity == 0) return 0;
    out->array_bytes += table->mask + TAGLINE_BYTES + table->capacity * sizeof(struct map_entry);
    for (size_t at = 0; at <= table->mask; at += TAGLINE_BYTES)
        for (size_t slot = 0; slot < TAGLINE_SLOTS; slot++) {
            if (table->tags[at + slot] < TAGLINE_TAG_MIN) continue;
            size_t length =
                table_probe_length(table, at, key_hash(TABLE_OF(entries_at)(table, at)[slot].key));
            steps += length;
            if (length > out->probe_max) out->probe_max = length;
        }
    return steps;
}

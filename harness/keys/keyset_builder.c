#include "harness/keys/keyset_builder.h"

#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/shapes/hash.h"

static const size_t keys_max = (size_t)1 << 31; /* so that slots stay 32 bits wide */

void keyset_builder_init(struct keyset_builder *builder, bool integers) {
    *builder = (struct keyset_builder){.integers = integers};
}

/* `array` points to the pointer to the array, which may be of any type. */
static bool grow(void *array, size_t size, size_t need, size_t *room) {
    if (need <= *room) return true;
    size_t wanted = *room ? *room * 2 : 1024;
    while (wanted < need) wanted *= 2;
    void *old, *grown;
    memcpy(&old, array, sizeof old);
    grown = realloc(old, wanted * size);
    if (!grown) return false;
    memcpy(array, &grown, sizeof grown);
    *room = wanted;
    return true;
}

static uint64_t hash_at(const struct keyset *set, size_t i) {
    if (set->number) return hash_u64(set->number[i]);
    return hash_bytes(set->text + set->offset[i], set->offset[i + 1] - set->offset[i]);
}

static bool grow_slots(struct keyset_builder *builder) {
    size_t slots = builder->slots ? builder->slots * 2 : 4096;
    uint32_t *slot = calloc(slots, sizeof *slot);
    if (!slot) return false;
    for (size_t i = 0; i < builder->set.count; i++) {
        size_t at = hash_at(&builder->set, i) & (slots - 1);
        while (slot[at]) at = (at + 1) & (slots - 1);
        slot[at] = (uint32_t)i + 1;
    }
    free(builder->slot);
    builder->slot = slot;
    builder->slots = slots;
    return true;
}

/* Makes room for one more key of `len` bytes. */
static bool make_room(struct keyset_builder *builder, size_t len) {
    struct keyset *set = &builder->set;
    if (set->count == keys_max) return false;
    if ((set->count + 1) * 2 > builder->slots && !grow_slots(builder)) return false;
    if (builder->integers)
        return grow(&set->number, sizeof *set->number, set->count + 1, &builder->keys_room);
    size_t used = set->count ? set->offset[set->count] : 0;
    if (!grow(&set->offset, sizeof *set->offset, set->count + 2, &builder->keys_room)) return false;
    set->offset[0] = 0;
    return grow(&set->text, 1, used + len + 1, &builder->text_room);
}

bool keyset_builder_text(struct keyset_builder *builder, const char *text, size_t len) {
    struct keyset *set = &builder->set;
    if (!make_room(builder, len)) return false;
    size_t at = hash_bytes(text, len) & (builder->slots - 1);
    for (; builder->slot[at]; at = (at + 1) & (builder->slots - 1)) {
        size_t i = builder->slot[at] - 1;
        if (set->offset[i + 1] - set->offset[i] == len &&
            memcmp(set->text + set->offset[i], text, len) == 0) {
            set->duplicates++;
            return true;
        }
    }
    builder->slot[at] = (uint32_t)++set->count;
    memcpy(set->text + set->offset[set->count - 1], text, len);
    set->offset[set->count] = set->offset[set->count - 1] + len;
    if (memchr(text, '\0', len)) set->with_nul++;
    return true;
}

bool keyset_builder_number(struct keyset_builder *builder, uint64_t number) {
    struct keyset *set = &builder->set;
    if (!make_room(builder, 0)) return false;
    size_t at = hash_u64(number) & (builder->slots - 1);
    for (; builder->slot[at]; at = (at + 1) & (builder->slots - 1))
        if (set->number[builder->slot[at] - 1] == number) {
            set->duplicates++;
            return true;
        }
    set->number[set->count++] = number;
    builder->slot[at] = (uint32_t)set->count;
    return true;
}

bool keyset_builder_file(struct keyset_builder *builder, const char *path, uint64_t bytes) {
    char *line;
    if (!grow(&builder->file, sizeof *builder->file, builder->set.files + 1, &builder->files_room))
        return false;
    if (asprintf(&line, "%s\t%llu\n", path, (unsigned long long)bytes) < 0) return false;
    builder->file[builder->set.files++] = line;
    return true;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void hash_files(struct keyset_builder *builder) {
    SHA2_CTX sha;
    SHA256Init(&sha);
    if (builder->set.files) qsort(builder->file, builder->set.files, sizeof *builder->file, by_bytes);
    for (size_t i = 0; i < builder->set.files; i++)
        SHA256Update(&sha, (const uint8_t *)builder->file[i], strlen(builder->file[i]));
    const struct keyset *set = &builder->set;
    for (size_t i = 0; builder->hash_keys && i < set->count; i++)
        if (set->number)
            SHA256Update(&sha, (const uint8_t *)&set->number[i], sizeof set->number[i]);
        else {
            SHA256Update(&sha, (const uint8_t *)set->text + set->offset[i],
                         set->offset[i + 1] - set->offset[i]);
            SHA256Update(&sha, (const uint8_t *)"\n", 1); /* ab, c are not a, bc */
        }
    SHA256End(&sha, builder->set.sha256);
}

/* Gives back what the arrays have too much; keeping it would be no error. */
static void trim(void *array, size_t bytes) {
    void *old;
    memcpy(&old, array, sizeof old);
    void *trimmed = old ? realloc(old, bytes ? bytes : 1) : NULL;
    if (trimmed) memcpy(array, &trimmed, sizeof trimmed);
}

struct keyset *keyset_builder_finish(struct keyset_builder *builder) {
    struct keyset *set = malloc(sizeof *set);
    if (set) {
        hash_files(builder);
        *set = builder->set;
        if (set->number) trim(&set->number, set->count * sizeof *set->number);
        if (set->offset) {
            trim(&set->text, set->offset[set->count]);
            trim(&set->offset, (set->count + 1) * sizeof *set->offset);
        }
        builder->set.number = builder->set.offset = NULL;
        builder->set.text = NULL;
    }
    keyset_builder_drop(builder);
    return set;
}

void keyset_builder_drop(struct keyset_builder *builder) {
    for (size_t i = 0; i < builder->set.files; i++) free(builder->file[i]);
    free(builder->file);
    free(builder->slot);
    free(builder->set.text);
    free(builder->set.offset);
    free(builder->set.number);
    keyset_builder_init(builder, builder->integers);
}

void keyset_free(struct keyset *set) {
    if (!set) return;
    free(set->text);
    free(set->offset);
    free(set->number);
    free(set);
}

#include "harness/run/checksums.h"

#include <errno.h>
#include <fts.h>
#include <jansson.h>
#include <limits.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/count_of.h"
#include "harness/base/output.h"
#include "harness/base/why.h"

/* The files that only an unfinished run needs. */
static const char *const leftovers[] = {"selection", "done", "gbench.jsonl"};

static bool is_leftover(const char *name) {
    for (size_t i = 0; i < COUNT_OF(leftovers); i++)
        if (strcmp(name, leftovers[i]) == 0) return true;
    return false;
}

void runfolder_remove_leftovers(const char *folder) {
    char path[PATH_MAX + 24];
    for (size_t i = 0; i < COUNT_OF(leftovers); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, leftovers[i]);
        unlink(path);
    }
}

static int by_path(const FTSENT **a, const FTSENT **b) {
    return strcmp((*a)->fts_path, (*b)->fts_path);
}

bool runfolder_checksums(const char *folder, struct why *why) {
    char path[PATH_MAX + 24], fresh[PATH_MAX + 24], hash[SHA256_DIGEST_STRING_LENGTH];
    char *roots[] = {(char *)folder, NULL};
    snprintf(path, sizeof path, "%s/SHA256SUMS", folder);
    snprintf(fresh, sizeof fresh, "%s/SHA256SUMS.new", folder);
    FILE *out = output_open(fresh);
    FTS *tree = out ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_path) : NULL;
    bool ok = tree != NULL;
    for (FTSENT *entry; ok && (entry = fts_read(tree)) != NULL;) {
        const char *name = entry->fts_path + strlen(folder);
        while (*name == '/') name++;
        if (entry->fts_info != FTS_F || strncmp(name, "SHA256SUMS", 10) == 0 || is_leftover(name)) continue;
        ok = SHA256File(entry->fts_path, hash) && fprintf(out, "%s  %s\n", hash, name) > 0;
    }
    int error = errno;
    if (tree) fts_close(tree);
    errno = error;
    if (out && fclose(out)) ok = false;
    if (ok && rename(fresh, path) == 0) return true;
    return why_errno(why, "write", path);
}

/* Appends a file to the hash; one that is missing is empty. */
static bool hash_file(SHA2_CTX *hash, const char *folder, const char *name) {
    char path[PATH_MAX + 24];
    unsigned char part[16384];
    size_t got;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    if (!file) return errno == ENOENT;
    while ((got = fread(part, 1, sizeof part, file)) > 0) SHA256Update(hash, part, got);
    bool ok = !ferror(file);
    fclose(file);
    return ok;
}

bool runfolder_result_id(const char *folder, char id[RESULT_ID_SIZE], struct why *why) {
    SHA2_CTX hash;
    SHA256Init(&hash);
    if (!hash_file(&hash, folder, "rows.jsonl") || !hash_file(&hash, folder, "retention.jsonl"))
        return why_errno(why, "read the results in", folder);
    SHA256End(&hash, id);
    return true;
}

/* False when run.json names another result than the one that is there. */
static bool verify_result_id(const char *folder, struct why *why) {
    char path[PATH_MAX + 24], id[RESULT_ID_SIZE];
    snprintf(path, sizeof path, "%s/run.json", folder);
    json_t *info = json_load_file(path, 0, NULL);
    const char *expected = json_string_value(json_object_get(info, "result_id"));
    bool ok = !expected || runfolder_result_id(folder, id, why);
    if (ok && expected && strcmp(id, expected) != 0) {
        why_say(why,
                "the results in %s are not what was measured: result_id in run.json does not match; restore "
                "them or "
                "measure again",
                folder);
        ok = false;
    }
    json_decref(info);
    return ok;
}

bool runfolder_verify(const char *folder, struct why *why) {
    char path[PATH_MAX + 24], hash[SHA256_DIGEST_STRING_LENGTH], expected[80], name[256];
    bool ok = true;
    snprintf(path, sizeof path, "%s/SHA256SUMS", folder);
    FILE *sums = fopen(path, "r");
    while (sums && ok && fscanf(sums, "%79s %255[^\n]", expected, name) == 2) {
        if (strcmp(name, "rows.jsonl") != 0 && strcmp(name, "retention.jsonl") != 0 &&
            strcmp(name, "run.json") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, name);
        ok = SHA256File(path, hash) && strcmp(hash, expected) == 0;
        if (!ok)
            why_say(why,
                    "%s is not what was measured: SHA256SUMS does not match; restore it or measure again",
                    path);
    }
    if (sums) fclose(sums);
    return ok && verify_result_id(folder, why);
}

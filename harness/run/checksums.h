/* The checksums of a run folder, the identity of its results, and which of its files are no results. */
#ifndef MAPBENCH_RUN_CHECKSUMS_H
#define MAPBENCH_RUN_CHECKSUMS_H

#include <stdbool.h>

#include "harness/base/why.h"

/* Removes what only an unfinished run needs. Checksums are of the other files alone. */
void runfolder_remove_leftovers(const char *folder);

/* The result's identity: SHA-256 of rows.jsonl followed by retention.jsonl, byte for byte (`cat rows.jsonl
 * retention.jsonl | sha256sum`); one that is missing counts as empty. Drawing again does not change it.
 * Writes 64 hex digits. False: a file cannot be read. */
enum { RESULT_ID_SIZE = 65, RESULT_ID_SHORT = 12 };
bool runfolder_result_id(const char *folder, char id[RESULT_ID_SIZE], struct why *why);

/* False when a measured file (rows.jsonl, retention.jsonl, run.json) is not the one that FOLDER/SHA256SUMS
 * was made of, or the measurements are not those of the result_id in run.json. What a folder does not have is
 * not compared with. */
bool runfolder_verify(const char *folder, struct why *why);
/* Writes FOLDER/SHA256SUMS in sha256sum's format, over every file in it. */
bool runfolder_checksums(const char *folder, struct why *why);

#endif

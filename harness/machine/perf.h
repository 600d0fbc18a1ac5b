/* Attaches the perf program to this process, one perf process a map, so that only measured phases count.
 *
 * perf starts with every event off (-D -1) and is switched by commands over pipes (--control fd:), each of
 * which it acknowledges. perf_enable and perf_disable wait for that: about 15 us for stat and 0.1 ms for
 * record, milliseconds on a busy machine, so around phases only. perf_record samples cpu-clock, a timer: it
 * works with and without a PMU and is named as what it is.
 */
#ifndef MAPBENCH_PERF_H
#define MAPBENCH_PERF_H

#include <stdbool.h>

#include "harness/base/why.h"

enum perf_mode { PERF_STAT, PERF_RECORD };

struct perf_session;

/* Starts perf on this process and waits until it answers. stat leaves FOLDER/stat-MAP.txt, record
 * FOLDER/MAP.svg; FOLDER exists. NULL: `why` says in one line what is missing (perf not installed, forbidden,
 * or what it said as it died). */
struct perf_session *perf_attach(enum perf_mode mode, const char *map, const char *folder, struct why *why);

/* Switch counting on and off; return when perf has confirmed. If perf has died they return at once, and
 * perf_finish reports it. */
void perf_enable(struct perf_session *session);
void perf_disable(struct perf_session *session);

/* Ends perf, waits for its output and frees the session. After a recording: draws FOLDER/MAP.svg by running
 * `python flamegraph FOLDER/MAP.perf-script FOLDER/MAP.svg --title MAP`, then deletes the recording. Without
 * a python or a script to draw with (NULL), or if drawing fails, the text of the recording stays as
 * FOLDER/MAP.perf-script. False: `why` says in one line what is missing from the folder. Accepts NULL (true).
 */
bool perf_finish(struct perf_session *session, const char *python, const char *flamegraph, struct why *why);

#endif

/* Why something failed, in one line. Each function returns false, so that a caller can fail with it:
 * `return why_say(why, "no %s", name);`. Each accepts NULL: nobody asks. */
#ifndef MAPBENCH_BASE_WHY_H
#define MAPBENCH_BASE_WHY_H

#include <stdarg.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct why {
    char text[1024]; /* cut where it is longer: a sentence, and a long path in it */
};

bool why_say(struct why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool why_vsay(struct why *why, const char *format, va_list list) __attribute__((format(printf, 2, 0)));
/* Appends to what is said. */
bool why_add(struct why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Says "cannot VERB WHAT: " and what errno means. */
bool why_errno(struct why *why, const char *verb, const char *what);

#ifdef __cplusplus
}
#endif

#endif

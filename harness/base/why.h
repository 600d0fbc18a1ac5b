/* Why something failed, in one line. Each function returns false, so that a caller can fail with it:
 * `return why_say(why, "no %s", name);` */
#ifndef MAPBENCH_BASE_WHY_H
#define MAPBENCH_BASE_WHY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct why {
    char text[512];
};

bool why_say(struct why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool why_vsay(struct why *why, const char *format, va_list list) __attribute__((format(printf, 2, 0)));
/* Says "cannot VERB WHAT: " and what errno means. */
bool why_errno(struct why *why, const char *verb, const char *what);
/* As why_errno, into a plain buffer. */
bool errno_say(char *why, size_t why_size, const char *verb, const char *what);

#endif

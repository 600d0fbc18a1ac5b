#include "harness/base/why.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool why_say(struct why *why, const char *format, ...) {
    va_list list;
    va_start(list, format);
    why_vsay(why, format, list);
    va_end(list);
    return false;
}

bool why_vsay(struct why *why, const char *format, va_list list) {
    vsnprintf(why->text, sizeof why->text, format, list);
    return false;
}

bool why_errno(struct why *why, const char *verb, const char *what) {
    return errno_say(why->text, sizeof why->text, verb, what);
}

bool errno_say(char *why, size_t why_size, const char *verb, const char *what) {
    snprintf(why, why_size, "cannot %s %s: %s", verb, what, strerror(errno));
    return false;
}

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
    if (why) vsnprintf(why->text, sizeof why->text, format, list);
    return false;
}

bool why_add(struct why *why, const char *format, ...) {
    if (!why) return false;
    size_t used = strlen(why->text);
    va_list list;
    va_start(list, format);
    vsnprintf(why->text + used, sizeof why->text - used, format, list);
    va_end(list);
    return false;
}

bool why_errno(struct why *why, const char *verb, const char *what) {
    return why_say(why, "cannot %s %s: %s", verb, what, strerror(errno));
}

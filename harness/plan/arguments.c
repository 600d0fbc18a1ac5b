#include "harness/plan/arguments.h"

#include <string.h>

#include "harness/base/names.h"

/* Names the nearest option of the command, or the command that has one of this name. */
static bool unknown_option(const char *command, const char *name, struct why *why) {
    const char *names[OPTION_COUNT], *others = option_commands(name);
    size_t count = option_list(command, names);
    char kind[64] = "option";
    /* Options of run and plan are those of profiles, too. */
    if (!option_selects(command)) snprintf(kind, sizeof kind, "option of %s", command);
    if (others) return why_say(why, "unknown %s '%s': it is an option of %s", kind, name, others);
    return unknown_name(kind, name, names, count, why);
}

/* Reads the option argv[*i], and the value behind it if it takes one. */
static bool read_option(struct arguments *a, const char *command, char **argv, size_t *i, struct why *why) {
    char name[64];
    const char *text = argv[*i] + 2, *equals = strchr(text, '='), *value = equals ? equals + 1 : NULL;
    enum option_id id;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "="), text);
    if (!option_find(name, command, &id)) return unknown_option(command, name, why);
    const char *argument = option_facts(id)->argument;
    if (!argument && equals) return why_say(why, "--%s takes no value", name);
    if (!argument || (!equals && argument[0] == '['))
        value = "yes";
    else if (!equals && !(value = argv[++*i]))
        return why_say(why, "--%s needs a value: %s", name, argument);
    return option_set(&a->options, id, value, why);
}

bool arguments_read(struct arguments *a, const char *command, struct why *why) {
    char **argv = a->argv + (a->argv[0] && a->argv[1] ? 2 : 1);
    for (size_t i = 0; argv[i]; i++) {
        if (strncmp(argv[i], "--", 2) == 0 && argv[i][2]) {
            if (!read_option(a, command, argv, &i, why)) return false;
        } else if (argv[i][0] == '-') {
            return why_say(why, "unknown option '%s': options begin with two dashes, see mapbench help",
                           argv[i]);
        } else if (a->words == ARGUMENT_WORDS_MAX) {
            return why_say(why, "more than %d words after the command", ARGUMENT_WORDS_MAX);
        } else {
            a->word[a->words++] = argv[i];
        }
    }
    return true;
}

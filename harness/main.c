/* mapbench: the command line. */
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/count_of.h"
#include "harness/base/exit.h"
#include "harness/base/names.h"
#include "harness/base/project.h"
#include "harness/base/output.h"
#include "harness/base/python.h"
#include "harness/base/why.h"
#include "harness/doctor/doctor.h"
#include "harness/goports/layout.h"
#include "harness/goports/trace.h"
#include "harness/judge.h"
#include "harness/list.h"
#include "harness/measure/count.h"
#include "harness/memory/memcell.h"
#include "harness/pair/pair.h"
#include "harness/plan/arguments.h"
#include "harness/plan/plan.h"
#include "harness/plan/registry.h"
#include "harness/plan/releases.h"
#include "harness/plan/units_command.h"
#include "harness/retention/retain.h"
#include "harness/run/checksums.h"
#include "harness/run/folder.h"
#include "harness/run/run.h"
#include "harness/selftest/selftest.h"

/* The one word of a command that takes one at most; NULL: none. */
static const char *only_word(const struct arguments *a) {
    return a->words ? a->word[0] : NULL;
}

static bool given(const struct arguments *a, enum option_id id) {
    return a->options.text[id] != NULL;
}

static int cmd_list(const struct arguments *a) {
    return list_command(only_word(a), given(a, OPTION_JSON));
}

/* The map of a name that it had before; a name with a release stays: maps of the same rules may differ
 * otherwise. */
static const char *name_with_release(const char *name) {
    return strchr(name, '@') ? name : registry_name_resolved(name);
}

static int cmd_explain(const struct arguments *a) {
    const char *type = a->options.text[OPTION_LAYOUT];
    struct why why;
    if (a->words != 1) return complain(EXIT_USAGE, "explain takes one name: see mapbench list");
    if (type && !release_of_map_check(a->word[0], &why)) return complain(EXIT_USAGE, why.text);
    if (type)
        return layout_command(name_with_release(a->word[0]), strcmp(type, "yes") == 0 ? NULL : type,
                              given(a, OPTION_JSON));
    if (given(a, OPTION_JSON))
        return complain(EXIT_USAGE, "explain has JSON only of layouts: mapbench explain MAP --layout --json");
    return explain_command(a->word[0]);
}

static int cmd_plan(const struct arguments *a) {
    return a->words <= 1 ? plan_command(only_word(a), &a->options, given(a, OPTION_JSON))
                         : complain(EXIT_USAGE, "plan takes one profile");
}

static int cmd_run(const struct arguments *a) {
    return a->words <= 1 ? run_command(only_word(a), &a->options, a->line)
                         : complain(EXIT_USAGE, "run takes one profile");
}

static int cmd_report(const struct arguments *a) {
    char results[PATH_MAX], newest[PATH_MAX], *folders[ARGUMENT_WORDS_MAX + 1] = {newest};
    struct why why;
    snprintf(results, sizeof results, "%s/results", project_root());
    if (a->words == 0 && !runfolder_newest(results, newest, sizeof newest)) {
        fprintf(stderr, "mapbench: there is no run in %s/results yet: mapbench run\n", project_root());
        return EXIT_NOTHING;
    }
    for (size_t i = 0; i < a->words; i++) folders[i] = (char *)a->word[i];
    for (size_t i = 0; folders[i]; i++)
        if (!runfolder_verify(folders[i], &why)) return complain(EXIT_USAGE, why.text);
    int code = report_draw(folders, &why);
    if (code != 0) return complain(code, why.text);
    for (size_t i = 0; folders[i]; i++) { /* the drawn files changed */
        if (!runfolder_checksums(folders[i], &why)) return complain(EXIT_CANNOT, why.text);
        printf("%s/report.html\n", folders[i]);
    }
    return EXIT_OK;
}

static int cmd_units(const struct arguments *a) {
    return units_command(a->word, a->words);
}

static int cmd_selftest(const struct arguments *a) {
    enum { SELFTEST_OPERATIONS = 20000 };
    const char *filter = a->options.text[OPTION_UNITS];
    if (a->words > 0)
        return complain(EXIT_USAGE,
                        "selftest takes no words: choose units with --filter map/shape/hash/heap");
    selftest_preload(a->argv);
    return selftest_run(filter && filter[0] ? filter : NULL, option_number(&a->options, OPTION_SEED),
                        SELFTEST_OPERATIONS, true);
}

struct traces {
    const struct arguments *arguments;
    enum trace_output output;
    bool named; /* each trace has a line with its map's name above it */
    int code;
};

static bool trace_one(void *context, const char *name) {
    struct traces *traces = context;
    const struct option_values *values = &traces->arguments->options;
    if (traces->named) printf("# %s\n", name);
    traces->code = trace_command(name_with_release(name), option_text(values, OPTION_OPS),
                                 option_text(values, OPTION_HASHKEY), option_text(values, OPTION_TRACE_SEED),
                                 option_text(values, OPTION_ASSIGN), traces->output);
    return traces->code == EXIT_OK;
}

static bool check_traced(void *why, const char *name) {
    return release_of_map_check(name, why);
}

static int cmd_trace(const struct arguments *a) {
    struct traces traces = {.arguments = a, .output = TRACE_ROWS};
    const char *releases = a->options.text[OPTION_RELEASES];
    struct why why;
    if (a->words != 1) return complain(EXIT_USAGE, "trace takes one map: go_hmap, go_swiss or go_syncmap");
    if (given(a, OPTION_ROWS) + given(a, OPTION_EVENTS) + given(a, OPTION_DIGEST) + given(a, OPTION_BYTES) >
        1)
        return complain(EXIT_USAGE, "trace prints one of --rows, --events, --digest and --bytes");
    if (!release_of_map_check(a->word[0], &why)) return complain(EXIT_USAGE, why.text);
    if (releases && strchr(a->word[0], '@'))
        return complain(EXIT_USAGE, "trace takes a release in the map's name or --releases, not both");
    if (releases &&
        (!releases_check(releases, &why) || !releases_of_map(a->word[0], releases, check_traced, &why)))
        return complain(EXIT_USAGE, why.text);
    if (given(a, OPTION_EVENTS)) traces.output = TRACE_EVENTS;
    if (given(a, OPTION_DIGEST)) traces.output = TRACE_DIGEST;
    if (given(a, OPTION_BYTES)) traces.output = TRACE_BYTES;
    traces.named = releases != NULL;
    traces.code = -1;
    if (releases) releases_of_map(a->word[0], releases, trace_one, &traces);
    traces.named = false;
    if (traces.code < 0) trace_one(&traces, a->word[0]); /* none was asked for, or the map has none: its error */
    return traces.code;
}

static int cmd_doctor(const struct arguments *a) {
    return a->words == 0 ? doctor_command(given(a, OPTION_JSON), given(a, OPTION_QUICK))
                         : complain(EXIT_USAGE, "doctor takes no words: mapbench doctor [--json] [--quick]");
}

static int cmd_judge(const struct arguments *a) {
    return judge_command(a->argv[1], a->argv + 2);
}

/* The number of arguments from the command's own name on. */
static int argument_count(const struct arguments *a) {
    int count = 0;
    while (a->argv[1 + count]) count++;
    return count;
}

static int cmd_memory_cell(const struct arguments *a) {
    return memcell_child(argument_count(a), a->argv + 1);
}

static int cmd_pair_worker(const struct arguments *a) {
    return pair_worker(argument_count(a), a->argv + 1);
}

static int cmd_count_facts(const struct arguments *a) {
    (void)a;
    return count_facts();
}

static int cmd_count_build(const struct arguments *a) {
    (void)a;
    return count_build();
}

static int cmd_count_worker(const struct arguments *a) {
    (void)a;
    return count_worker();
}

static int cmd_help(const struct arguments *a);

static const struct command {
    const char *name;
    enum { HERE, PYTHON, HIDDEN } kind;
    const char *synopsis, *help;
    int (*run)(const struct arguments *a);
} commands[] = {
#define COMMAND(name, kind, synopsis, help, function) {name, kind, synopsis, help, function},
#include "harness/commands.def"
#undef COMMAND
};

static int cmd_help(const struct arguments *a) {
    (void)a;
    puts("mapbench: measures map strategies behind one interface.\n\nCommands:");
    for (const struct command *c = commands; c < commands + COUNT_OF(commands); c++)
        if (c->kind != HIDDEN) printf("  %s %s\n      %s\n", c->name, c->synopsis, c->help);
    puts("\nSelection, on the command line or in a profile (defaults in brackets):");
    option_help("run", stdout);
    for (const struct command *c = commands; c < commands + COUNT_OF(commands); c++) {
        const char *names[OPTION_COUNT];
        if (c->kind != HERE || option_selects(c->name) || option_list(c->name, names) == 0) continue;
        printf("\nOptions of %s (defaults in brackets):\n", c->name);
        option_help(c->name, stdout);
    }
    puts("\nExit codes: 0 ok, 1 a check failed, 2 bad input, 3 regression confirmed, 4 cannot run here,\n"
         "            5 measured but not trustworthy, 6 nothing matched, 130 interrupted.");
    return EXIT_OK;
}

/* --help of a command whose options are read here. */
static int command_help(const struct command *c) {
    const char *names[OPTION_COUNT];
    printf("mapbench %s %s\n      %s\n", c->name, c->synopsis, c->help);
    if (option_list(c->name, names) > 0) puts("\nOptions (defaults in brackets):");
    option_help(c->name, stdout);
    return EXIT_OK;
}

static bool asks_for_help(char **argv) {
    for (size_t i = 2; argv[0] && argv[1] && argv[i]; i++)
        if (strcmp(argv[i], "--help") == 0) return true;
    return false;
}

static char *join(char **argv) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (int i = 0; argv[i]; i++) fprintf(out, "%s%s", i ? " " : "", argv[i]);
    fclose(out);
    return text;
}

static int command_run(const struct command *c, char **argv) {
    char *line = join(argv);
    struct arguments a = {.argv = argv, .line = line};
    struct why why;
    int code = c->kind == HERE && asks_for_help(argv)                  ? command_help(c)
               : c->kind == HERE && !arguments_read(&a, c->name, &why) ? complain(EXIT_USAGE, why.text)
                                                                       : c->run(&a);
    if ((fflush(stdout) || ferror(stdout)) && code == EXIT_OK && c->kind != HIDDEN) {
        why_errno(&why, "write", "the output");
        code = complain(EXIT_CANNOT, why.text);
    }
    option_values_free(&a.options);
    free(line);
    return code;
}

/* Results are JSON, which has no other text. */
static bool is_utf8(const char *text) {
    json_t *string = json_string(text);
    json_decref(string);
    return string != NULL;
}

static int command(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "help", *names[COUNT_OF(commands)];
    size_t known = 0;
    struct why why;
    for (int i = 1; i < argc; i++)
        if (!is_utf8(argv[i])) {
            why_say(&why, "'%s' is not UTF-8: results could not say what was measured", argv[i]);
            return complain(EXIT_USAGE, why.text);
        }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) name = "help";
    for (const struct command *c = commands; c < commands + COUNT_OF(commands); c++) {
        if (strcmp(name, c->name) == 0) return command_run(c, argv);
        if (c->kind != HIDDEN) names[known++] = c->name;
    }
    unknown_name("command", name, names, known, &why);
    return complain(EXIT_USAGE, why.text);
}

int main(int argc, char **argv) {
    output_stdout_begin();
    return output_stdout_end(command(argc, argv));
}

/* mapbench: the command line. */
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/clock.h"
#include "harness/doctor/doctor.h"
#include "harness/measure/count.h"
#include "harness/plan/job.h"
#include "harness/judge.h"
#include "harness/goports/layout.h"
#include "harness/list.h"
#include "harness/memory/memcell.h"
#include "harness/base/names.h"
#include "harness/plan/options.h"
#include "harness/output.h"
#include "harness/pair/pair.h"
#include "harness/base/python.h"
#include "harness/run/run.h"
#include "harness/run/folder.h"
#include "harness/retention/retain.h"
#include "harness/selftest/selftest.h"
#include "harness/goports/trace.h"

enum { WORDS_MAX = 32 };

/* What stands behind the command: words, and the options of the table. */
struct arguments {
    size_t words;
    const char *word[WORDS_MAX];
    struct option_values options;
    bool json, help;
    bool doctoring, quick;   /* doctor, with --quick */
    bool tracing;            /* the command is trace, which has options of its own */
    bool explaining, layout; /* explain, with --layout */
    const char *layout_type; /* --layout=TYPE; NULL: the usual ones */
    const char *ops, *hashkey, *trace_seed;
    enum trace_output output;
    const char *command; /* the whole line */
};

static int usage_error(const char *why) {
    fprintf(stderr, "mapbench: %s\n", why);
    return EXIT_USAGE;
}

static int cmd_list(struct arguments *a) {
    return list_command(a->words ? a->word[0] : NULL, a->json);
}

static int cmd_explain(struct arguments *a) {
    if (a->words != 1) return usage_error("explain takes one name: see mapbench list");
    if (a->layout) return layout_command(a->word[0], a->layout_type, a->json);
    if (a->json) return usage_error("explain has JSON only of layouts: mapbench explain MAP --layout --json");
    return explain_command(a->word[0]);
}

static int cmd_plan(struct arguments *a) {
    return a->words <= 1 ? plan_command(a->words ? a->word[0] : NULL, &a->options, a->json)
                         : usage_error("plan takes one profile");
}

static int cmd_run(struct arguments *a) {
    return a->words <= 1 ? run_command(a->words ? a->word[0] : NULL, &a->options, a->command)
                         : usage_error("run takes one profile");
}

static int cmd_report(struct arguments *a) {
    char results[PATH_MAX], newest[PATH_MAX], why[PATH_MAX + 128], *folders[WORDS_MAX + 1] = {newest};
    snprintf(results, sizeof results, "%s/results", project_root());
    if (a->words == 0 && !runfolder_newest(results, newest, sizeof newest)) {
        fprintf(stderr, "mapbench: there is no run in %s/results yet: mapbench run\n", project_root());
        return EXIT_NOTHING;
    }
    for (size_t i = 0; i < a->words; i++) folders[i] = (char *)a->word[i];
    for (size_t i = 0; folders[i]; i++)
        if (!runfolder_verify(folders[i], why, sizeof why)) return usage_error(why);
    int code = report_draw(folders, why, sizeof why);
    if (code != 0) return fprintf(stderr, "mapbench: %s\n", why), code;
    for (size_t i = 0; folders[i]; i++) { /* the drawn files changed */
        if (!runfolder_checksums(folders[i], why, sizeof why))
            return fprintf(stderr, "mapbench: %s\n", why), EXIT_CANNOT;
        printf("%s/report.html\n", folders[i]);
    }
    return EXIT_OK;
}

static int cmd_selftest(struct arguments *a) {
    enum { SELFTEST_OPERATIONS = 20000 };
    const char *filter = option_text(&a->options, OPTION_FILTER);
    if (a->words > 0)
        return usage_error("selftest takes no words: choose units with --filter map/shape/hash/heap");
    return selftest_run(filter[0] ? filter : NULL, option_number(&a->options, OPTION_SEED),
                        SELFTEST_OPERATIONS, true);
}

static int cmd_trace(struct arguments *a) {
    if (a->words != 1) return usage_error("trace takes one map: go_hmap, go_swiss or go_syncmap");
    return trace_command(a->word[0], a->ops, a->hashkey, a->trace_seed, a->output);
}

static int cmd_doctor(struct arguments *a) {
    return a->words == 0 ? doctor_command(a->json, a->quick)
                         : usage_error("doctor takes no words: mapbench doctor [--json] [--quick]");
}

static int cmd_help(struct arguments *a);

/* Without `run`: has options of its own; retain, or a command of judge/. */
static const struct command {
    const char *name, *synopsis, *help;
    int (*run)(struct arguments *);
} commands[] = {
    {"list", "[maps|shapes|workloads|keys|heaps|scenarios|profiles|engines] [--json]",
     "what there is, with availability and reason", cmd_list},
    {"explain", "NAME [--layout[=map[K]V]] [--json]",
     "source, invariants, cost, options and fairness note of a map; a workload, profile ...;\n"
     "      --layout: where Go has the fields of its maps, on 64-bit and 32-bit machines",
     cmd_explain},
    {"plan", "[PROFILE] [selection] [--json]",
     "the expanded matrix with an estimate of time and memory; runs nothing", cmd_plan},
    {"run", "[PROFILE] [selection] [--out DIR] [--resume]",
     "measures; prints the table and leaves a run folder", cmd_run},
    {"report", "[RUN...]", "draws the figures and report.html of runs again (default: the newest)",
     cmd_report},
    {"selftest", "[--filter REGEX] [--seed S]",
     "every unit against a model, every loop against its reference checksum", cmd_selftest},
    {"trace", "MAP --ops SCRIPT [--hashkey A,B,C,D] [--seed S] [--rows|--events|--digest|--bytes]",
     "what a port of a Go map looks like inside, operation by operation, as the real runtime's would",
     cmd_trace},
    {"doctor", "[--json] [--quick]",
     "what this machine can measure, how noisy it is, and what to do about it", cmd_doctor},
    {"retain",
     "[SCENARIO...] [--maps LIST] [--heap LIST] [--variant WORD] [--engine LIST] [--assert] [--snapshot DIR]",
     "what a program keeps alive and who holds it: leaky, fixed, and how far the fix goes", NULL},
    {"compare",
     "BASE NEW [selection] [--processes P] [--budget MINUTES] [--json FILE] [--junit FILE] [--out DIR]",
     "two revisions, builds, maps or runs: measured as a pair, a verdict per cell", NULL},
    {"gate", "count [selection] [--update]",
     "instructions, misses, allocations and bytes per operation against the committed baseline", NULL},
    {"history", "add RUN... | show [REGEX] | changes | anchor [REVISION]",
     "results over time, and where they changed", NULL},
    {"nightly", "[--out DIR] [--budget MINUTES] [--steps LIST] [--base REV] [--anchor REV] [--db FILE]",
     "every gate, history and report: one exit code for CI", NULL},
    {"cite", "RUN [--cell REGEX] [--against MAP]",
     "BibTeX, a sentence with interval and conditions, and the line that repeats the run", NULL},
    {"rerun", "RUN [--out DIR] [--json FILE]", "repeats a stored run and compares with it", NULL},
    {"help", "", "this text", cmd_help},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static int cmd_help(struct arguments *a) {
    (void)a;
    puts("mapbench: measures map strategies behind one interface.\n\nCommands:");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %s %s\n      %s\n", commands[i].name, commands[i].synopsis, commands[i].help);
    puts("\nSelection, on the command line or in a profile (defaults in brackets):");
    option_help(stdout);
    putchar('\n');
    retain_help();
    puts("\nExit codes: 0 ok, 1 a check failed, 2 bad input, 3 regression confirmed, 4 cannot run here,\n"
         "            5 measured but not trustworthy, 6 nothing matched, 130 interrupted.");
    return EXIT_OK;
}

/* The options of trace alone. False with an empty `why`: not one of them. */
static bool parse_trace_option(struct arguments *a, const char *name, const char *equals, char **argv, int *i,
                               char *why, size_t why_size) {
    static const char *const outputs[] = {
        [TRACE_ROWS] = "rows", [TRACE_EVENTS] = "events", [TRACE_DIGEST] = "digest", [TRACE_BYTES] = "bytes"};
    why[0] = '\0';
    for (size_t k = 0; k < sizeof outputs / sizeof *outputs; k++)
        if (strcmp(name, outputs[k]) == 0 && !equals) return a->output = (enum trace_output)k, true;
    const char **to = strcmp(name, "ops") == 0       ? &a->ops
                      : strcmp(name, "hashkey") == 0 ? &a->hashkey
                      : strcmp(name, "seed") == 0    ? &a->trace_seed
                                                     : NULL;
    if (!to) return false;
    *to = equals ? equals + 1 : argv[*i + 1] ? argv[++*i] : NULL;
    if (!*to) snprintf(why, why_size, "--%s needs a value: see mapbench help", name);
    return *to != NULL;
}

/* Takes --name value, --name=value, and flags. */
static bool parse_option(struct arguments *a, char **argv, int *i, char *why, size_t why_size) {
    char name[64];
    const char *text = argv[*i] + 2, *equals = strchr(text, '=');
    enum option_id id;
    snprintf(name, sizeof name, "%.*s", equals ? (int)(equals - text) : (int)strlen(text), text);
    if (strcmp(name, "json") == 0 && !equals) return a->json = true;
    if (strcmp(name, "help") == 0 && !equals) return a->help = true;
    if (strcmp(name, "quick") == 0 && !equals && a->doctoring) return a->quick = true;
    if (strcmp(name, "layout") == 0) {
        a->layout_type = equals ? equals + 1 : NULL;
        if (a->explaining) return a->layout = true;
        snprintf(why, why_size, "--layout is an option of explain: mapbench explain go_hmap --layout");
        return false;
    }
    if (a->tracing) {
        const char *names[] = {"ops", "hashkey", "seed", "rows", "events", "digest", "bytes"};
        if (parse_trace_option(a, name, equals, argv, i, why, why_size)) return true;
        if (!why[0])
            unknown_name("option of trace", name, names, sizeof names / sizeof *names, why, why_size);
        return false;
    }
    if (!option_find(name, &id)) {
        const char *names[OPTION_COUNT + 2] = {"json", "layout"};
        for (size_t k = 0; k < OPTION_COUNT; k++) names[k + 2] = option_facts((enum option_id)k)->name;
        unknown_name("option", name, names, OPTION_COUNT + 2, why, why_size);
        return false;
    }
    if (!option_facts(id)->argument) {
        if (!equals) return option_set(&a->options, id, "yes", why, why_size);
        snprintf(why, why_size, "--%s takes no value", name);
        return false;
    }
    if (equals) return option_set(&a->options, id, equals + 1, why, why_size);
    if (!argv[*i + 1]) {
        snprintf(why, why_size, "--%s needs a value: %s", name, option_facts(id)->argument);
        return false;
    }
    return option_set(&a->options, id, argv[++*i], why, why_size);
}

static bool parse_arguments(struct arguments *a, char **argv, char *why, size_t why_size) {
    for (int i = 0; argv[i]; i++) {
        if (strncmp(argv[i], "--", 2) == 0 && argv[i][2]) {
            if (!parse_option(a, argv, &i, why, why_size)) return false;
        } else if (argv[i][0] == '-') {
            snprintf(why, why_size, "unknown option '%s': options begin with two dashes, see mapbench help",
                     argv[i]);
            return false;
        } else if (a->words == WORDS_MAX) {
            snprintf(why, why_size, "more than %d words after the command", WORDS_MAX);
            return false;
        } else {
            a->word[a->words++] = argv[i];
        }
    }
    return true;
}

static char *join(char **argv) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (int i = 0; argv[i]; i++) fprintf(out, "%s%s", i ? " " : "", argv[i]);
    fclose(out);
    return text;
}

/* Results are JSON, which has no other text. */
static bool is_utf8(const char *text) {
    json_t *string = json_string(text);
    json_decref(string);
    return string != NULL;
}

static int command(int argc, char **argv) {
    char why[512];
    for (int i = 1; i < argc; i++)
        if (!is_utf8(argv[i])) {
            snprintf(why, sizeof why, "'%s' is not UTF-8: results could not say what was measured", argv[i]);
            return usage_error(why);
        }
    const char *name = argc > 1 ? argv[1] : "help";
    if (strcmp(name, "memory-cell") == 0) return memcell_child(argc - 1, argv + 1);
    if (strcmp(name, "pair-worker") == 0) return pair_worker(argc - 1, argv + 1);
    if (strcmp(name, "count-facts") == 0) return count_facts();
    if (strcmp(name, "count-worker") == 0) return count_worker();
    if (strcmp(name, "selftest") == 0) selftest_preload(argv);
    if (strcmp(name, "retain") == 0 && !(argc > 2 && strcmp(argv[2], "--help") == 0)) {
        char *command = join(argv);
        int code = retain_command(argv + 2, command);
        free(command);
        return code;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) name = "help";
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(name, commands[i].name) != 0) continue;
        if (!commands[i].run && strcmp(name, "retain") != 0) return judge_command(name, argv + 2);
        struct arguments a = {.command = join(argv),
                              .doctoring = strcmp(name, "doctor") == 0,
                              .tracing = strcmp(name, "trace") == 0,
                              .explaining = strcmp(name, "explain") == 0};
        int code = !parse_arguments(&a, argv + (argc > 1 ? 2 : 1), why, sizeof why) ? usage_error(why)
                   : a.help || !commands[i].run                                     ? cmd_help(&a)
                                                                                    : commands[i].run(&a);
        option_values_free(&a.options);
        free((char *)a.command);
        return code;
    }
    const char *names[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++) names[i] = commands[i].name;
    unknown_name("command", name, names, COMMANDS, why, sizeof why);
    return usage_error(why);
}

int main(int argc, char **argv) {
    output_stdout_begin();
    return output_stdout_end(command(argc, argv));
}

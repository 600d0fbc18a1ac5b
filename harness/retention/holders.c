#include "harness/retention/holders.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/retention/snapshot/diff_report.h"
#include "harness/retention/options.h"
#include "harness/retention/snapshot/export.h"
#include "harness/retention/snapshot/query.h"

/* Where many things hang below one: the node of the accumulation point; a path is shown to the largest of
 * them. */
static void describe(const struct snapshot *snapshot, const struct dominators *tree,
                     const struct snapshot_paths *paths, json_t *line) {
    struct accumulation pile;
    if (!snapshot_accumulation(tree, &pile) || pile.root == SNAPSHOT_NONE) return;
    uint32_t *heaviest = dominators_heaviest(tree, tree->retained);
    if (!heaviest) return;
    uint32_t child = heaviest[tree->order_of[pile.node]];
    uint32_t shown = child == DOMINATORS_NONE ? pile.node : tree->node_at[child];
    char *path = snapshot_path_text(snapshot, paths, shown), *node = snapshot_node_text(snapshot, pile.node);
    char bytes[SNAPSHOT_BYTES_TEXT], text[400];
    if (path) json_object_set_new(line, "path", json_string(path));
    if (node) {
        int length = snprintf(text, sizeof text, "%s, which retains %s", node,
                              snapshot_bytes_text(pile.node_retained_bytes, bytes));
        if (pile.children && length > 0 && (size_t)length < sizeof text)
            snprintf(text + length, sizeof text - (size_t)length, " in %u below it", pile.children);
        json_object_set_new(line, "dominator", json_string(text));
    }
    free(path), free(node), free(heaviest);
}

static void complain(const struct export_report *report) {
    if (!report->ok || report->message[0]) fprintf(stderr, "mapbench: %s\n", report->message);
}

/* FOLDER/SCENARIO-VARIANT-MAP; false: the folder cannot be made. */
static bool file_stem(const struct case_plan *plan, char *stem, size_t size) {
    if (mkdir(plan->wish.folder, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "mapbench: cannot create %s: %s\n", plan->wish.folder, strerror(errno));
        return false;
    }
    snprintf(stem, size, "%s/%s-%s-%s", plan->wish.folder, plan->scenario->name, plan->variant->name,
             plan->unit ? plan->unit->map : "gosim");
    return true;
}

/* The stem, label and step, with the endings of the formats. */
static void export_all(const struct snapshot *snapshot, const struct dominators *tree,
                       const struct snapshot_paths *paths, const struct case_plan *plan, const char *label,
                       size_t step) {
    char stem[PATH_MAX], path[PATH_MAX + 96];
    struct export_report report;
    if (!file_stem(plan, stem, sizeof stem)) return;
    snprintf(path, sizeof path, "%s-%s-%zu.pb.gz", stem, label, step);
    report = export_pprof(snapshot, tree, path), complain(&report);
    snprintf(path, sizeof path, "%s-%s-%zu.heapsnapshot", stem, label, step);
    report = export_chrome(snapshot, tree, 0, path), complain(&report);
    snprintf(path, sizeof path, "%s-%s-%zu.jsonl", stem, label, step);
    report = export_jsonl(snapshot, tree, paths, path), complain(&report);
    snprintf(path, sizeof path, "%s-%s-%zu.dot", stem, label, step);
    report = export_dot(snapshot, tree, EXPORT_DOT_NODES, path), complain(&report);
}

/* --- the two to compare --- */

static void forget(struct kept_snapshot *kept) {
    if (kept->tree) dominators_free(kept->tree);
    if (kept->snapshot) snapshot_free(kept->snapshot);
    *kept = (struct kept_snapshot){0};
}

static struct kept_snapshot *place_to_keep(struct holders *holders, const struct snapshot_wish *wish,
                                           const char *label) {
    if (wish->from && strcmp(label, wish->from) == 0) return &holders->from;
    return wish->to && strcmp(label, wish->to) == 0 ? &holders->to : NULL;
}

void holders_checkpoint(struct holders *holders, struct gosim *heap, const struct case_plan *plan,
                        const char *label, size_t step, json_t *line) {
    const struct snapshot_wish *wish = &plan->wish;
    /* Of a phase with many checkpoints the last one is looked into. */
    bool decisive = step >= plan->n && strcmp(label, plan->scenario->verdict_label) == 0;
    bool exported = wish->folder &&
                    (retain_selected(wish->at, label) || (decisive && retain_selected(wish->at, "verdict")));
    struct kept_snapshot *keep = place_to_keep(holders, wish, label);
    if (!decisive && !exported && !keep) return;
    char why[160];
    struct kept_snapshot taken = {.snapshot = snapshot_of_gosim(heap, why), .step = step};
    taken.tree = taken.snapshot ? snapshot_dominators(taken.snapshot) : NULL;
    struct snapshot_paths *paths = taken.tree ? snapshot_paths_find(taken.snapshot) : NULL;
    if (paths) {
        if (decisive) describe(taken.snapshot, taken.tree, paths, line);
        if (exported) export_all(taken.snapshot, taken.tree, paths, plan, label, step);
    } else {
        fprintf(stderr, "mapbench: no snapshot of %s at %s %zu: %s\n", plan->scenario->name, label, step,
                taken.snapshot ? "out of memory" : why);
    }
    snapshot_paths_free(paths);
    if (keep && paths) {
        forget(keep);
        *keep = taken;
    } else {
        forget(&taken);
    }
}

static void write_difference(const struct holders *holders, const struct case_plan *plan) {
    const struct snapshot_wish *wish = &plan->wish;
    const struct diff_side from = {wish->from, holders->from.step, holders->from.snapshot,
                                   holders->from.tree},
                           to = {wish->to, holders->to.step, holders->to.snapshot, holders->to.tree};
    char stem[PATH_MAX], path[PATH_MAX + 160];
    if (!file_stem(plan, stem, sizeof stem)) return;
    struct diff_report *report = diff_report_make(&from, &to);
    if (!report) {
        fprintf(stderr, "mapbench: out of memory for the difference of %s\n", plan->scenario->name);
        return;
    }
    json_t *names = case_line(plan);
    diff_report_print(report, names, stdout);
    fflush(stdout); /* the process ends without */
    int length =
        snprintf(path, sizeof path, "%s-%s-%zu-%s-%zu.diff.", stem, from.label, from.step, to.label, to.step);
    if (length > 0 && (size_t)length + sizeof "jsonl" <= sizeof path) {
        strcpy(path + length, "txt");
        if (!diff_report_write_text(report, names, path))
            fprintf(stderr, "mapbench: cannot write %s: %s\n", path, strerror(errno));
        strcpy(path + length, "jsonl");
        if (!diff_report_write_jsonl(report, names, path))
            fprintf(stderr, "mapbench: cannot write %s: %s\n", path, strerror(errno));
    }
    json_decref(names);
    diff_report_free(report);
}

void holders_finish(struct holders *holders, const struct case_plan *plan) {
    if (holders->from.snapshot && holders->to.snapshot) write_difference(holders, plan);
    forget(&holders->from);
    forget(&holders->to);
}

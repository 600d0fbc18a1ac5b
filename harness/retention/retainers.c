#include "harness/retention/retainers.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/base/go_release.h"
#include "harness/base/names.h"
#include "harness/base/why.h"
#include "harness/plan/registry.h"
#include "harness/retention/snapshot/diff_report.h"
#include "harness/retention/snapshot/export.h"
#include "harness/retention/snapshot/query.h"

/* Names the accumulation point, the object below which most bytes are kept, and shows the path to its largest
 * child. */
static void describe(const struct snapshot *snapshot, const struct dominators *tree,
                     const struct snapshot_paths *paths, json_t *line) {
    struct accumulation point;
    if (!snapshot_accumulation(tree, &point) || point.root == SNAPSHOT_NONE) return;
    uint32_t *heaviest = dominators_heaviest(tree, tree->retained);
    if (!heaviest) return;
    uint32_t child = heaviest[tree->order_of[point.node]];
    uint32_t shown = child == DOMINATORS_NONE ? point.node : tree->node_at[child];
    char *path = snapshot_path_text(snapshot, paths, shown), *node = snapshot_node_text(snapshot, point.node);
    char bytes[SNAPSHOT_BYTES_TEXT], text[400];
    if (path) json_object_set_new(line, "path", json_string(path));
    if (node) {
        int length = snprintf(text, sizeof text, "%s, which retains %s", node,
                              snapshot_bytes_text(point.node_retained_bytes, bytes));
        if (point.children && length > 0 && (size_t)length < sizeof text)
            snprintf(text + length, sizeof text - (size_t)length, " in %u below it", point.children);
        json_object_set_new(line, "dominator", json_string(text));
    }
    free(path), free(node), free(heaviest);
}

static void complain(const struct export_report *report) {
    if (!report->ok || report->message[0]) fprintf(stderr, "mapbench: %s\n", report->message);
}

/* The map with its release of Go, go_swiss@1.27; without a map the heap, with the collector's. */
static void place_text(const struct case_plan *plan, char *room, size_t size) {
    char release[GO_RELEASE_TEXT_SIZE];
    const char *name = plan->map ? plan->map : case_heap_name(plan->heap);
    bool of_go = plan->release && !strchr(name, '@') && (!plan->map || registry_map_release(plan->map));
    snprintf(room, size, "%s%s%s", name, of_go ? "@" : "",
             of_go ? go_release_text(plan->release, release) : "");
}

/* FOLDER/SCENARIO-VARIANT-MAP; false: the folder cannot be made. */
static bool file_stem(const struct case_plan *plan, char *stem, size_t size) {
    char place[96];
    if (mkdir(plan->snapshots.folder, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "mapbench: cannot create %s: %s\n", plan->snapshots.folder, strerror(errno));
        return false;
    }
    place_text(plan, place, sizeof place);
    snprintf(stem, size, "%s/%s-%s-%s", plan->snapshots.folder, plan->scenario->name, plan->variant->name,
             place);
    return true;
}

/* Writes the snapshot in each format: stem, label and step, with the format's ending. */
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

/* --- the two that are compared --- */

static void drop(struct compared_snapshot *kept) {
    if (kept->tree) dominators_free(kept->tree);
    if (kept->snapshot) snapshot_free(kept->snapshot);
    *kept = (struct compared_snapshot){0};
}

/* Returns the side of the comparison that a checkpoint's snapshot is; NULL: neither. */
static struct compared_snapshot *side_of(struct compared_snapshots *compared,
                                         const struct requested_snapshots *wanted, const char *label) {
    if (wanted->from && strcmp(label, wanted->from) == 0) return &compared->from;
    return wanted->to && strcmp(label, wanted->to) == 0 ? &compared->to : NULL;
}

void retainers_checkpoint(struct compared_snapshots *compared, struct gosim *heap,
                          const struct case_plan *plan, const char *label, size_t step, json_t *line) {
    const struct requested_snapshots *wanted = &plan->snapshots;
    /* The last checkpoint of a phase is the one that is looked into. */
    size_t last = plan->scenario->verdict_step ? plan->scenario->verdict_step : plan->n;
    bool decisive = step >= last && strcmp(label, plan->scenario->verdict_label) == 0;
    bool exported = wanted->folder &&
                    (names_select(wanted->at, label) || (decisive && names_select(wanted->at, "verdict")));
    struct compared_snapshot *keep = side_of(compared, wanted, label);
    if (!decisive && !exported && !keep) return;
    struct why why;
    struct compared_snapshot taken = {.snapshot = snapshot_of_gosim(heap, &why), .step = step};
    taken.tree = taken.snapshot ? snapshot_dominators(taken.snapshot) : NULL;
    struct snapshot_paths *paths = taken.tree ? snapshot_paths_find(taken.snapshot) : NULL;
    if (paths) {
        if (decisive) describe(taken.snapshot, taken.tree, paths, line);
        if (exported) export_all(taken.snapshot, taken.tree, paths, plan, label, step);
    } else {
        fprintf(stderr, "mapbench: no snapshot of %s at %s %zu: %s\n", plan->scenario->name, label, step,
                taken.snapshot ? "out of memory" : why.text);
    }
    snapshot_paths_free(paths);
    if (keep && paths) {
        drop(keep);
        *keep = taken;
    } else {
        drop(&taken);
    }
}

static void write_difference(const struct compared_snapshots *compared, const struct case_plan *plan) {
    const struct requested_snapshots *wanted = &plan->snapshots;
    const struct diff_side from = {wanted->from, compared->from.step, compared->from.snapshot,
                                   compared->from.tree},
                           to = {wanted->to, compared->to.step, compared->to.snapshot, compared->to.tree};
    char stem[PATH_MAX], path[PATH_MAX + 160];
    if (!file_stem(plan, stem, sizeof stem)) return;
    struct diff_report *report = diff_report_make(&from, &to);
    if (!report) {
        fprintf(stderr, "mapbench: out of memory for the difference of %s\n", plan->scenario->name);
        return;
    }
    json_t *names = case_line(plan);
    diff_report_print(report, names, stdout);
    fflush(stdout); /* the process ends without flushing */
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

void retainers_finish(struct compared_snapshots *compared, const struct case_plan *plan) {
    if (compared->from.snapshot && compared->to.snapshot) write_difference(compared, plan);
    drop(&compared->from);
    drop(&compared->to);
}

#include "harness/retention/holders.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/retention/snapshot_export.h"
#include "harness/retention/snapshot_query.h"

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

/* SCENARIO-VARIANT-MAP-LABEL-STEP with the endings of the formats. */
static void export_all(const struct snapshot *snapshot, const struct dominators *tree,
                       const struct snapshot_paths *paths, const struct case_plan *plan, const char *label,
                       size_t step) {
    char stem[PATH_MAX], path[PATH_MAX + 16];
    if (mkdir(plan->snapshot, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "mapbench: cannot create %s: %s\n", plan->snapshot, strerror(errno));
        return;
    }
    snprintf(stem, sizeof stem, "%s/%s-%s-%s-%s-%zu", plan->snapshot, plan->scenario->name,
             plan->variant->name, plan->unit ? plan->unit->map : "gosim", label, step);
    struct export_report report;
    snprintf(path, sizeof path, "%s.pb.gz", stem);
    report = export_pprof(snapshot, tree, path), complain(&report);
    snprintf(path, sizeof path, "%s.heapsnapshot", stem);
    report = export_chrome(snapshot, tree, 0, path), complain(&report);
    snprintf(path, sizeof path, "%s.jsonl", stem);
    report = export_jsonl(snapshot, tree, paths, path), complain(&report);
    snprintf(path, sizeof path, "%s.dot", stem);
    report = export_dot(snapshot, tree, EXPORT_DOT_NODES, path), complain(&report);
}

void holders_describe(struct gosim *heap, const struct case_plan *plan, const char *label, size_t step,
                      json_t *line) {
    char why[160];
    struct snapshot *snapshot = snapshot_of_gosim(heap, why);
    struct dominators *tree = snapshot ? snapshot_dominators(snapshot) : NULL;
    struct snapshot_paths *paths = tree ? snapshot_paths_find(snapshot) : NULL;
    if (paths) {
        describe(snapshot, tree, paths, line);
        if (plan->snapshot) export_all(snapshot, tree, paths, plan, label, step);
    } else {
        fprintf(stderr, "mapbench: no snapshot of %s: %s\n", plan->scenario->name,
                snapshot ? "out of memory" : why);
    }
    snapshot_paths_free(paths);
    if (tree) dominators_free(tree);
    if (snapshot) snapshot_free(snapshot);
}

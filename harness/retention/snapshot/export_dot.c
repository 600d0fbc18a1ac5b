#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/retention/snapshot/export.h"
#include "harness/retention/snapshot/writer.h"

/* Writes the text in quotes; escapes line ends and what Graphviz would take for an escape. */
static void write_label(struct writer *w, const char *text) {
    char one[2] = "";
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') write_text(w, "\\");
        one[0] = (unsigned char)*text < 0x20 ? ' ' : *text;
        write_text(w, one);
    }
}

static void write_node(struct writer *w, const struct snapshot *s, const struct dominators *d,
                       uint32_t order) {
    uint32_t node = d->node_at[order];
    char bytes[SNAPSHOT_BYTES_TEXT];
    write_text(w, "  n");
    write_number(w, order);
    write_text(w, " [label=\"");
    if (snapshot_is_root(s, node)) {
        write_text(w, snapshot_root_kind_name(snapshot_root_kind_of(s, node)));
        write_text(w, " ");
    }
    write_label(w, snapshot_type_name(s, node));
    write_text(w, "\\nretains ");
    write_text(w, snapshot_bytes_text(d->retained[order], bytes));
    if (snapshot_is_object(s, node)) {
        write_text(w, "\\nitself ");
        write_text(w, snapshot_bytes_text(s->bytes[node], bytes));
    }
    write_text(w, snapshot_is_object(s, node) ? "\"];\n" : "\", shape=ellipse];\n");
}

static void write_edge(struct writer *w, const struct snapshot *s, const struct dominators *d,
                       const uint32_t *held_by, uint32_t order) {
    if (d->parent[order] == 0) return;
    write_text(w, "  n");
    write_number(w, d->parent[order]);
    write_text(w, " -> n");
    write_number(w, order);
    if (held_by[order] == SNAPSHOT_NONE) {
        write_text(w, " [style=dashed]");
    } else if (*snapshot_field_name(s, held_by[order])) {
        write_text(w, " [label=\"");
        write_label(w, snapshot_field_name(s, held_by[order]));
        write_text(w, "\"]");
    }
    write_text(w, ";\n");
}

static void write_graph(struct writer *w, const struct snapshot *s, const struct dominators *d,
                        const uint32_t *held_by, const uint32_t *chosen, uint32_t count) {
    write_text(w, "// What retains most, below its dominators; dashed: no direct pointer.\n"
                  "digraph retained {\n  node [shape=box, fontname=\"sans-serif\"];\n"
                  "  edge [fontname=\"sans-serif\"];\n");
    for (uint32_t i = 0; i < count; i++) write_node(w, s, d, chosen[i]);
    for (uint32_t i = 0; i < count; i++) write_edge(w, s, d, held_by, chosen[i]);
    write_text(w, "}\n");
}

struct export_report export_dot(const struct snapshot *s, const struct dominators *d, uint32_t count,
                                const char *path) {
    struct writer *w = malloc(sizeof *w);
    uint32_t *held_by = export_holding_edges(s, d);
    uint32_t *chosen = export_largest(d, &count);
    struct export_report report = export_failed(path, "out of memory");
    if (w && held_by && chosen) {
        if (writer_open(w, path)) write_graph(w, s, d, held_by, chosen, count);
        if (writer_close(w))
            report = (struct export_report){.ok = true, .written = count};
        else
            report = export_failed(path, strerror(w->error));
    }
    free(w);
    free(held_by);
    free(chosen);
    return report;
}

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/retention/snapshot/export.h"
#include "harness/retention/snapshot/writer.h"

static void write_key(struct writer *w, const char *key) {
    write_text(w, ",\"");
    write_text(w, key);
    write_text(w, "\":");
}

static void write_or_null(struct writer *w, bool there, uint64_t number) {
    if (there)
        write_number(w, number);
    else
        write_text(w, "null");
}

static void write_node(struct writer *w, const struct snapshot *s, const struct dominators *d,
                       const struct snapshot_paths *paths, const uint32_t *held_by, uint32_t node) {
    uint32_t dominator = dominator_of(d, node), order = d->order_of[node];
    bool root = snapshot_is_root(s, node);
    write_text(w, "{\"id\":");
    write_number(w, node);
    write_key(w, "kind");
    write_json_text(w, root ? snapshot_root_kind_name(snapshot_root_kind_of(s, node)) : "object");
    write_key(w, "type");
    write_json_text(w, snapshot_type_name(s, node));
    write_key(w, "address");
    write_number(w, s->address[node]);
    write_key(w, "bytes");
    write_number(w, s->bytes[node]);
    write_key(w, "retained");
    write_number(w, retained_by(d, node));
    write_key(w, "dominator");
    write_or_null(w, dominator != DOMINATORS_NONE && dominator != snapshot_summit(s), dominator);
    write_key(w, "by");
    if (!root && order != DOMINATORS_NONE && held_by[order] != SNAPSHOT_NONE)
        write_json_text(w, snapshot_field_name(s, held_by[order]));
    else
        write_text(w, "null");
    write_key(w, "path");
    write_or_null(w, paths->distance[node] != SNAPSHOT_NONE, (uint64_t)paths->distance[node] - 1);
    write_text(w, "}\n");
}

struct export_report export_jsonl(const struct snapshot *s, const struct dominators *d,
                                  const struct snapshot_paths *paths, const char *path) {
    struct writer *w = malloc(sizeof *w);
    uint32_t *held_by = export_holding_edges(s, d);
    struct export_report report = export_failed(path, "out of memory");
    if (w && held_by) {
        if (writer_open(w, path))
            for (uint32_t node = 0; node < snapshot_summit(s) && !w->error; node++)
                write_node(w, s, d, paths, held_by, node);
        if (writer_close(w))
            report = (struct export_report){.ok = true, .written = snapshot_summit(s)};
        else
            report = export_failed(path, strerror(w->error));
    }
    free(w);
    free(held_by);
    return report;
}

#include "harness/retention/snapshot/diff_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/output.h"
#include "harness/retention/snapshot/diff_paths.h"

struct diff_report {
    struct diff_side from, to;
    struct snapshot_change *change;
    struct path_changes *paths;
    char *gained; /* where what is new piles up; NULL: nothing is new */
};

struct diff_report *diff_report_make(const struct diff_side *from, const struct diff_side *to) {
    struct diff_report *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->from = *from;
    r->to = *to;
    r->change = snapshot_compare(from->snapshot, from->tree, to->snapshot, to->tree);
    r->paths = diff_paths_find(from->snapshot, from->tree, to->snapshot, to->tree);
    bool piles = r->change && r->change->bytes_new && r->change->gained.node != SNAPSHOT_NONE;
    if (piles) r->gained = snapshot_node_text(to->snapshot, r->change->gained.node);
    if (r->change && r->paths && (!piles || r->gained)) return r;
    diff_report_free(r);
    return NULL;
}

void diff_report_free(struct diff_report *r) {
    if (!r) return;
    snapshot_change_free(r->change);
    diff_paths_free(r->paths);
    free(r->gained);
    free(r);
}

/* --- as text --- */

static const char *word(const json_t *names, const char *field) {
    const char *text = json_string_value(json_object_get(names, field));
    return text ? text : "-";
}

/* "+1.0 KiB", "-11.6 MiB". */
static const char *change_text(uint64_t before, uint64_t after, char *out, size_t size) {
    char bytes[SNAPSHOT_BYTES_TEXT];
    snprintf(out, size, "%s%s",
             after > before   ? "+"
             : after < before ? "-"
                              : "",
             snapshot_bytes_text(after > before ? after - before : before - after, bytes));
    return out;
}

static void print_head(const struct diff_report *r, const json_t *names, FILE *out) {
    const struct snapshot_change *c = r->change;
    char old[SNAPSHOT_BYTES_TEXT], now[SNAPSHOT_BYTES_TEXT];
    fprintf(out, "%s %s, %s, n %lld: %s %zu -> %s %zu\n", word(names, "scenario"), word(names, "variant"),
            word(names, "map"), (long long)json_integer_value(json_object_get(names, "n")), r->from.label,
            r->from.step, r->to.label, r->to.step);
    fprintf(out, "  %" PRIu32 " objects, %s -> %" PRIu32 " objects, %s\n", r->from.snapshot->objects,
            snapshot_bytes_text(r->from.snapshot->total_bytes, old), r->to.snapshot->objects,
            snapshot_bytes_text(r->to.snapshot->total_bytes, now));
    fprintf(out, "  new: %" PRIu64 " objects, %s; gone: %" PRIu64 " objects, %s\n", c->objects_new,
            snapshot_bytes_text(c->bytes_new, now), c->objects_gone, snapshot_bytes_text(c->bytes_gone, old));
    if (r->gained)
        fprintf(out, "  what is new piles up below %s, which retained %s and retains %s\n", r->gained,
                snapshot_bytes_text(c->retained_before_bytes, old),
                snapshot_bytes_text(c->retained_after_bytes, now));
}

static void print_left_out(FILE *out, size_t count) {
    if (count > DIFF_REPORT_ROWS) fprintf(out, "  %8s (%zu smaller ones)\n", "", count - DIFF_REPORT_ROWS);
}

static void print_paths(const struct path_changes *paths, FILE *out) {
    fprintf(out, "  %-8s %10s %12s %12s  %s\n", "change", "objects", "bytes", "retained", "path");
    for (size_t i = 0; i < paths->count && i < DIFF_REPORT_ROWS; i++) {
        const struct path_change *c = &paths->change[i];
        char bytes[32], retained[32];
        fprintf(out, "  %-8s %+10" PRId64 " %12s %12s  %s\n", diff_paths_kind(c),
                (int64_t)(c->after.objects - c->before.objects),
                change_text(c->before.bytes, c->after.bytes, bytes, sizeof bytes),
                change_text(c->before.retained_bytes, c->after.retained_bytes, retained, sizeof retained),
                c->path);
    }
    print_left_out(out, paths->count);
}

static void print_types(const struct snapshot_change *change, FILE *out) {
    fprintf(out, "  %-8s %10s %12s %12s  %s\n", "", "objects", "new", "gone", "type");
    for (size_t i = 0; i < change->count && i < DIFF_REPORT_ROWS; i++) {
        const struct type_change *t = &change->types[i];
        char added[SNAPSHOT_BYTES_TEXT], gone[SNAPSHOT_BYTES_TEXT];
        fprintf(out, "  %-8s %+10" PRId64 " %12s %12s  %s\n", "",
                (int64_t)(t->objects_after - t->objects_before), snapshot_bytes_text(t->bytes_new, added),
                snapshot_bytes_text(t->bytes_gone, gone), t->type);
    }
    print_left_out(out, change->count);
}

void diff_report_print(const struct diff_report *r, const json_t *names, FILE *out) {
    print_head(r, names, out);
    if (r->paths->count) print_paths(r->paths, out);
    if (r->change->count) print_types(r->change, out);
    fputc('\n', out);
}

/* --- as JSON --- */

static json_int_t whole(uint64_t number) {
    return (json_int_t)number;
}

static json_t *side_json(const struct diff_side *side) {
    return json_pack("{s:s, s:I, s:I, s:I}", "label", side->label, "step", whole(side->step), "objects",
                     whole(side->snapshot->objects), "bytes", whole(side->snapshot->total_bytes));
}

static json_t *case_json(const struct diff_report *r, const json_t *names) {
    const struct snapshot_change *c = r->change;
    json_t *line = json_pack("{s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:s?, s:I, s:I}", "kind", "case", "from",
                             side_json(&r->from), "to", side_json(&r->to), "objects_new",
                             whole(c->objects_new), "bytes_new", whole(c->bytes_new), "objects_gone",
                             whole(c->objects_gone), "bytes_gone", whole(c->bytes_gone), "gained_below",
                             r->gained, "gained_retained_before_bytes", whole(c->retained_before_bytes),
                             "gained_retained_after_bytes", whole(c->retained_after_bytes));
    json_object_update_missing(line, (json_t *)(uintptr_t)names);
    return line;
}

static json_t *path_json(const struct path_change *c) {
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "kind", "path", "change",
                     diff_paths_kind(c), "path", c->path, "type", c->type, "objects_before",
                     whole(c->before.objects), "objects_after", whole(c->after.objects), "bytes_before",
                     whole(c->before.bytes), "bytes_after", whole(c->after.bytes), "retained_before_bytes",
                     whole(c->before.retained_bytes), "retained_after_bytes", whole(c->after.retained_bytes));
}

static json_t *type_json(const struct type_change *t) {
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "kind", "type", "type", t->type,
                     "objects_before", whole(t->objects_before), "objects_after", whole(t->objects_after),
                     "bytes_before", whole(t->bytes_before), "bytes_after", whole(t->bytes_after),
                     "objects_new", whole(t->objects_new), "bytes_new", whole(t->bytes_new), "objects_gone",
                     whole(t->objects_gone), "bytes_gone", whole(t->bytes_gone));
}

static bool put_line(FILE *out, json_t *line) {
    bool ok = line && json_dumpf(line, out, JSON_COMPACT) == 0 && fputc('\n', out) != EOF;
    json_decref(line);
    return ok;
}

/* --- files --- */

static bool finish(FILE *out, bool ok, const char *path) {
    ok = !ferror(out) && ok;
    if (fclose(out) == 0 && ok) return true;
    int why = errno;
    remove(path);
    errno = why ? why : EIO;
    return false;
}

bool diff_report_write_text(const struct diff_report *r, const json_t *names, const char *path) {
    FILE *out = output_open(path);
    if (!out) return false;
    diff_report_print(r, names, out);
    return finish(out, true, path);
}

bool diff_report_write_jsonl(const struct diff_report *r, const json_t *names, const char *path) {
    FILE *out = output_open(path);
    if (!out) return false;
    bool ok = put_line(out, case_json(r, names));
    for (size_t i = 0; i < r->paths->count; i++) ok = ok && put_line(out, path_json(&r->paths->change[i]));
    for (size_t i = 0; i < r->change->count; i++) ok = ok && put_line(out, type_json(&r->change->types[i]));
    return finish(out, ok, path);
}

/* The format of V8 (src/profiler/heap-snapshot-generator.cc, HeapSnapshotJSONSerializer; BSD licence): flat
 * arrays whose fields "meta" names. Node 0 is the root. The tools compute dominators themselves. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/retention/snapshot/export.h"
#include "harness/retention/snapshot/writer.h"

/* Numbers in meta's lists of types. */
enum { NODE_OBJECT = 3, NODE_SYNTHETIC = 9 };
enum { EDGE_ELEMENT = 1, EDGE_PROPERTY = 2, EDGE_INTERNAL = 3 };
enum { NODE_FIELDS = 7 };
/* The first of "strings"; the snapshot's names follow, then a text for each root. */
enum { STRING_EMPTY, STRING_LEFT_OUT, STRING_VALUE, STRING_NAMES };

static const char meta[] =
    "{\"snapshot\":{\"meta\":{"
    "\"node_fields\":[\"type\",\"name\",\"id\",\"self_size\",\"edge_count\",\"trace_node_id\","
    "\"detachedness\"],"
    "\"node_types\":[[\"hidden\",\"array\",\"string\",\"object\",\"code\",\"closure\",\"regexp\",\"number\","
    "\"native\",\"synthetic\",\"concatenated string\",\"sliced string\",\"symbol\",\"bigint\","
    "\"object shape\"],\"string\",\"number\",\"number\",\"number\",\"number\",\"number\"],"
    "\"edge_fields\":[\"type\",\"name_or_index\",\"to_node\"],"
    "\"edge_types\":[[\"context\",\"element\",\"property\",\"internal\",\"hidden\",\"shortcut\",\"weak\"],"
    "\"string_or_number\",\"node\"],"
    "\"trace_function_info_fields\":[\"function_id\",\"name\",\"script_name\",\"script_id\",\"line\","
    "\"column\"],"
    "\"trace_node_fields\":[\"id\",\"function_info_index\",\"count\",\"size\",\"children\"],"
    "\"sample_fields\":[\"timestamp_us\",\"last_assigned_id\"],"
    "\"location_fields\":[\"object_index\",\"script_id\",\"line\",\"column\"]},";

struct chrome {
    const struct snapshot *s;
    const struct dominators *d;
    struct writer *w;
    uint32_t *chosen; /* orders, ascending; by index - 1 */
    uint32_t count;   /* indices: 0 is the summit */
    uint32_t *held_by;
    uint32_t *index; /* by order: of the node itself, or of the nearest dominator written */
    uint64_t *self;  /* by index */
    uint32_t
        *first_far; /* by index: a node it dominates but has no edge to, once nodes are left out; 0: none */
    uint32_t *next_far; /* by index: of the list that begins there */
    bool partial;
    bool by_address; /* ids can be made of addresses */
};

static uint32_t order_at(const struct chrome *c, uint32_t index) {
    return index ? c->chosen[index - 1] : 0;
}

static bool is_written(const struct chrome *c, uint32_t order) {
    return order_at(c, c->index[order]) == order;
}

/* Nodes left out give their bytes to the nearest dominator written. What is written and was reached through
 * them hangs from its dominator by an edge of its own: that leaves all dominators as they are. */
static void fold(struct chrome *c) {
    uint32_t next = 0;
    for (uint32_t order = 0; order < c->d->reached; order++) {
        bool written = next < c->count && order_at(c, next) == order;
        uint32_t above = written && order ? c->index[c->d->parent[order]] : 0;
        c->index[order] = written ? next++ : c->index[c->d->parent[order]];
        c->self[c->index[order]] += c->s->bytes[c->d->node_at[order]];
        if (c->partial && written && order && c->held_by[order] == SNAPSHOT_NONE) {
            c->next_far[c->index[order]] = c->first_far[above];
            c->first_far[above] = c->index[order];
        }
    }
}

/* The edges of a node that end in written ones; writes them, or only counts. */
static uint32_t each_edge(struct chrome *c, uint32_t index, bool write, bool *first) {
    const struct snapshot *s = c->s;
    uint32_t node = c->d->node_at[order_at(c, index)], count = 0;
    for (uint32_t e = s->first_edge[node]; e < s->first_edge[node + 1]; e++) {
        uint32_t to = c->d->order_of[s->to[e]];
        if (!is_written(c, to)) continue;
        count++;
        if (!write) continue;
        bool named = *snapshot_field_name(s, e), element = s->element[e] != SNAPSHOT_NONE || index == 0;
        uint32_t number = index == 0 ? e - s->first_edge[node] : s->element[e];
        write_text(c->w, *first ? "" : ",\n");
        *first = false;
        write_number(c->w, named ? EDGE_PROPERTY : element ? EDGE_ELEMENT : EDGE_INTERNAL);
        write_text(c->w, ",");
        write_number(c->w, named ? STRING_NAMES + (uint64_t)s->field[e] : element ? number : STRING_VALUE);
        write_text(c->w, ",");
        write_number(c->w, (uint64_t)NODE_FIELDS * c->index[to]);
    }
    for (uint32_t far = c->first_far[index]; far; far = c->next_far[far]) {
        count++;
        if (!write) continue;
        write_text(c->w, *first ? "" : ",\n");
        *first = false;
        write_number(c->w, EDGE_INTERNAL);
        write_text(c->w, ",");
        write_number(c->w, STRING_LEFT_OUT);
        write_text(c->w, ",");
        write_number(c->w, (uint64_t)NODE_FIELDS * far);
    }
    return count;
}

/* Ids are of 32 bits, and the same in two snapshots for the same object, so that the tools can compare them.
 * Objects of the heap have odd ids, as in V8. */
static uint64_t id_of(const struct chrome *c, uint32_t node) {
    const struct snapshot *s = c->s;
    if (!snapshot_is_object(s, node))
        return node == snapshot_summit(s) ? 2 : 4 + 2 * (uint64_t)(node - s->objects);
    return 2 * (c->by_address ? s->address[node] >> 3 & INT32_MAX : node) + 1;
}

/* Rising by 8 at least, and all within what 31 bits can tell apart. */
static bool addresses_are_ids(const struct snapshot *s) {
    for (uint32_t i = 1; i < s->objects; i++)
        if (s->address[i] >> 3 <= s->address[i - 1] >> 3) return false;
    return s->objects && (s->address[s->objects - 1] >> 3) - (s->address[0] >> 3) <= INT32_MAX;
}

static void write_node(struct chrome *c, uint32_t index) {
    const struct snapshot *s = c->s;
    uint32_t node = c->d->node_at[order_at(c, index)];
    uint64_t name = STRING_EMPTY;
    if (snapshot_is_object(s, node))
        name = STRING_NAMES + (uint64_t)s->type[node];
    else if (snapshot_is_root(s, node))
        name = STRING_NAMES + (uint64_t)s->names.count + (node - s->objects);
    uint64_t field[NODE_FIELDS] = {index ? NODE_OBJECT : NODE_SYNTHETIC,
                                   name,
                                   id_of(c, node),
                                   c->self[index],
                                   each_edge(c, index, false, NULL),
                                   0,
                                   0};
    for (int i = 0; i < NODE_FIELDS; i++) {
        write_text(c->w, i ? "," : index ? ",\n" : "");
        write_number(c->w, field[i]);
    }
}

static void write_strings(struct chrome *c) {
    static const char *const fixed[STRING_NAMES] = {"", "(through objects left out)", "value"};
    const struct snapshot *s = c->s;
    for (size_t i = 0; i < STRING_NAMES; i++) {
        if (i) write_text(c->w, ",\n");
        write_json_text(c->w, fixed[i]);
    }
    for (uint32_t i = 0; i < s->names.count; i++) {
        write_text(c->w, ",\n");
        write_json_text(c->w, s->names.text[i]);
    }
    for (uint32_t root = s->objects; root < s->objects + s->roots; root++) {
        char *text = snapshot_node_text(s, root);
        write_text(c->w, ",\n");
        write_json_text(c->w, text ? text : snapshot_type_name(s, root));
        free(text);
    }
}

static void write_all(struct chrome *c) {
    uint64_t edges = 0;
    for (uint32_t i = 0; i < c->count; i++) edges += each_edge(c, i, false, NULL);
    write_text(c->w, meta);
    write_text(c->w, "\"node_count\":");
    write_number(c->w, c->count);
    write_text(c->w, ",\"edge_count\":");
    write_number(c->w, edges);
    write_text(c->w, ",\"trace_function_count\":0},\n\"nodes\":[");
    for (uint32_t i = 0; i < c->count && !c->w->error; i++) write_node(c, i);
    write_text(c->w, "],\n\"edges\":[");
    bool first = true;
    for (uint32_t i = 0; i < c->count && !c->w->error; i++) each_edge(c, i, true, &first);
    write_text(c->w, "],\n\"trace_function_infos\":[],\n\"trace_tree\":[],\n\"samples\":[],\n"
                     "\"locations\":[],\n\"strings\":[");
    write_strings(c);
    write_text(c->w, "]}\n");
}

static void warn(const struct chrome *c, struct export_report *report, const char *path) {
    uint32_t unreachable = c->s->nodes - c->d->reached, folded = c->d->reached - c->count, large = 0;
    for (uint32_t i = 0; i < c->count; i++) large += c->self[i] > UINT32_MAX;
    int used = 0;
    size_t room = sizeof report->message;
    if (folded)
        used +=
            snprintf(report->message, room,
                     "%s: %" PRIu32 " of %" PRIu32 " nodes left out, their bytes added to their dominators; ",
                     path, folded, c->d->reached);
    if (unreachable && (size_t)used < room)
        used += snprintf(report->message + used, room - (size_t)used,
                         "%" PRIu32 " objects that nothing reaches left out; ", unreachable);
    if (large && (size_t)used < room)
        used += snprintf(report->message + used, room - (size_t)used,
                         "%" PRIu32 " nodes of 4 GiB or more, whose size Chrome cuts to 32 bits; ", large);
    if (used >= 2 && (size_t)used < room) report->message[used - 2] = '\0';
    report->left_out = (uint64_t)unreachable + folded;
}

static bool allocate(struct chrome *c, uint32_t max_nodes) {
    uint32_t count = (max_nodes ? max_nodes : EXPORT_CHROME_NODES) - 1;
    c->w = malloc(sizeof *c->w);
    c->held_by = export_holding_edges(c->s, c->d);
    c->chosen = export_largest(c->d, &count);
    c->count = count + 1;
    c->partial = c->count < c->d->reached;
    c->index = malloc(c->d->reached * sizeof *c->index);
    c->self = calloc(c->count, sizeof *c->self);
    c->first_far = calloc(c->count, sizeof *c->first_far);
    c->next_far = calloc(c->count, sizeof *c->next_far);
    return c->w && c->held_by && c->chosen && c->index && c->self && c->first_far && c->next_far;
}

struct export_report export_chrome(const struct snapshot *s, const struct dominators *d, uint32_t max_nodes,
                                   const char *path) {
    struct chrome c = {.s = s, .d = d, .by_address = addresses_are_ids(s)};
    struct export_report report = export_failed(path, "out of memory");
    if (allocate(&c, max_nodes)) {
        fold(&c);
        if (writer_open(c.w, path)) write_all(&c);
        if (writer_close(c.w)) {
            report = (struct export_report){.ok = true, .written = c.count};
            warn(&c, &report, path);
        } else {
            report = export_failed(path, strerror(c.w->error));
        }
    }
    free(c.w);
    free(c.held_by);
    free(c.chosen);
    free(c.index);
    free(c.self);
    free(c.first_far);
    free(c.next_far);
    return report;
}

#include "harness/retention/snapshot/query.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    AHEAD = 16,
    SHOWN = 12, /* steps at either end of a long path */
};

struct dominators *snapshot_dominators(const struct snapshot *s) {
    struct graph graph = {
        .nodes = s->nodes, .start = snapshot_summit(s), .first_edge = s->first_edge, .to = s->to};
    return dominators_find(&graph, s->bytes);
}

/* --- paths --- */

static void spread(const struct snapshot *s, struct snapshot_paths *paths, uint32_t *queue) {
    uint32_t head = 0, tail = 0;
    queue[tail++] = snapshot_summit(s);
    paths->distance[queue[0]] = 0;
    while (head < tail) {
        if (tail - head > AHEAD) __builtin_prefetch(&s->first_edge[queue[head + AHEAD]]);
        uint32_t node = queue[head++];
        for (uint32_t e = s->first_edge[node]; e < s->first_edge[node + 1]; e++) {
            if (s->first_edge[node + 1] - e > AHEAD) __builtin_prefetch(&paths->distance[s->to[e + AHEAD]]);
            uint32_t to = s->to[e];
            if (paths->distance[to] != SNAPSHOT_NONE) continue;
            paths->distance[to] = paths->distance[node] + 1;
            paths->from[to] = node;
            queue[tail++] = to;
        }
    }
}

struct snapshot_paths *snapshot_paths_find(const struct snapshot *s) {
    struct snapshot_paths *paths = calloc(1, sizeof *paths);
    uint32_t *queue = malloc(s->nodes * sizeof *queue);
    if (paths) {
        paths->from = malloc(s->nodes * sizeof *paths->from);
        paths->distance = malloc(s->nodes * sizeof *paths->distance);
    }
    if (!queue || !paths || !paths->from || !paths->distance) {
        snapshot_paths_free(paths);
        free(queue);
        return NULL;
    }
    memset(paths->from, 0xff, s->nodes * sizeof *paths->from);
    memset(paths->distance, 0xff, s->nodes * sizeof *paths->distance);
    spread(s, paths, queue);
    free(queue);
    return paths;
}

void snapshot_paths_free(struct snapshot_paths *paths) {
    if (!paths) return;
    free(paths->from);
    free(paths->distance);
    free(paths);
}

uint32_t snapshot_edge_between(const struct snapshot *s, uint32_t from, uint32_t to) {
    for (uint32_t e = s->first_edge[from]; e < s->first_edge[from + 1]; e++)
        if (s->to[e] == to) return e;
    return SNAPSHOT_NONE;
}

/* --- as text --- */

char *snapshot_bytes_text(uint64_t bytes, char out[SNAPSHOT_BYTES_TEXT]) {
    static const char *const unit[] = {"KiB", "MiB", "GiB", "TiB"};
    if (bytes < 1024) {
        snprintf(out, SNAPSHOT_BYTES_TEXT, "%" PRIu64 " B", bytes);
        return out;
    }
    double scaled = (double)bytes / 1024;
    size_t u = 0;
    for (; scaled >= 1023.95 && u + 1 < sizeof unit / sizeof unit[0]; u++) scaled /= 1024;
    snprintf(out, SNAPSHOT_BYTES_TEXT, "%.1f %s", scaled, unit[u]);
    return out;
}

/* Steps of a path that are printed as one: consecutive objects left by the same field. */
struct step {
    uint32_t node;  /* the first of them */
    uint32_t edge;  /* by which it is left; SNAPSHOT_NONE: the path ends here */
    uint32_t count; /* of objects */
    uint64_t bytes;
};

static bool same_step(const struct snapshot *s, const struct step *step, uint32_t node, uint32_t edge) {
    return snapshot_is_object(s, step->node) && snapshot_is_object(s, node) &&
           s->type[step->node] == s->type[node] && step->edge != SNAPSHOT_NONE && edge != SNAPSHOT_NONE &&
           s->field[step->edge] == s->field[edge] && s->element[step->edge] == s->element[edge];
}

static void print_step(FILE *out, const struct snapshot *s, const struct step *step) {
    const char *type = snapshot_type_name(s, step->node);
    char bytes[SNAPSHOT_BYTES_TEXT];
    if (snapshot_is_root(s, step->node)) {
        fprintf(out, "%s %s", snapshot_root_kind_name(snapshot_root_kind_of(s, step->node)), type);
        return;
    }
    bool array = step->edge != SNAPSHOT_NONE && s->element[step->edge] != SNAPSHOT_NONE;
    /* An element of "[]string" is a "string[3]". */
    fputs(array && strncmp(type, "[]", 2) == 0 ? type + 2 : type, out);
    if (array) fprintf(out, "[%" PRIu32 "]", s->element[step->edge]);
    if (step->edge != SNAPSHOT_NONE && *snapshot_field_name(s, step->edge))
        fprintf(out, ".%s", snapshot_field_name(s, step->edge));
    if (step->count > 1) fprintf(out, " x%" PRIu32, step->count);
    fprintf(out, " (%s)", snapshot_bytes_text(step->bytes, bytes));
}

/* The path as steps, from the root; NULL: out of memory. The nodes are in `trail`, target first. */
static struct step *collect_steps(const struct snapshot *s, const uint32_t *trail, uint32_t length,
                                  uint32_t *count) {
    struct step *steps = malloc(length * sizeof *steps);
    if (!steps) return NULL;
    *count = 0;
    for (uint32_t i = length; i-- > 0;) {
        uint32_t node = trail[i];
        uint32_t edge = i ? snapshot_edge_between(s, node, trail[i - 1]) : SNAPSHOT_NONE;
        if (*count && same_step(s, &steps[*count - 1], node, edge)) {
            steps[*count - 1].count++;
            steps[*count - 1].bytes += s->bytes[node];
        } else {
            steps[(*count)++] =
                (struct step){.node = node, .edge = edge, .count = 1, .bytes = s->bytes[node]};
        }
    }
    return steps;
}

static void print_steps(FILE *out, const struct snapshot *s, const struct step *steps, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (i) fputs(" -> ", out);
        if (count > 2 * SHOWN + 1 && i == SHOWN) {
            fprintf(out, "(%" PRIu32 " more) -> ", count - 2 * SHOWN);
            i = count - SHOWN;
        }
        print_step(out, s, &steps[i]);
    }
}

char *snapshot_path_text(const struct snapshot *s, const struct snapshot_paths *paths, uint32_t node) {
    if (paths->distance[node] == SNAPSHOT_NONE) return strdup("not reachable from any root");
    uint32_t length = paths->distance[node], count = 0;
    if (!length) return strdup(snapshot_type_name(s, node));
    uint32_t *trail = malloc(length * sizeof *trail);
    if (!trail) return NULL;
    for (uint32_t i = 0; i < length; i++, node = paths->from[node]) trail[i] = node;
    struct step *steps = collect_steps(s, trail, length, &count);
    char *text = NULL;
    size_t size = 0;
    FILE *out = steps ? open_memstream(&text, &size) : NULL;
    if (out) {
        print_steps(out, s, steps, count);
        if (fclose(out) != 0) {
            free(text);
            text = NULL;
        }
    }
    free(steps);
    free(trail);
    return text;
}

char *snapshot_node_text(const struct snapshot *s, uint32_t node) {
    char *text = NULL;
    int length;
    if (snapshot_is_object(s, node))
        length = asprintf(&text, "%s at 0x%" PRIx64, snapshot_type_name(s, node), s->address[node]);
    else if (snapshot_is_root(s, node))
        length = asprintf(&text, "%s %s", snapshot_root_kind_name(snapshot_root_kind_of(s, node)),
                          snapshot_type_name(s, node));
    else
        length = asprintf(&text, "%s", snapshot_type_name(s, node));
    return length < 0 ? NULL : text;
}

/* --- where it piles up --- */

bool snapshot_accumulation_of(const struct dominators *d, const uint64_t *value, struct accumulation *out) {
    *out = (struct accumulation){.root = SNAPSHOT_NONE, .node = SNAPSHOT_NONE};
    uint32_t *heaviest = dominators_heaviest(d, value);
    if (!heaviest) return false;
    uint32_t top = heaviest[0], best = DOMINATORS_NONE;
    uint64_t drop = 0;
    for (uint32_t at = top; at != DOMINATORS_NONE && value[at]; at = heaviest[at]) {
        uint64_t below = heaviest[at] == DOMINATORS_NONE ? 0 : value[heaviest[at]];
        if (best == DOMINATORS_NONE || value[at] - below > drop) {
            best = at;
            drop = value[at] - below;
        }
    }
    free(heaviest);
    if (best == DOMINATORS_NONE) return true;
    *out = (struct accumulation){.root = d->node_at[top],
                                 .node = d->node_at[best],
                                 .root_retained_bytes = value[top],
                                 .node_retained_bytes = value[best],
                                 .drop_bytes = drop};
    for (uint32_t i = 1; i < d->reached; i++) out->children += d->parent[i] == best;
    return true;
}

bool snapshot_accumulation(const struct dominators *d, struct accumulation *out) {
    return snapshot_accumulation_of(d, d->retained, out);
}

# Expands maps.def x shapes.def x heaps.def into the list of units.
#   awk -f expand_units.awk -v as=def  ...  the lines of units.def, read by registry.c
#   awk -f expand_units.awk -v as=shapes ... the shapes' names
#   awk -f expand_units.awk -v as=make ...  one word a unit, map:language:file:shape:hash:heap, read by the Makefile
# Files, in this order: shapes.def heaps.def maps.def. In the environment, SELECT: an extended regular expression for
# the whole of map-shape-hash-heap, other units are left out; empty: all.
BEGIN { selected = "^(" (ENVIRON["SELECT"] == "" ? ".*" : ENVIRON["SELECT"]) ")$" }
function fields(line) {
    sub(/^[A-Z]+\(/, "", line)
    sub(/\)[ \t]*$/, "", line)
    n = split(line, f, /,[ \t]*/)
}
/^SHAPE\(/ {
    fields($0)
    shape[++shapes] = f[1]
    kind[f[1]] = f[2]
    if (as == "shapes") print f[1]
}
/^HEAP\(/ {
    fields($0)
    heap[++heaps] = f[1]
    heap_maps[f[1]] = f[2]
    heap_shapes[f[1]] = f[3]
}
function listed(word, list) { return list == "ALL" || index(" " list " ", " " word " ") > 0 }
as != "shapes" && /^MAP\(/ {
    fields($0)
    if (n != 5) { print FILENAME ": a MAP line needs five fields: " $0 > "/dev/stderr"; exit 1 }
    policies = split(f[5] == "both" ? "common native" : f[5], policy, " ")
    for (s = 1; s <= shapes; s++) {
        if (f[4] != "ALL" && f[4] != kind[shape[s]]) continue
        for (p = 1; p <= policies; p++)
            for (h = 1; h <= heaps; h++) {
                if (!listed(f[1], heap_maps[heap[h]]) || !listed(shape[s], heap_shapes[heap[h]])) continue
                # Only malloc is compared under both hash policies.
                if (heap[h] != "malloc" && policy[p] == "native") continue
                if ((f[1] "-" shape[s] "-" policy[p] "-" heap[h]) !~ selected) continue
                if (as == "def")
                    printf "UNIT(%s, %s, %s, %s)\n", f[1], shape[s], policy[p], heap[h]
                else
                    printf "%s:%s:%s:%s:%s:%s\n", f[1], f[2], f[3], shape[s], policy[p], heap[h]
            }
    }
}

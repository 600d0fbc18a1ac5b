# Expands units.def into the units of retention scenarios: all on the gosim heap, some on others.
#   awk -f expand_units.awk -v as=def units.def    the lines of retention_units.def, read by units.c
#   awk -f expand_units.awk -v as=make units.def   one word a unit, map:c:file:shape:hash:heap, read by the Makefile
# In the environment, SELECT: an extended regular expression for the whole of map-shape-hash-heap,
# other units are left out; empty: all.
BEGIN { selected = "^(" (ENVIRON["SELECT"] == "" ? ".*" : ENVIRON["SELECT"]) ")$" }
function fields(line) {
    sub(/^[A-Z_]+\(/, "", line)
    sub(/\)[ \t]*$/, "", line)
    n = split(line, f, /,[ \t]*/)
}
function listed(word, list) {
    return index(" " list " ", " " word " ") > 0
}
function unit(shape, hash, heap) {
    if ((f[1] "-" shape "-" hash "-" heap) !~ selected) return
    if (as == "def")
        printf "UNIT(%s, %s, %s, %s)\n", f[1], shape, hash, heap
    else
        printf "%s:c:%s:%s:%s:%s\n", f[1], f[2], shape, hash, heap
}
/^RETENTION_SHAPE\(/ {
    fields($0)
    shape[++shapes] = f[1]
    kind[f[1]] = f[2]
}
/^RETENTION_HEAP\(/ {
    fields($0)
    heap_name[++heaps] = f[1]
    heap_shapes[heaps] = f[2]
    heap_maps[heaps] = f[3]
}
/^RETENTION_MAP\(/ {
    fields($0)
    for (s = 1; s <= shapes; s++) {
        if (!listed(kind[shape[s]], f[3])) continue
        # The ports hash as Go does, except interface values, whose hash depends on what they hold.
        hash = f[1] ~ /^go_/ && kind[shape[s]] != "ANY" ? "native" : "common"
        unit(shape[s], hash, "gosim")
        for (h = 1; h <= heaps; h++)
            if (listed(shape[s], heap_shapes[h]) && listed(f[1], heap_maps[h])) unit(shape[s], hash, heap_name[h])
    }
}

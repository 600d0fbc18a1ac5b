# Expands shapes.def x heaps.def x maps.def, and the further units of retention scenarios, into the list of units.
#   awk -f expand_units.awk -v as=FORM shapes.def heaps.def maps.def [retention/units.def]
# FORM:
#   def     UNIT(map, shape, hash, heap, what), read by registry.c
#   maps    MAP(map, symbol, heaps) of every map, ALIAS(name, map) and PORT lines, read by registry.c and releases.c
#   rules   unit_NAME := map language file shape hash heap what, read by make; and all_units, their names
#   heads   head_MAP := map language file shape hash, read by make: the first it is compiled for; and all_maps
#   make    map:language:file:shape:hash:heap, one word a unit with loops
#   shapes  the shapes' names
# what: loops, for units that are measured; operations, for those that only scenarios drive.
# A map of another release of Go is named MAP@RELEASE; its file is that of MAP, compiled with MAP_RELEASE, 124 for 1.24.
# NAME is MAP-SHAPE-HASH-HEAP. In the environment, SELECT: an extended regular expression for the whole of NAME, other
# units are left out; empty: all.
BEGIN { selected = "^(" (ENVIRON["SELECT"] == "" ? ".*" : ENVIRON["SELECT"]) ")$" }
function fields(line) {
    sub(/^[A-Z_]+\(/, "", line)
    sub(/\)[ \t]*$/, "", line)
    n = split(line, f, /,[ \t]*/)
}
# Whether map m is compiled for a shape, and under a hash policy: of a shape for some maps there is one policy a map.
function takes(m, s, policies, policy,    port, own) {
    if (takers[s] == "all") return kind[s] == "INT" || kind[s] == "STR"
    port = file[m] ~ /^maps\/go\//
    if (language[m] != "c" || file[m] ~ /adapters/) return 0
    # The baseline goes with all. What Go's equality and hash are wanted for, its plain maps take.
    if (takers[s] == "ports" && m > 1 && !has(map_heaps[m], "any")) return 0
    own = port && kind[s] != "ANY" ? "native" : "common"
    return policy == own || (policies == 1 && kind[s] == "ANY")
}
# Interface values have the common hash: what Go hashes depends on what they hold.
function hash_of(s, policy) { return kind[s] == "ANY" ? "common" : policy }
function has(list, word) { return list == "ALL" || index(" " list " ", " " word " ") > 0 }
function unit(m, shape, hash, heap, what,    name) {
    name = map[m] "-" shape "-" hash "-" heap
    if (name in known || name !~ selected) return
    known[name]
    if (as == "def") printf "UNIT(\"%s\", %s, %s, %s, %s)\n", map[m], shape, hash, heap, what
    if (as == "rules") {
        printf "unit_%s := %s %s %s %s %s %s %s\n", name, map[m], language[m], file[m], shape, hash, heap, what
        names = names " " name
    }
    if (as == "make" && what == "loops")
        printf "%s:%s:%s:%s:%s:%s\n", map[m], language[m], file[m], shape, hash, heap
}
/^SHAPE\(/ {
    fields($0)
    shape[++shapes] = f[1]
    split(f[2] " all", word, " ")
    kind[f[1]] = word[1]
    takers[f[1]] = word[2]
    if (as == "shapes") print f[1]
}
/^HEAP\(/ {
    fields($0)
    heap[++heaps] = f[1]
    heap_shapes[f[1]] = f[2]
}
/^RELEASE\(/ {
    fields($0)
    line = of[f[1]]
    if (line == "" || n != 2) { print FILENAME ": a RELEASE line has two fields, the first a map above: " $0 > "/dev/stderr"; exit 1 }
    $0 = line
    sub(/\([a-z_0-9]+/, "&@" f[2], $0)
    # As in Go: under the suite's hash a release is no other map.
    sub(/, *both,/, ", native,", $0)
}
/^ALIAS\(/ {
    fields($0)
    if (as == "maps") printf "ALIAS(\"%s\", \"%s\")\n", f[1], f[2]
}
/^PORT\(/ {
    fields($0)
    if (n != 7) { print FILENAME ": a PORT line needs seven fields: " $0 > "/dev/stderr"; exit 1 }
    if (as == "maps") {
        line = ""
        for (i = 1; i <= n; i++) line = line (i > 1 ? ", " : "") "\"" f[i] "\""
        printf "PORT(%s)\n", line
    }
}
/^MAP\(/ {
    of_line = $0
    fields($0)
    if (n != 6) { print FILENAME ": a MAP line needs six fields: " $0 > "/dev/stderr"; exit 1 }
    of[f[1]] = of_line
    map[++maps] = f[1]
    symbol = f[1]
    gsub(/[@.]/, "_", symbol)
    if (as == "maps") printf "MAP(\"%s\", %s, \"%s\")\n", f[1], symbol, f[6]
    language[maps] = f[2]
    file[maps] = f[3]
    map_heaps[maps] = f[6]
    policies = split(f[5] == "both" ? "common native" : f[5], policy, " ")
    first = ""
    for (s = 1; s <= shapes; s++) {
        if (f[4] != "ALL" && f[4] != kind[shape[s]]) continue
        if (first == "") first = shape[s]
        for (p = 1; p <= policies; p++)
            for (h = 1; h <= heaps; h++) {
                if (!takes(maps, shape[s], policies, policy[p])) continue
                if (heap[h] != "malloc" && !has(f[6], "all")) continue
                # Only malloc is compared under both hash policies.
                if (heap[h] != "malloc" && policy[p] == "native") continue
                if (has(heap_shapes[heap[h]], shape[s])) unit(maps, shape[s], hash_of(shape[s], policy[p]), heap[h], "loops")
            }
    }
    if (as == "heads") {
        printf "head_%s := %s %s %s %s %s\n", f[1], f[1], f[2], f[3], first, policy[1]
        names = names " " f[1]
    }
}
# --- of retention scenarios: all on gosim, some on others
/^RETENTION_SHAPE\(/ {
    fields($0)
    scenario_shape[++scenario_shapes] = f[1]
    scenario_kind[f[1]] = f[2]
}
/^RETENTION_HEAP\(/ {
    fields($0)
    scenario_heap[++scenario_heaps] = f[1]
    scenario_heap_shapes[scenario_heaps] = f[2]
}
END {
    for (m = 1; m <= maps; m++) {
        # The baseline keeps nothing, so there is nothing to tell of it.
        if (!has(map_heaps[m], "all") || m == 1) continue
        port = file[m] ~ /^maps\/go\//
        for (s = 1; s <= scenario_shapes; s++) {
            name = scenario_shape[s]
            if (scenario_kind[name] ~ /ANY|OTHER/ && !has(map_heaps[m], "any")) continue
            # The ports hash as Go does, except interface values, whose hash depends on what they hold.
            hash = port && scenario_kind[name] != "ANY" ? "native" : "common"
            unit(m, name, hash, "gosim", "operations")
            for (h = 1; h <= scenario_heaps && !port; h++)
                if (has(scenario_heap_shapes[h], name)) unit(m, name, hash, scenario_heap[h], "operations")
        }
    }
    if (as == "rules") printf "all_units :=%s\n", names
    if (as == "heads") printf "all_maps :=%s\n", names
}

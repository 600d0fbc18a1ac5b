# Expands shapes.def x heaps.def x maps.def, and the further units of retention scenarios, into the list of units.
#   awk -f expand_units.awk -v as=FORM [-v libs="boost_192 ..."] shapes.def heaps.def maps.def [local.def] [retention/units.def]
# libs: the folders of deps/libs, each a release of a library beside the system's.
# FORM:
#   def     UNIT(map, shape, hash, heap, what), read by registry.c
#   maps    MAP(map, symbol, heaps) of every map, ALIAS(name, map), PORT and VERSION(name, map, folder) lines, read by registry.c,
#           registry_libraries.c and releases.c
#   rules   unit_NAME := map language file shape hash heap what, read by make; and all_units, their names
#   heads   head_MAP := map language file shape hash, read by make: the first it is compiled for; library_MAP := folder,
#           of those that have one; header_MAP := path, table_MAP := type of header_maps; and all_maps
#   make    map:language:file:shape:hash:heap, one word a unit with loops
#   shapes  the shapes' names
# what: loops, for units that are measured; operations, for those that only scenarios drive.
# A map of another release of Go is named MAP@RELEASE; its file is that of MAP, compiled with MAP_RELEASE, 124 for 1.24.
# A map of a library in deps/libs is named MAP_VERSION; its file is that of MAP, compiled with that library's headers.
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
    if (language[m] != "c" || file[m] ~ /(adapters|headers)\//) return 0
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
function refuse(why) {
    print FILENAME ": " why ": " $0 > "/dev/stderr"
    failed = 1
    exit 1
}
# The line of a map that is named otherwise and has the same file; under the suite's hash a release of Go is no other map.
function renamed(line, name, native) {
    sub(/\([a-z_0-9]+/, "(" name, line)
    if (native) sub(/, *both,/, ", native,", line)
    return line
}
# Expands a map's line, which may not be that in $0.
function add_map(line,    symbol, policies, policy, first, s, p, h) {
    fields(line)
    if (n != 6) refuse("a MAP line needs six fields")
    if (f[1] in of) refuse("there is a map " f[1] " already")
    of[f[1]] = line
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
/^MAP\(/ { add_map($0) }
/^RELEASE\(/ {
    fields($0)
    if (n != 2 || of[f[1]] == "") refuse("a RELEASE line has two fields, the first a map above")
    add_map(renamed(of[f[1]], f[1] "@" f[2], 1))
}
# Of each folder of the library there is a version of the map.
/^LIBRARY\(/ {
    fields($0)
    if (n != 2 || of[f[1]] == "") refuse("a LIBRARY line has two fields, the first a map above")
    base = f[1]
    library = f[2]
    folders = split(libs, folder, " ")
    for (i = 1; i <= folders; i++) {
        if (index(folder[i], library "_") != 1) continue
        version = substr(folder[i], length(library) + 2)
        if (version !~ /^[a-z0-9]+$/) refuse("the folder " folder[i] " is not named " library "_VERSION, with letters and digits")
        add_map(renamed(of[base], base "_" version, 0))
        if (as == "maps") printf "VERSION(\"%s_%s\", \"%s\", \"%s\")\n", base, version, base, folder[i]
        if (as == "heads") printf "library_%s_%s := %s\n", base, version, folder[i]
    }
}
# A header of the user's, driven by the file in maps/headers for its kind.
/^HEADER\(/ {
    fields($0)
    if (n < 3 || n > 4) refuse("a HEADER line has three or four fields: name, kind, path, and the table's type for the kind std")
    if (f[1] !~ /^[a-z][a-z0-9_]*$/) refuse("the map's name is small letters, digits and _")
    if (f[2] !~ /^(std|khash|khashl|verstable)$/) refuse("the kind of a header is std, khash, khashl or verstable")
    if ((f[2] == "std") != (n == 4)) refuse(f[2] == "std" ? "the kind std needs the table's type as a fourth field" : "only the kind std has a fourth field")
    if (f[3] !~ /^[A-Za-z0-9_.\/+@-]+$/) refuse("the path of a header is letters, digits and any of _ . / + @ -")
    if (n == 4 && f[4] !~ /^[A-Za-z_][A-Za-z0-9_:]*$/) refuse("the table's type is a template's name such as ankerl::unordered_dense::map")
    if (as == "heads") printf "header_maps += %s\nheader_%s := %s\ntable_%s := %s\n", f[1], f[1], f[3], f[1], n == 4 ? f[4] : ""
    add_map("MAP(" f[1] ", " (f[2] == "std" ? "cxx" : "c") ", maps/headers/" f[2] ".h, ALL, " (f[2] == "std" ? "both" : "common") ", malloc)")
}
/^ALIAS\(/ {
    fields($0)
    if (as == "maps") printf "ALIAS(\"%s\", \"%s\")\n", f[1], f[2]
}
/^PORT\(/ {
    fields($0)
    if (n != 7) refuse("a PORT line needs seven fields")
    if (as == "maps") {
        line = ""
        for (i = 1; i <= n; i++) line = line (i > 1 ? ", " : "") "\"" f[i] "\""
        printf "PORT(%s)\n", line
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
    if (failed) exit 1
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

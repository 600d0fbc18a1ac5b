# Expands units.def into the units of retention scenarios, all on the gosim heap.
#   awk -f expand_units.awk -v as=def units.def    the lines of retention_units.def, read by units.c
#   awk -f expand_units.awk -v as=make units.def   one word a unit, map:c:file:shape:hash:gosim, read by the Makefile
function fields(line) {
    sub(/^[A-Z_]+\(/, "", line)
    sub(/\)[ \t]*$/, "", line)
    n = split(line, f, /,[ \t]*/)
}
/^RETENTION_SHAPE\(/ {
    fields($0)
    shape[++shapes] = f[1]
    kind[f[1]] = f[2]
}
/^RETENTION_MAP\(/ {
    fields($0)
    for (s = 1; s <= shapes; s++) {
        if (index(" " f[3] " ", " " kind[shape[s]] " ") == 0) continue
        # The ports hash as Go does, except interface values, whose hash depends on what they hold.
        hash = f[1] ~ /^go_/ && kind[shape[s]] != "ANY" ? "native" : "common"
        if (as == "def")
            printf "UNIT(%s, %s, %s, gosim)\n", f[1], shape[s], hash
        else
            printf "%s:c:%s:%s:%s:gosim\n", f[1], f[2], shape[s], hash
    }
}

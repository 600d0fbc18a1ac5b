# Names the known ones nearest to unknown names.
#   awk -f nearest.awk -v what=WHO -v names="UNKNOWN ..." < known names, one a line
function least(a, b) { return a < b ? a : b }
# Insertions, deletions and changes of single characters that lead from one to the other.
function distance(a, b,    i, j, n, m, row, above, diagonal) {
    n = length(a); m = length(b)
    for (j = 0; j <= m; j++) row[j] = j
    for (i = 1; i <= n; i++) {
        diagonal = row[0]; row[0] = i
        for (j = 1; j <= m; j++) {
            above = row[j]
            row[j] = least(least(above, row[j - 1]) + 1, diagonal + (substr(a, i, 1) != substr(b, j, 1)))
            diagonal = above
        }
    }
    return row[m]
}
{ known[NR] = $0 }
END {
    count = split(names, unknown, " ")
    for (u = 1; u <= count; u++) {
        best[1] = best[2] = best[3] = 1e9
        for (k = 1; k <= NR; k++) {
            d = distance(unknown[u], known[k])
            for (place = 1; place <= 3 && d >= best[place]; place++);
            if (place > 3) continue
            for (i = 3; i > place; i--) { best[i] = best[i - 1]; near[i] = near[i - 1] }
            best[place] = d; near[place] = known[k]
        }
        print what ": there is no unit " unknown[u] "; the nearest: " near[1] " " near[2] " " near[3]
    }
}

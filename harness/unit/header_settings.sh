#!/usr/bin/env bash
# Writes what a HEADER line of maps.def says as C:  harness/unit/header_settings.sh OUTPUT HEADER [TABLE]
# OUTPUT is touched only when it changes. HEADER_VERSION is "version V, sha256 D": the first thing in the header that looks like
# its version, or "unknown"; and the first digits of its checksum, which differ where the version does not say it.
set -u
output=$1 header=$2 table=${3-}

# A macro for the version as klib has it, three macros as unordered_dense has them, or words in a comment.
version_of() {
    awk '
    /^#[ \t]*define[ \t]+[A-Za-z_]*VERSION_(MAJOR|MINOR|PATCH)[ \t]+[0-9]+/ {
        part = $0
        sub(/^.*VERSION_/, "", part)
        split(part, word, /[ \t]+/)
        if (!(word[1] in macro)) macro[word[1]] = word[2]
    }
    !version && match($0, /VERSION_[A-Z_]+[ \t]+"[A-Za-z0-9._ -]+"/) {
        version = substr($0, RSTART, RLENGTH)
        sub(/^[^"]*"/, "", version)
        sub(/".*/, "", version)
    }
    !version && match($0, /[Vv](ersion|ERSION)?:?[ \t]*v?[0-9]+(\.[0-9]+)+/) {
        version = substr($0, RSTART, RLENGTH)
        sub(/^[^0-9]*/, "", version)
    }
    END {
        if ("MAJOR" in macro) version = macro["MAJOR"] "." (0 + macro["MINOR"]) "." (0 + macro["PATCH"])
        print version ? version : "unknown"
    }' "$1"
}

version="version unknown"
[ ! -f "$header" ] || version="version $(version_of "$header"), sha256 $(sha256sum "$header" | cut -c 1-12)"
{
    printf '#define HEADER_FILE "%s"\n#define HEADER_VERSION "%s"\n' "$header" "$version"
    [ -z "$table" ] || printf '#define HEADER_TABLE %s\n' "$table"
} >"$output.new"
cmp -s "$output.new" "$output" || cp "$output.new" "$output"
rm -f "$output.new"

#!/usr/bin/env bash
# Builds the engine:  build.sh GO EXPERIMENTS WORK OUTPUT
#   GO           a go command          EXPERIMENTS  a value of GOEXPERIMENT, may be empty
#   WORK         folder for the expanded sources and the compiler's cache
# What the compiler complains of goes to stderr; why OUTPUT lacks a part, in one line to stdout.
set -eu
[ $# = 4 ] || { echo "usage: build.sh GO EXPERIMENTS WORK OUTPUT" >&2; exit 2; }
here=$(dirname "$(realpath "$0")")
go=$1 work=$(realpath -m "$3")/$(basename "$4")
output=$(realpath -m "$4")
rm -rf "$work" # a source that was renamed must not stay
mkdir -p "$work" "$(dirname "$output")"
cp "$here"/*.go "$here"/*.s "$here"/go.mod "$work"
sed -n 's/^func make_\([a-z0-9_]*\)(.*/\1/p' "$here/shapes.go" | while read -r shape; do
    for loops in map sync; do
        sed "s/SHAPE/$shape/g" "$here/loops_$loops.go.in" >"$work/loops_${loops}_$shape.go"
    done
done
export GOEXPERIMENT=$2 GOTOOLCHAIN=local GOFLAGS=-mod=mod CGO_ENABLED=0 GOWORK=off GOMAXPROCS=2
GOCACHE=$(realpath -m "$3/cache") GOPATH=$(realpath -m "$3/path")
export GOCACHE GOPATH
unset GOROOT
cd "$work"
if ! said=$("$go" env GOVERSION 2>&1); then
    case $2 in *noswissmap* | *nosynchashtriemap*) said+="; the classic maps left Go with 1.26" ;; esac
    echo "  $4: $(GOEXPERIMENT='' "$go" env GOVERSION) refuses GOEXPERIMENT=$2: ${said#go: }" >&2
    exit 1
fi
[ -e "$GOCACHE/.$said" ] || echo "  (the first build with $said compiles Go's library, too: one to two minutes)"
# The traces read a variable of the runtime, which a release may move: without them everything else still works.
if ! "$go" build -p 2 -trimpath -tags trace -ldflags=-checklinkname=0 -o "$output" . 2>"$work/errors"; then
    "$go" build -p 2 -trimpath -o "$output" .
    echo "  $4 has no traces of its map: $(grep -m 1 -v '^#' "$work/errors")"
fi
touch "$GOCACHE/.$said"

#!/usr/bin/env bash
# Releases of libraries beside the system's, and headers of the user's, as maps: what a line and a folder become, what is said
# of those that cannot be used, and `run --libs`. In a copy of the project, with a folder of libraries made up here.
# usage: test_libraries.sh BUILD      Processor time: at most 300 s.
set -u
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
build=${1:?usage: test_libraries.sh BUILD}
build=$(realpath --relative-to=. "$build")
[[ $build != /* && $build != ../* ]] || { echo "the build is outside the project"; exit 77; }
# shellcheck source=tests/support/shell_tools.sh
source tests/support/shell_tools.sh
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES BUILD SELECT LIBS_FOLDER

# --- lines and folders, expanded -----------------------------------------------------------------------------------------
# expand LIBS LINE...: what the maps of these lines become.
expand() {
    printf '%s\n' "${@:2}" >"$scratch/lines.def"
    awk -f harness/unit/expand_units.awk -v as=maps -v libs="$1" harness/shapes/shapes.def harness/heaps/heaps.def "$scratch/lines.def" 2>&1
}
boost='MAP(boost_flat, cxx, maps/adapters/boost_flat.h, ALL, both, malloc)'
gives 0 '^VERSION\("boost_flat_192", "boost_flat", "boost_192"\)$' expand 'absl_2026 boost_192' "$boost" 'LIBRARY(boost_flat, boost)'
gives 0 '^MAP\("boost_flat_192", boost_flat_192, "malloc"\)$' expand 'absl_2026 boost_192' "$boost" 'LIBRARY(boost_flat, boost)'
if grep -q 'absl' "$scratch/output"; then fail "a folder of another library became a version of boost_flat"; else pass; fi
gives 0 '^MAP\("boost_flat"' expand '' "$boost" 'LIBRARY(boost_flat, boost)'
if grep -q VERSION "$scratch/output"; then fail "a version without a folder"; else pass; fi
gives 1 'the folder boost_1.92 is not named boost_VERSION' expand boost_1.92 "$boost" 'LIBRARY(boost_flat, boost)'
gives 1 'a LIBRARY line has two fields, the first a map above: LIBRARY\(absent, boost\)' expand '' "$boost" 'LIBRARY(absent, boost)'
gives 1 'needs the table.s type as a fourth field: HEADER\(a, std, a.hpp\)' expand '' 'HEADER(a, std, a.hpp)'
gives 1 'only the kind std has a fourth field' expand '' 'HEADER(a, khash, a.h, table)'
gives 1 'the kind of a header is std, khash, khashl or verstable' expand '' 'HEADER(a, uthash, a.h)'
gives 1 'the path of a header is letters' expand '' 'HEADER(a, khash, my folder/a.h)'
gives 1 'the map.s name is small letters' expand '' 'HEADER(A-1, khash, a.h)'
gives 1 'the table.s type is a template' expand '' 'HEADER(a, std, a.hpp, table<int>)'
gives 1 'three or four fields' expand '' 'HEADER(a)'
gives 1 'there is a map boost_flat already' expand '' "$boost" 'HEADER(boost_flat, khash, a.h)'

# --- what a header says of its version -----------------------------------------------------------------------------------
# version_of TEXT: what is read from a header of that text, without the checksum.
version_of() {
    printf '%s\n' "$@" >"$scratch/header.h"
    harness/unit/header_settings.sh "$scratch/settings.h" "$scratch/header.h" &&
        sed -n 's/^#define HEADER_VERSION "\(.*\), sha256 [0-9a-f]\{12\}"$/\1/p' "$scratch/settings.h"
}
gives 0 '^version 4.8.1$' version_of '#define DENSE_VERSION_MAJOR 4 // x' '#define DENSE_VERSION_MINOR 8' '#define DENSE_VERSION_PATCH 1'
gives 0 '^version 0.2.8$' version_of '#define AC_VERSION_KHASH_H "0.2.8"'
gives 0 '^version r41$' version_of '#define AC_VERSION_KHASHL_H "r41"'
gives 0 '^version 1.7.1$' version_of '// a map for C++17' '// version 1.7.1'
gives 0 '^version 2.1.0$' version_of '/*---- SOMETABLE Version v2.1.0 ----'
gives 0 '^version unknown$' version_of '#pragma once' 'int map;'
check "a header that is not there" harness/unit/header_settings.sh "$scratch/settings.h" "$scratch/absent.h"
gives 0 '^#define HEADER_VERSION "version unknown"$' cat "$scratch/settings.h"

# --- the copy ------------------------------------------------------------------------------------------------------------
copy=$scratch/project
mkdir -p "$copy/$build/units"
git ls-files -z --cached --others --exclude-standard 2>/dev/null | xargs -0r cp -p --parents -t "$copy"
[[ -e $copy/Makefile ]] || { echo "the sources are no git checkout"; exit 77; }
[[ ! -d deps ]] || ln -s "$(realpath deps)" "$copy/deps"
cp -rp "$build"/{gen,harness,heads,shapes,mapbench,libmemcount.so} "$copy/$build" || exit 1
settings() { sed -n "s/^#define BUILD_MAKE_SETTINGS .*\"$1=\([^\"]*\)\".*/\1/p" "$build/gen/build_info.h"; }
cd "$copy" || exit 1
mapbench=$copy/$build/mapbench
compilers=(CC="$(settings CC)" CXX="$(settings CXX)" MARCH="$(settings MARCH)" SANITIZE="$(settings SANITIZE)" SKIP_DEPS=1 BUILD="$build")
export LIBS_FOLDER=$scratch/libs # what the program calls make with has it from here
make_in_copy() { make "${compilers[@]}" "$@"; }
# has PATTERN...: the output of the last command has them.
has() { local p; for p in "$@"; do if grep -qE -- "$p" "$scratch/output"; then pass; else fail "no '$p' in: $(tail -n 20 "$scratch/output")"; fi; done; }
is() { if [[ $1 == "$2" ]]; then pass; else fail "'$1' is not '$2'"; fi; }

# Without a library, --libs says what to do; it is no option of other commands.
mkdir "$LIBS_FOLDER"
check "the program is built without a library" make_in_copy program
refused "no library is unpacked beside the system's: make libs" plan --libs newest
refused "libs" list --libs newest

# libstdc++ twice, the compiler's own headers under other numbers; a folder of a library without a map is no matter.
own=$(printf '#include <unordered_map>\n' | "$(settings CXX)" -x c++ -M - | tr ' ' '\n' | sed -n 's|/unordered_map$||p' | head -n 1)
arch=$(printf '#include <bits/c++config.h>\n' | "$(settings CXX)" -x c++ -M - | tr ' ' '\n' | sed -n 's|/bits/c++config.h$||p' | head -n 1)
[[ -d $own && -d $arch ]] || { echo "skipped: the headers of $(settings CXX)'s C++ library are not found"; own=; }
if [[ $own ]]; then
    for number in 9 10; do
        mkdir -p "$LIBS_FOLDER/libstdc++_$number/include"
        ln -s "$(realpath "$own")" "$LIBS_FOLDER/libstdc++_$number/include/c++"
        ln -s "$(realpath "$arch")" "$LIBS_FOLDER/libstdc++_$number/include/arch"
        echo "libstdc++-$number-dev=$number.1.0-2" >"$LIBS_FOLDER/libstdc++_$number/package"
    done
    mkdir -p "$LIBS_FOLDER/qt_6/include"
fi

# Headers of four kinds, and three that are none; the lines stand in a file of the user's own.
here=$copy/tests/support/headers
printf '#pragma once\nint nothing = ;\n' >"$scratch/broken.hpp"
cat >maps/local.def <<DEF
HEADER(own_khashl, khashl, tests/support/headers/khashl_like.h)
HEADER(own_std, std, $here/std_like.hpp, like::table)
HEADER(own_verstable, verstable, $here/verstable_like.h)
HEADER(own_absent, khash, $scratch/absent.h)
HEADER(own_broken, std, $scratch/broken.hpp, like::table)
HEADER(own_other, std, $here/std_like.hpp, like::tabel)
DEF
khash=
[[ ! -e /usr/include/htslib/khash.h ]] || { khash=own_khash; echo "HEADER(own_khash, khash, /usr/include/htslib/khash.h)" >>maps/local.def; }
check "the program is built with libraries and headers" make_in_copy -j2 program
expect 0 'own_absent .*absent.h' list maps
has "unavailable: $scratch/absent.h is not there: its HEADER line in maps/maps.def or maps/local.def names it" \
    "unavailable: does not compile: .*broken.hpp:2:.*error" "unavailable: does not compile: .*error: .*tabel"
"$mapbench" list maps --json >"$scratch/maps.json" || fail "list maps --json"
# of MAP FIELD: what `list maps --json` says of it.
of() { python3 -c 'import json, sys
print(*[m[sys.argv[3]] for m in json.load(open(sys.argv[1])) if m["name"] == sys.argv[2]])' "$scratch/maps.json" "$1" "$2"; }
is "$(of own_std available)" True
is "$(of own_other available)" False
is "$(of own_khashl library)" None
expect 0 'version 3.1.4, sha256 [0-9a-f]{12}$' explain own_std
expect 0 'version like-1, sha256' explain own_khashl
expect 0 'version 0.1.2, sha256' explain own_verstable

# One that is mended is found by the next make, one whose line names another header too.
printf '#pragma once\n#include "%s"\n' "$here/std_like.hpp" >"$scratch/broken.hpp"
check "the program is built with a header that was mended" make_in_copy program
"$mapbench" list maps --json >"$scratch/maps.json" || fail "list maps --json"
is "$(of own_broken available)" True
printf '#pragma once\nint nothing = ;\n' >"$scratch/other.hpp"
sed -i "s#$scratch/broken.hpp#$scratch/other.hpp#" maps/local.def
check "the program is built with a line that was changed" make_in_copy program
expect 0 "unavailable: does not compile: .*other.hpp:2:.*error" list maps

# They are right under the model test, and run beside the others; those that cannot cost themselves only.
own_maps="own_khashl|own_std|own_verstable${khash:+|$khash}"
expect 0 '^[0-9]+ units passed' selftest --filter "^($own_maps)/u64_u64/common/malloc$"
# shellcheck disable=SC2054 # a comma is part of its word
measure=(--shapes u64_u64 --workloads put_grow,get --n 256 --repeat 1 --batches 1 --figures no --progress off)
expect 4 '^mapbench: skipped: own_broken-u64_u64-common-malloc: does not compile' run --maps "linear,own_broken,${own_maps//|/,}" "${measure[@]}" --out "$scratch/own"
# maps_of FOLDER: the maps with a time.
maps_of() { python3 -c 'import json, sys
print(*sorted({r["map"] for r in map(json.loads, open(sys.argv[1] + "/rows.jsonl")) if r["kind"] == "time" and r["workload"] == "get"}))' "$1"; }
is "$(maps_of "$scratch/own")" "$(tr ' ' '\n' <<<"linear null ${own_maps//|/ }" | sort | xargs)"

if [[ $own ]]; then
    is "$(of std_umap_10 library)" libstdc++_10
    expect 0 'library +libstdc\+\+_9$' explain std_umap_9
    refused "unknown library 'libstdc++_11': did you mean 'libstdc++_10'" plan --libs libstdc++_11
    # The newest by number, beside the system's; all; one by name; and none unless asked for.
    planned() { "$mapbench" plan --json --shapes u64_u64 --workloads get --n 256 "$@" | python3 -c 'import json, sys
print(*sorted({c["map"] for c in json.load(sys.stdin)["cells"]}))'; }
    is "$(planned --maps linear,std_umap --libs newest)" "linear null std_umap std_umap_10"
    is "$(planned --maps linear,std_umap --libs all)" "linear null std_umap std_umap_10 std_umap_9"
    is "$(planned --maps linear,std_umap --libs libstdc++_9)" "linear null std_umap std_umap_9"
    is "$(planned --maps linear --libs newest)" "linear null"
    is "$(planned --maps linear,std_umap_9)" "linear null std_umap_9"
    is "$(planned --maps adapters | tr ' ' '\n' | grep std_umap | xargs)" std_umap
    is "$(planned --maps adapters --libs newest | tr ' ' '\n' | grep std_umap | xargs)" "std_umap std_umap_10"
    expect 0 '^std_umap_10 ' run --maps std_umap --libs newest "${measure[@]}" --out "$scratch/run"
    is "$(maps_of "$scratch/run")" "null std_umap std_umap_10"
    # The results name the library and the version of its package.
    is "$(python3 -c 'import json, sys
print(*[(m["library"], m["version"]) for m in json.load(open(sys.argv[1] + "/run.json"))["maps"] if m["name"] == "std_umap_10"])' "$scratch/run")" \
        "('libstdc++_10', '10.1.0-2')"
    # A library that goes away takes its map with it.
    rm -r "$LIBS_FOLDER/libstdc++_10"
    check "the program is built after a library went" make_in_copy program
    expect 0 '^[0-9]+ cells' plan --maps std_umap --libs newest
    refused "unknown map 'std_umap_10'" plan --maps std_umap_10
fi

finish

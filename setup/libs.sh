#!/usr/bin/env bash
# Newer releases of libraries, beside the system's:  setup/libs.sh [LIBRARY[=VERSION]...]     (make libs)
#
# Unpacks boost, absl and libstdc++, or those that are named, as the newest suite of Debian has them into
# deps/libs/LIBRARY_VERSION, such as deps/libs/boost_192; nothing is installed, and the system's libraries stay what they are.
# Each folder becomes a version of the maps whose LIBRARY line in maps/maps.def names it: boost_flat_192. In a folder:
#   include/       headers; for libstdc++ c++/ and arch/, which take the place of the compiler's own
#   lib/           static libraries, linked where there are any; absl's is compiled here, of Debian's source package
#   package        name=version of the Debian package, for the results
# Exit codes: 0 all that was asked for is there, 2 usage, 4 something cannot be had here; the others are unpacked.
# Variables: CXX, the compiler that has to understand the headers (g++); LIBS_FOLDER, where they go (deps/libs).
set -u
cd "$(dirname "$0")/.." || exit 4
# shellcheck source=setup/archive.sh
source setup/archive.sh

libraries=(boost absl libstdc++)
suites=(forky trixie-backports trixie) # the newest first
libs=${LIBS_FOLDER:-deps/libs}
read -r -a compiler <<<"${CXX:-g++}"

say() { printf 'libs: %s\n' "$*"; }
usage() {
    echo "libs: $1; usage: setup/libs.sh [LIBRARY[=VERSION]...], of ${libraries[*]}, such as boost=1.90" >&2
    exit 2
}

# The packages of a library in the open suite, the newest first: name, its upstream version, and the short one of the folder.
packages_of() {
    case $1 in
    boost) apt_suite cache search --names-only '^libboost1\.[0-9]+-dev$' |
        sed -n 's/^\(libboost\(1\)\.\([0-9]*\)-dev\) .*/\1 \2.\3 \2\3/p' | sort -t ' ' -k 2,2Vr ;;
    libstdc++) apt_suite cache search --names-only '^libstdc\+\+-[0-9]+-dev$' |
        sed -n 's/^\(libstdc++-\([0-9]*\)-dev\) .*/\1 \2 \2/p' | sort -t ' ' -k 2,2nr ;;
    absl) apt_suite cache show libabsl-dev 2>/dev/null |
        sed -n 's/^Version: \(\(....\)[0-9.]*\).*/libabsl-dev \1 \2/p' | head -n 1 ;;
    esac
}

# The file that a library is taken for.
header_of() {
    case $1 in
    boost) echo boost/unordered/unordered_flat_map.hpp ;;
    absl) echo absl/container/flat_hash_map.h ;;
    libstdc++) echo unordered_map ;;
    esac
}

# includes LIBRARY FOLDER: the compiler's options that make it read the library there.
includes() {
    case $1 in
    libstdc++) echo "-nostdinc++ -isystem $2/include/c++ -isystem $2/include/arch" ;;
    *) echo "-isystem $2/include" ;;
    esac
}

# Whether the compiler takes the library's header. Otherwise $log has its first error line.
compiles() {
    local library=$1 folder=$2
    # shellcheck disable=SC2046 # options are words
    printf '#include <%s>\n' "$(header_of "$library")" |
        "${compiler[@]}" -std=gnu++20 -fsyntax-only $(includes "$library" "$folder") -x c++ - >"$log" 2>&1
}

# make_shareable FOLDER: units are shared objects, and Debian's static libraries are code for programs. What of absl a map
# needs, as linking a program shows, is compiled anew from the source package into the one archive of FOLDER/lib; what that
# needs in turn, too, until nothing is taken from Debian's any more.
make_shareable() {
    local folder=$1 work="$1/work" source object objects=() sources
    mkdir "$work" && (cd "$work" && apt_suite get source --download-only -q abseil) >"$log" 2>&1 &&
        tar -xf "$work"/*.orig.tar.* -C "$work" >>"$log" 2>&1 || return 1
    while mapfile -t sources < <(needed_sources "$folder" "$work/map" "${objects[@]}") && [ ${#sources[@]} -gt 0 ]; do
        for source in "${sources[@]}"; do
            object="$work/${#objects[@]}.o"
            "${compiler[@]}" -std=gnu++20 -O2 -DNDEBUG -fPIC -isystem "$folder/include" -c "$source" -o "$object" >"$log" 2>&1 || return 1
            objects+=("$object")
        done
    done
    rm -f "$folder"/lib/*.a
    [ ${#objects[@]} -gt 0 ] && ar rcs "$folder/lib/libabsl.a" "${objects[@]}" && rm -rf "$work"
}

# The sources of what a program with a map and these objects takes from FOLDER's archives. What it wants of a newer C library
# is no matter here.
needed_sources() {
    local folder=$1 listing=$2 name
    printf '#include <%s>\n#include <string_view>\nint main(int n, char **) { absl::flat_hash_map<std::string_view, int> map; return map["a"] + n; }\n' \
        "$(header_of absl)" |
        "${compiler[@]}" -std=gnu++20 -isystem "$folder/include" -x c++ - -x none "${@:3}" -o "$listing.program" "-Wl,-Map,$listing" \
            -Wl,--unresolved-symbols=ignore-all -Wl,--start-group "$folder"/lib/*.a -Wl,--end-group >"$log" 2>&1 || return 1
    while read -r name; do
        find "$folder/work" -path '*/absl/*' -name "$name" ! -path '*/absl/random/*' ! -path '*/absl/log/*'
    done < <(sed -n 's/^[^ ]*libabsl_[^ ]*(\([^ ]*\.cc\)\.o)$/\1/p' "$listing" | sort -u)
}

# arrange LIBRARY UNPACKED FOLDER: what is needed of an unpacked package.
arrange() {
    local library=$1 from=$2/usr to=$3 found
    mkdir -p "$to/include"
    case $library in
    boost) mv "$from/include/boost" "$to/include/" ;;
    absl)
        mv "$from/include/absl" "$to/include/" && mkdir "$to/lib" && mv "$from"/lib/*/*.a "$to/lib/" && make_shareable "$to" ;;
    libstdc++)
        found=("$from"/include/c++/* "$from"/include/*/c++/*)
        [ ${#found[@]} = 2 ] && mv "${found[0]}" "$to/include/c++" && mv "${found[1]}" "$to/include/arch" ;;
    esac
}

# unpack LIBRARY PACKAGE SHORT: into $libs/LIBRARY_SHORT. 1: it cannot be had; 3: the compiler does not take it, as $log says.
unpack() {
    local library=$1 package=$2 target="$libs/$1_$3" scratch status=1 version
    scratch=$(mktemp -d "$top/XXXX") && chmod 755 "$scratch" || return 1
    (cd "$scratch" && apt_suite get download -q "$package") >"$log" 2>&1 || return 1
    version=$(dpkg-deb -f "$scratch"/*.deb Version 2>>"$log") && dpkg-deb -x "$scratch"/*.deb "$scratch/unpacked" 2>>"$log" || return 1
    if arrange "$library" "$scratch/unpacked" "$scratch/ready" 2>>"$log"; then
        status=3
        compiles "$library" "$scratch/ready" && status=0
    fi
    if [ $status = 0 ]; then
        echo "$package=$version" >"$scratch/ready/package"
        rm -rf "$target" && mkdir -p "$libs" && mv "$scratch/ready" "$target" || status=1
    fi
    rm -rf "$scratch"
    return $status
}

# get LIBRARY VERSION, which may be empty for the newest that the compiler understands.
get() {
    local library=$1 wanted=$2 suite package version short known=""
    for suite in "${suites[@]}"; do
        read_suite "$suite" || continue
        while read -r package version short; do
            known+=" $version"
            [ -z "$wanted" ] || [ "$version" = "$wanted" ] || continue
            [ ! -e "$libs/${library}_$short/package" ] || { say "$library $version is in $libs/${library}_$short"; return 0; }
            unpack "$library" "$package" "$short"
            case $? in
            0)
                say "$library $version unpacked into $libs/${library}_$short"
                return 0
                ;;
            3) say "$library $version passed over: ${compiler[*]} does not take its headers ($(sed -n 's|^.*/ready/include/||; /error/ { p; q }' "$log"))" ;;
            *) say "$library $version cannot be had: $(grep -m 1 -E '^E:|rror' "$log")" ;;
            esac
        done < <(packages_of "$library")
    done
    if [ -z "$known" ]; then
        say "$library cannot be had here (optional, no version of its maps beside the system's): $(grep -m 1 -E '^E:|rror' "$log")"
    elif [ -n "$wanted" ]; then
        say "$library $wanted cannot be had here; there are: $(tr ' ' '\n' <<<"$known" | sort -uVr | xargs)"
    fi
    return 4
}

# Each suite's lists are read once.
read_suite() {
    use_suite "$1" "$top/$1" deb-src 2>"$log" || return 1
    [ ! -e "$top/$1/failed" ] || return 1
    [ ! -e "$top/$1/read" ] || return 0
    say "reading what $1 has"
    if apt_suite get update -q >"$log" 2>&1; then
        touch "$top/$1/read"
    else
        say "$1 cannot be read: $(grep -m 1 '^[EW]:' "$log")"
        touch "$top/$1/failed"
        return 1
    fi
}

[ $# -gt 0 ] || set -- "${libraries[@]}"
for word; do
    [[ " ${libraries[*]} " == *" ${word%%=*} "* ]] || usage "there is no library '${word%%=*}'"
    [[ $word != *= ]] || usage "'$word' names no version"
done
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    say "no apt-get here: unpack a library into $libs/LIBRARY_VERSION/include by hand, such as $libs/boost_192/include/boost"
    exit 4
fi
log=$(mktemp) && top=$(mktemp -d) && chmod 755 "$top" || exit 4
trap 'rm -rf "$log" "$top"' EXIT
status=0
for word; do
    version=""
    [[ $word != *=* ]] || version=${word#*=}
    get "${word%%=*}" "$version" || status=4
done
exit $status

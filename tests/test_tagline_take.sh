#!/usr/bin/env bash
# maps/tagline/tagline.h as other projects take it: alone, by every compiler here with all warnings, as C11 and as C++; the examples,
# against what their heads say they print; and its fuzz target, some inputs of seeds that are printed, under sanitizers.
#   tests/test_tagline_take.sh BUILD
set -u
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
# shellcheck source=tests/support/shell_tools.sh
source tests/support/shell_tools.sh
warnings=(-Wall -Wextra -Wshadow -Wpointer-arith -Wconversion -pedantic -Werror)
INPUTS=8

languages=("gcc -std=c11" "g++ -x c++ -std=c++17" "g++ -x c++ -std=c++20")
if command -v clang >/dev/null; then
    languages+=("clang -std=c11" "clang++ -x c++ -std=c++17")
else
    echo "skipped: clang is not installed"
fi

# compile LANGUAGE FILE... : every example and test in that language, into $scratch/program.
compile() {
    local language
    read -ra language <<<"$1"
    "${language[@]}" "${warnings[@]}" "${lenient[@]}" -O1 -Imaps/tagline "${@:2}" -o "$scratch/program"
}

# What an example says that it prints, in its head.
promised() { sed -n '/^ \* Prints:/,/^ \*\//{ /Prints:/d; /\*\/$/d; s/^ \* \{0,1\}//; p; }' "$1"; }

for file in maps/tagline/examples/*.c; do
    name=$(basename "$file" .c)
    sources=("$file") lenient=()
    case $name in
    split_functions) continue ;; # with split_main
    split_main) sources+=(maps/tagline/examples/split_functions.c) ;;
    from_*)
        lenient=(-Wno-conversion -Wno-sign-conversion) # the other side's macros convert
        library=$(sed -n 's/^#include <\(.*\(uthash\|khash\|stb_ds\).*\)>$/\1/p' "$file")
        [[ -e /usr/include/$library ]] || { echo "skipped: $name: no $library"; continue; }
        ;;
    esac
    for language in "${languages[@]}"; do
        # The macros of the others are C, of stb_ds with GNU's extensions.
        [[ $name == from_* && $language == *c++* ]] && continue
        [[ $name != from_stb_ds ]] || language=${language/c11/gnu11}
        check "$name by $language" compile "$language" "${sources[@]}"
        check "$name by $language prints what it says" diff <("$scratch/program") <(promised "$file")
    done
    check "$name says what it prints" test -n "$(promised "$file")"
done

# refuses WHAT SETTINGS: the header says so, and does not compile.
refuses() {
    printf '%b\n' "$2" '#include "tagline.h"' >"$scratch/refused.c"
    gives 1 "error: .*$1" gcc -std=c11 -Imaps/tagline -fsyntax-only "$scratch/refused.c"
}
name='#define TAGLINE_NAME m\n' key='#define TAGLINE_KEY unsigned\n' hash='#define TAGLINE_HASH(key) tagline_hash_u64(key)\n'
refuses "define TAGLINE_NAME, TAGLINE_KEY" "$key$hash"
refuses "define TAGLINE_HASH\\(key\\): 64 bits" "$name$key"
refuses "not both" "$name$key$hash#define TAGLINE_SEEDED_HASH(key, seed) tagline_seeded_u64(key, seed)"
refuses "or none of them" "$name$key$hash#define TAGLINE_DELETE(map, address) ((void)(address))"
refuses "define TAGLINE_ADOPT" "$name$key$hash#define TAGLINE_BOUNDED\n#define TAGLINE_FIELDS void *pool;"
refuses "malloc does not align such entries" "struct wide { _Alignas(64) char c; };\n#define TAGLINE_VALUE struct wide\n$name$key$hash"

for variant in "" -DFUZZ_SET -DFUZZ_ODD -DTAGLINE_PORTABLE -DFUZZ_BOUNDED "-DFUZZ_BOUNDED -DFUZZ_SET" "-DFUZZ_BOUNDED -DFUZZ_ODD"; do
    read -ra defines <<<"$variant"
    check "fuzz target $variant" gcc -std=gnu17 -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all "${defines[@]}" -I. \
        tests/fuzz/tagline.c -o "$scratch/fuzz"
    check "$INPUTS inputs, every allocation failing, $variant" "$scratch/fuzz" 1 "$INPUTS"
done
finish

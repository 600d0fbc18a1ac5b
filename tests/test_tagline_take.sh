#!/usr/bin/env bash
# maps/tagline/tagline.h as other projects take it: alone, by every compiler here with all warnings, as C11 and as C++; the examples,
# against what their heads say they print; and its fuzz target, some inputs of seeds that are printed, under sanitizers.
#   tests/test_tagline_take.sh BUILD
set -u
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
# shellcheck source=tests/support/shell_tools.sh
source tests/support/shell_tools.sh
warnings=(-Wall -Wextra -Wshadow -Wpointer-arith -pedantic -Werror)
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
    "${language[@]}" "${warnings[@]}" -O1 -Imaps/tagline "${@:2}" -o "$scratch/program"
}

# What an example says that it prints, in its head.
promised() { sed -n '/^ \* Prints:/,/^ \*\//{ /Prints:/d; /\*\/$/d; s/^ \* \{0,1\}//; p; }' "$1"; }

for file in maps/tagline/examples/*.c; do
    name=$(basename "$file" .c)
    sources=("$file")
    case $name in
    split_functions) continue ;; # with split_main
    split_main) sources+=(maps/tagline/examples/split_functions.c) ;;
    from_*)
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

for variant in "" -DFUZZ_SET -DFUZZ_ODD -DTAGLINE_PORTABLE; do
    check "fuzz target $variant" gcc -std=gnu17 -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all ${variant:+"$variant"} -I. \
        tests/fuzz/tagline.c -o "$scratch/fuzz"
    check "$INPUTS inputs, every allocation failing, $variant" "$scratch/fuzz" 1 "$INPUTS"
done
finish

#!/usr/bin/env bash
# setup/libs.sh against stand-ins for apt-get, apt-cache, dpkg-deb and the compiler: which release it takes of which suite, what
# it passes over, what it leaves behind, what it says and how it ends. Usage: tests/test_libs_setup.sh [BUILD], not needed.
set -u
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
# shellcheck source=tests/support/shell_tools.sh
source tests/support/shell_tools.sh
unset LIBS_FOLDER
mkdir -p "$scratch/bin" "$scratch/tree"
cp -r setup "$scratch/tree/"

# State in files: suite.NAME (package and version a line), `broken` (suites that cannot be read), `calls`; which numbers of
# libstdc++ the compiler does not take, in `too_new`.
stand_in() {
    cat >"$scratch/bin/$1"
    chmod +x "$scratch/bin/$1"
}
stand_in apt-get <<'S'
#!/usr/bin/env bash
[ "$1" = indextargets ] && { [ -e "$STATE/no_archive" ] || echo "Debian http://archive/debian/"; exit; }
suite= words=()
for word; do
    case $word in
    Dir::Etc::sourcelist=*) suite=$(sed -n 's/^Suites: //p' "${word#*=}") ;;
    -* | *=*) ;;
    *) words+=("$word") ;;
    esac
done
echo "$suite ${words[*]}" >>"$STATE/calls"
if grep -qx "$suite" "$STATE/broken"; then echo "E: The repository $suite is not to be had"; exit 100; fi
case ${words[0]} in
download)
    grep -q "^${words[1]} " "$STATE/suite.$suite" || { echo "E: Unable to locate package ${words[1]}"; exit 100; }
    grep "^${words[1]} " "$STATE/suite.$suite" >"${words[1]}.deb" ;;
source) mkdir -p t/absl && echo >t/absl/hash.cc && echo >t/absl/city.cc && tar -czf abseil.orig.tar.gz t ;;
esac
S
stand_in apt-cache <<'S'
#!/usr/bin/env bash
for word; do [[ $word != Dir::Etc::sourcelist=* ]] || suite=$(sed -n 's/^Suites: //p' "${word#*=}"); done
case " $* " in
*" search "*) grep -E "${@: -1}" <(sed 's/ .*//' "$STATE/suite.$suite") | sed 's/$/ - a library/' ;;
*" show "*) sed -n "s/^${*: -1} /Version: /p" "$STATE/suite.$suite" ;;
esac
S
stand_in dpkg-deb <<'S'
#!/usr/bin/env bash
case $1 in
-f) sed 's/.* //' "$2" ;;
-x)
    case $2 in
    */libboost*) mkdir -p "$3/usr/include/boost" ;;
    */libabsl*) mkdir -p "$3/usr/include/absl" "$3/usr/lib/arch" && echo >"$3/usr/lib/arch/libabsl_hash.a" ;;
    *) number=$(sed 's/.*++-\([0-9]*\)-.*/\1/' <<<"$2")
        mkdir -p "$3/usr/include/c++/$number" "$3/usr/include/arch/c++/$number" && echo "$number" >"$3/usr/include/c++/$number/number" ;;
    esac ;;
esac
S
stand_in the-compiler <<'S'
#!/usr/bin/env bash
echo "the-compiler $*" >>"$STATE/calls"
previous=
for word; do
    case $word in
    */c++) grep -qx "$(cat "$word/number")" "$STATE/too_new" && { echo "$word/tuple:7: error: not of this standard" >&2; exit 1; } ;;
    -Wl,-Map,*) # hash.cc first, then what that needs, then nothing
        case " $* " in
        *"/1.o "*) echo ;;
        *"/0.o "*) echo "x/libabsl_city.a(city.cc.o)" ;;
        *) echo "x/libabsl_hash.a(hash.cc.o)" ;;
        esac >"${word#-Wl,-Map,}" ;;
    esac
    [ "$previous" != -o ] || echo >"$word"
    previous=$word
done
cat >/dev/null
S
unpack() { rm -rf "$scratch/tree/deps"; again "$@"; }
again() { (cd "$scratch/tree" && : >"$scratch/calls" && STATE="$scratch" CXX=the-compiler PATH="$scratch/bin:$PATH" setup/libs.sh "$@"); }
# said PATTERN: the last command's output has a line.
said() { if grep -qE -- "$1" "$scratch/output"; then pass; else fail "no '$1' in: $(cat "$scratch/output")"; fi; }
is() { if [[ $1 == "$2" ]]; then pass; else fail "'$1' is not '$2': $(cat "$scratch/output")"; fi; }
folders() { (cd "$scratch/tree/deps/libs" 2>/dev/null && echo *); }

printf '%s\n' 'libboost1.90-dev 1.90.0-6' 'libboost1.92-dev 1.92.0-4' 'libboost1.92-tools-dev 1.92.0-4' 'libabsl-dev 20260526.0-2+b1' \
    'libstdc++-9-dev 9.1.0-1' 'libstdc++-13-dev 13.5.0-3' 'libstdc++-16-dev 16.1.0-1' >"$scratch/suite.forky"
echo 'libboost1.95-dev 1.95.0-1' >"$scratch/suite.trixie-backports"
echo 'libboost1.83-dev 1.83.0-1' >"$scratch/suite.trixie"
: >"$scratch/broken"
echo 16 >"$scratch/too_new"

# The newest of the newest suite; what the compiler does not take is passed over.
gives 0 '^libs: boost 1.92 unpacked into deps/libs/boost_192$' unpack
said '^libs: absl 20260526.0 unpacked into deps/libs/absl_2026$'
said '^libs: libstdc\+\+ 16 passed over: the-compiler does not take its headers \(c\+\+/tuple:7: error: not of this standard\)$'
said '^libs: libstdc\+\+ 13 unpacked into deps/libs/libstdc\+\+_13$'
is "$(folders)" "absl_2026 boost_192 libstdc++_13"
is "$(cat "$scratch"/tree/deps/libs/*/package | xargs)" "libabsl-dev=20260526.0-2+b1 libboost1.92-dev=1.92.0-4 libstdc++-13-dev=13.5.0-3"
is "$(grep -c ' update' "$scratch/calls")" 1
is "$(cd "$scratch/tree/deps/libs" && echo boost_192/include/* libstdc++_13/include/* absl_2026/lib/*)" \
    "boost_192/include/boost libstdc++_13/include/arch libstdc++_13/include/c++ absl_2026/lib/libabsl.a"
is "$(ar t "$scratch/tree/deps/libs/absl_2026/lib/libabsl.a" | xargs)" "0.o 1.o"
# What is there stays, another release comes beside it.
gives 0 '^libs: boost 1.92 is in deps/libs/boost_192$' again boost
gives 0 '^libs: boost 1.90 unpacked into deps/libs/boost_190$' again boost=1.90
is "$(folders)" "absl_2026 boost_190 boost_192 libstdc++_13"
gives 0 '^libs: boost 1.83 unpacked' again boost=1.83
# A release that nobody has; a suite that cannot be read costs itself; without an archive nothing is had.
gives 4 '^libs: boost 1.70 cannot be had here; there are: 1.95 1.92 1.90 1.83$' unpack boost=1.70
echo forky >"$scratch/broken"
gives 0 '^libs: boost 1.95 unpacked into deps/libs/boost_195$' unpack boost
said '^libs: forky cannot be read: E: The repository forky is not to be had$'
printf '%s\n' trixie-backports trixie >>"$scratch/broken"
gives 4 '^libs: boost cannot be had here .optional, no version of its maps beside the system.s.' unpack boost
: >"$scratch/broken"
: >"$scratch/no_archive"
gives 4 '^libs: absl cannot be had here .*no Debian archive among this machine' unpack absl
rm "$scratch/no_archive"
# Words that mean nothing.
gives 2 "^libs: there is no library 'qt'; usage: setup/libs.sh" unpack qt
gives 2 "^libs: 'boost=' names no version; usage" unpack boost=
finish

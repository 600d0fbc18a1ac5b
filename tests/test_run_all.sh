#!/usr/bin/env bash
# The runner of the tests, on a tree of tests made for this: what it calls passed, failed and skipped, and that the clock
# decides nothing.
#   tests/test_run_all.sh BUILD
set -u

cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
# shellcheck source=tests/support/shell_tools.sh
source tests/support/shell_tools.sh
tree=$scratch/tree
mkdir -p "$tree/tests/support"
cp tests/run_all.sh "$tree/tests/"
cp tests/support/within.c "$tree/tests/support/"
unset CI JOBS CLOCK

# A program that need not do anything, and tests in C that need nothing else.
cat >"$tree/Makefile" <<'MAKEFILE'
SHELL := /bin/bash
$(shell mkdir -p $(BUILD)/tests $(BUILD)/gen)
$(BUILD)/gen/build_info.h:
	@echo '#define FLAGS "$(if $(SANITIZE),-fsanitize=$(SANITIZE))"' > $@
$(BUILD)/mapbench: broken_program $(BUILD)/gen/build_info.h
	@! grep . broken_program && touch $@
$(BUILD)/tests/%: tests/%.c
	@gcc -D_GNU_SOURCE $< -o $@
# As compile.sh does it: what a unit's compiler said first is in units/NAME.failed.
units: $(BUILD)/units/linear-u64.so $(BUILD)/units/khash-u64.so
$(BUILD)/units/%.so: broken_units
	@mkdir -p $(@D); ! grep -q $* broken_units || { echo "$*.h:1: error: no such thing" | tee $(@:.so=.failed); false; }
	@rm -f $(@:.so=.failed); touch $@
$(BUILD)/tests/within: tests/support/within.c
	@gcc -std=gnu17 -D_GNU_SOURCE $< -o $@
clang-check:
	@true
MAKEFILE
: >"$tree/broken_program"
: >"$tree/broken_units"
mkdir -p "$tree/maps/adapters"
touch "$tree/maps/adapters/khash.h"

script() { # NAME: the body is read
    { echo '#!/usr/bin/env bash'; cat; } >"$tree/tests/$1.sh"
    chmod +x "$tree/tests/$1.sh"
}
c_program() { cat >"$tree/tests/$1.c"; }

# A limit as tests write it in their heads.
one_second='# Processor time: at most 1 s.'
script test_sleeps <<<"$one_second
sleep 3"
script test_sleeps_for_ever <<<"$one_second
sleep 600"
script test_burns <<<"$one_second
while :; do :; done"
# In a process that nobody waits for: the whole tree counts.
script test_burns_apart <<<"$one_second
echo \$\$ >$scratch/apart.pid
(setsid bash -c 'while :; do :; done' & echo \$! >$scratch/orphan.pid)
sleep 600"
script test_leaves_a_process <<<"(setsid sleep 600 & echo \$! >$scratch/left.pid)"
script test_fails <<<'echo "two is not three"; exit 1'
script test_lacks <<<'echo "no anvil here"; exit 77'
script test_lacks_nothing_named <<<'exit 77'
script test_lacks_in_part <<<'echo "skipped: no hammer here"; echo "skipped: no hammer here"; echo "3 passed"'
script test_lacks_in_part_unnamed <<<'echo "skipped:"; echo "3 passed"'
script test_passes <<<'echo good'
for good in test_units test_good; do c_program $good <<<'int main(void) { return 0; }'; done
c_program test_broken <<<'int main(void) { return no_such_name; }'
c_program test_unlinked <<<'int missing_function(void); int main(void) { return missing_function(); }'
c_program test_warned <<<'#warning "no oil here"
int main(void) { return 0; }'
# What cmocka prints of tests that skip.
cmocka() { # NAME LINE...
    local name=$1
    shift
    { echo '#include <stdio.h>'; echo 'int main(void) {'; printf 'puts("%s");\n' "$@"; echo 'return 0; }'; } | c_program "$name"
}
cmocka test_cmocka_lacks '[==========] t: Running 1 test(s).' '[ RUN      ] test_a' 'skipped: no nails here' '[  SKIPPED ] test_a' \
    '[==========] t: 1 test(s) run.' '[  SKIPPED ] t: 1 test(s), listed below:' '[  SKIPPED ] test_a'
cmocka test_cmocka_unnamed '[==========] t: Running 2 test(s).' '[ RUN      ] test_a' 'skipped: no nails here' '[  SKIPPED ] test_a' \
    '[ RUN      ] test_b' '[  SKIPPED ] test_b' '[==========] t: 2 test(s) run.'
cat >"$tree/tests/test_python.py" <<'PYTHON'
import unittest
class T(unittest.TestCase):
    def test_a(self): pass
    @unittest.skip("no saw here")
    def test_b(self): pass
PYTHON
cat >"$tree/tests/test_python_lacks.py" <<'PYTHON'
import unittest
def setUpModule(): raise unittest.SkipTest("no bench here")
class T(unittest.TestCase):
    def test_a(self): pass
PYTHON
echo >"$tree/tests/test_python_empty.py"

runs() { # CODE PATTERN: run_all.sh ends with CODE for the tests of such names
    local got=0
    "$tree/tests/run_all.sh" "$scratch/b" "$2" >"$scratch/output" 2>&1 || got=$?
    if [[ $got == "$1" ]]; then pass; else fail "run_all.sh $2: exit $got, expected $1: $(cat "$scratch/output")"; fi
}
says() { # PATTERN: a line of the output
    if grep -qE -- "$1" "$scratch/output"; then pass; else fail "nothing matches '$1' in: $(cat "$scratch/output")"; fi
}
gone() { # FILE: the process whose number it holds
    if is_gone "$(cat "$1")"; then pass; else fail "$1: process $(cat "$1") still runs"; fi
}

# --- time ---
runs 0 '^test_sleeps$'
says '^ok +[0-9.]+ s +0\.[0-9] cpu  test_sleeps$'
runs 1 '^test_(burns|passes)$'
says '^FAIL .* test_burns: status 124$'
says '\| stopped: used 1\.[0-9] s of processor time, 1 s are allowed$'
says '^ok .* test_passes$'
runs 1 '^test_burns_apart$'
says '\| stopped: used 1\.[0-9] s of processor time, 1 s are allowed$'
gone "$scratch/orphan.pid"
gone "$scratch/apart.pid"
CLOCK=2 runs 1 '^test_sleeps_for_ever$'
says '\| stopped: not at its end after 2 s, with 0\.[0-9] s of processor time$'
runs 0 '^test_leaves_a_process$'
gone "$scratch/left.pid"

# --- what does not build ---
runs 1 '^test_(broken|unlinked|good|passes)$'
says '^FAIL .* test_broken: does not build: tests/test_broken\.c:1:25: error: .*no_such_name'
says '^FAIL .* test_unlinked: does not build: .*undefined reference to .missing_function'
says '^ok .* test_good$'
says '^ok .* test_passes$'
says '^3 passed, 2 failed, 0 skipped$'
# One with a warning.
runs 0 '^test_warned$'
says '^ok .* build-tests$'
says '^    \| tests/test_warned\.c:1:.*warning: .*no oil here'
says '^ok .* test_warned$'
# One that was built before, and does not build any more.
c_program test_good <<<'int main(void) { return 0 }'
touch -d '2000-01-01' "$scratch/b/tests/test_good"
runs 1 '^test_good$'
says '^FAIL .* test_good: does not build: tests/test_good\.c:1:.*error'
echo 'no rule' >"$tree/broken_program"
rm "$scratch/b/mapbench"
runs 1 '^test_passes$'
says '^FAIL .* build-tests: status 2$'
says '^the program does not build'
: >"$tree/broken_program"

# A unit of ours, and one that stands on a library.
runs 0 '^build-units$'
says '^ok .* build-units$'
echo 'linear-u64 khash-u64' >"$tree/broken_units"
runs 1 '^(build-units|test_passes)$'
says '^FAIL .* build-units linear-u64: does not compile: linear-u64\.h:1: error: no such thing$'
says '^skip .* build-units khash-u64: does not compile: khash-u64\.h:1: error: no such thing$'
says '^ok .* test_passes$'
: >"$tree/broken_units"

# --- what fails, what is skipped ---
runs 1 '^test_fails$'
says '^FAIL .* test_fails: status 1$'
says '^    \| two is not three$'
runs 0 '^(test_lacks|test_passes|test_python_lacks)$'
says '^skip .* test_lacks: no anvil here$'
says '^skip .* test_python_lacks: no bench here$'
says '^2 passed, 0 failed, 2 skipped$'
runs 1 '^test_lacks_nothing_named$'
says '^FAIL .* test_lacks_nothing_named: skipped without a reason$'
runs 0 '^(test_lacks_in_part|test_python|test_cmocka_lacks)$'
says '^ok .* test_lacks_in_part: skipped in part: no hammer here$'
says '^ok .* test_python: skipped in part: no saw here$'
says '^ok .* test_cmocka_lacks: skipped in part: no nails here$'
runs 1 '^test_(lacks_in_part|cmocka)_unnamed$'
says '^FAIL .* test_lacks_in_part_unnamed: skipped in part without a reason$'
says '^FAIL .* test_cmocka_unnamed: skipped in part without a reason$'
runs 1 '^test_python_empty$'
says '\| no test in tests/test_python_empty\.py$'
CI=true runs 1 '^test_(lacks|lacks_in_part|passes)$'
says '^FAIL .* test_lacks: no anvil here \(CI=true: nothing may be missing\)$'
says '^FAIL .* test_lacks_in_part: skipped in part \(CI=true: nothing may be missing\): no hammer here$'
says '^2 passed, 2 failed, 0 skipped$'
runs 6 '^no such name$'
says '^no test matches "\^no such name\$"$'

# --- the sanitizers' build ---
runs 1 '^asan '
says '^ok .* asan test_units$'
says '^FAIL .* asan test_broken: does not build: '

finish

#!/usr/bin/env bash
# The command line: every bad input gets one clear line and its exit code; a run leaves every file; an interrupted one
# resumes. usage: test_cli.sh BUILD
set -u
build=$1
root=$(dirname "$(realpath "${BASH_SOURCE[0]}")")/..
mapbench=$build/mapbench
# shellcheck source=tests/support/shell_tools.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")"/support/shell_tools.sh

# Names and values.
expect 2 "unknown map 'swis_flat': did you mean 'swiss_flat'" run --maps swis_flat
# A release that a map does not exist in, or that is not known: the same wherever a map is named.
while read -r map said; do
    for command in "run --maps $map" "plan --maps linear,$map" "retain --maps $map" "explain $map" "explain $map --layout" \
        "trace $map --ops clear" "compare $map go_swiss" "compare linear $map" "gate count --maps $map"; do
        read -ra words <<<"$command"
        expect 2 "$said" "${words[@]}"
    done
done <<'END'
go_hmap@1.26 there is no 'go_hmap@1.26': go_hmap is gone since Go 1.26 .the classic map can be had with 1.25 at the latest, by GOEXPERIMENT=noswissmap.
go_hmap@1.24 go_hmap is not the default since Go 1.24 .the classic map can be had with 1.25 at the latest, by GOEXPERIMENT=noswissmap.
go_syncmap@1.27 go_syncmap is gone since Go 1.26 .the sync.Map of two maps can be had with 1.25 at the latest, by GOEXPERIMENT=nosynchashtriemap.
go_swiss@1.23 there is no 'go_swiss@1.23': go_swiss is in Go since 1.24 .before: go_hmap.
go_hashtrie@1.23 there is no 'go_hashtrie@1.23': go_hashtrie is in Go since 1.24 .before: go_syncmap.
go_swiss@1.28 unknown map 'go_swiss@1.28', the nearest is go_swiss@1.27: there are 1.24, 1.25, 1.26, 1.27
go_hmap@1.20 unknown map 'go_hmap@1.20', the nearest is go_hmap@1.21: there are 1.21, 1.22, 1.23
go_swiss@1.24.4 unknown map 'go_swiss@1.24.4', the nearest is go_swiss@1.24: there are
go_swiss@new unknown map 'go_swiss@new': there are 1.24, 1.25, 1.26, 1.27
END
expect 2 "'go_hmap_notop@1.23' has no layout report" explain go_hmap_notop@1.23 --layout
expect 2 "unknown release of Go '1.28', the nearest is 1.27: there are 1.21, 1.22" retain --releases 1.28
# Names that a map had lead to it, in filters too.
expect 0 "^go_hmap@1.21: Go 1.21's classic map" explain go_hmap_load6
expect 0 "maps +null go_hmap@1.21$" plan --maps go_hmap_load6 --filter '^go_hmap_load6/' --workloads get --n 1k
expect 6 "" plan --maps go_hmap_load6 --filter '^go_hmap/' --workloads get --n 1k
expect 0 "maps +null go_swiss@1.25$" plan --maps go_swiss@1.26 --workloads get --n 1k --hash native
# Releases: alone the ports' maps of these, beside maps that are named; one that follows another's rules is that one.
expect 0 "maps +null go_hmap@1.21 go_swiss@1.24 go_hashtrie$" plan --releases 1.21,1.24 --workloads get --n 1k
expect 0 "maps +null linear go_swiss@1.25 go_hashtrie$" plan --maps linear --releases 1.26 --workloads get --n 1k
expect 0 "skipped: go_swiss@1.26: the rules are those of go_swiss@1.25, measured once under that name" plan --releases 1.25,1.26
expect 0 "maps +null go_hmap go_hmap@1.21 go_swiss go_swiss@1.24 go_swiss@1.25 go_syncmap go_hashtrie$" plan --releases all --n 1k
expect 0 "maps +null go_hmap go_swiss go_swiss@1.24 real_go_hmap" plan go
for command in run plan retain; do
    expect 2 "unknown release of Go '1.29', the nearest is 1.27: there are 1.21, 1.22, 1.23" $command --releases 1.24,1.29
done
expect 2 "trace takes one map" trace go_swiss@1.24 go_swiss@1.25 --ops clear
expect 2 "explain takes one name" explain go_swiss@1.24 go_swiss@1.25
expect 2 "unknown map 'go_swiss@1.24,1.25', the nearest is go_swiss@1.24" trace go_swiss@1.24,1.25 --ops clear
expect 2 "unknown option of explain 'releases'|option of run" explain go_swiss --releases 1.24
expect 2 "unknown release of Go .1.29., the nearest is 1.27" trace go_swiss --releases 1.24,1.29 --ops clear
expect 2 "unknown shape 'u64_u46': did you mean 'u64_u64'" run --shapes u64_u46
expect 2 "unknown workload 'gett': did you mean 'get'" run --workloads gett
expect 2 "unknown key stream 'unifrom': did you mean 'uniform'" run --keys unifrom
expect 2 "unknown profile 'qiuck': did you mean 'quick'" run qiuck
expect 2 "unknown option 'mapz': did you mean 'maps'" run --mapz linear
expect 2 "unknown command 'rnu': did you mean 'run'" rnu
expect 2 "unknown recorder" run --record tiem
expect 2 "unknown hash policy" run --hash strong
expect 2 "unknown heap|heap" run --heap gosimm
expect 2 "--n needs a value" run --n
expect 2 "size 0 measures nothing" run --n 0
expect 2 "negative" run --n -5
expect 2 "not a number" run --n 10x
expect 2 "too large" run --n 99999999999999999999
expect 2 "runs backwards" run --n 1m..1k
expect 2 "factor" run --n '1k..1m*1'
expect 2 "eight different sizes" run --n octave:8
expect 2 "needs up to .*, but .* are available" run --n 4g --maps linear
expect 2 "whole number" run --repeat 0
expect 2 "whole number" run --seed x
expect 2 "I/N" run --shard 2/2
expect 2 "I/N" run --shard 0/-1
expect 2 "regular expression" run --filter '['
expect 2 "only 1 can be measured" run --threads 4
expect 2 "keys have no end|no end" run --n all
expect 6 "nothing matches" run --filter none-such
# What is missing here is to blame only where it would have been measured.
engines_only=(env MAPBENCH_ENGINES="$scratch/none" "$mapbench" run --maps real_go_swiss --hash native --workloads get --n 1k)
gives 4 "nothing can be measured here" "${engines_only[@]}"
gives 6 "nothing matches" "${engines_only[@]}" --filter none-such
expect 6 "use --shapes str_u64" run --keys words --n 1k
expect 6 "only .* distinct keys" run --keys words --shapes str_u64 --n 16m
expect 2 "zipf" run --keys zipf:abc
expect 2 "is not UTF-8" run --shapes str_u64 --keys $'file:/tmp/\xff'
expect 2 "strided|stride" run --keys strided:0
expect 2 "masked|mask" run --keys masked:zz
expect 0 "Commands:" --help
# Each command's own help, and no option in silence that is another's.
expect 0 "^mapbench run \[PROFILE\]" run --help
grep -q '^  --resume ' "$scratch/output" || fail "run --help does not have --resume"
grep -q '^  --json' "$scratch/output" && fail "run --help has --json, which run does not take"
for command in list explain plan report selftest trace units doctor retain; do
    expect 0 "^mapbench $command( |$)" "$command" --help
    grep -q '^Commands:' "$scratch/output" && fail "$command --help is the help of everything"
done
expect 0 '^  --snapshot-diff A,B ' retain substring_key --help
expect 0 "usage: mapbench compare" compare --help
expect 2 "unknown option 'json': it is an option of list, explain, plan, doctor" run --json
expect 2 "unknown option of list 'maps': it is an option of run, plan" list --maps linear
expect 2 "prints one of --rows, --events, --digest and --bytes" trace go_hmap --ops "insert 0..9" --rows --events
while read -r commands; do # what the table of options calls a command is one
    for command in ${commands//,/}; do
        grep -q "^COMMAND(\"$command\", HERE," "$root"/harness/commands.def || fail "options.def: there is no command $command"
    done
done < <(sed -n 's/^OPTION(.* \(JOB\|RUN\|COMMAND\), "\([a-z, ]*\)", ".*/\2/p' "$root"/harness/plan/options.def)
expect 2 "unknown list" list mapps
expect 2 "needs to know what" list --json
expect 2 "unknown name 'swissflat': did you mean 'swiss_flat'" explain swissflat
expect 2 "unknown name 'qiuck': did you mean 'quick'" explain qiuck
expect 2 "unknown name 'xyzcxyz'\$" explain xyzcxyz # no part of one letter is meant
for name in linear:map u64_u64:shape get:workload zipf:keys arena:heap substring_key:scenario quick:profile c:engine; do
    expect 0 "^${name%:*}(:|\[| \(${name#*:})" explain "${name%:*}"
done

# Key files.
: >"$scratch/empty"
printf 'one\ntwo\none\nthree\n' >"$scratch/keys"
printf '1\n2\nx\n' >"$scratch/numbers"
expect 2 "no keys" run --keys "file:$scratch/empty" --shapes str_u64
expect 2 "cannot" run --keys "file:$scratch/absent" --shapes str_u64
expect 2 "directory|folder" run --keys "file:$scratch" --shapes str_u64
expect 2 "line 3|:3" run --keys "file:$scratch/numbers" --shapes u64_u64 --n 2
printf 'a\nb\nc\nd\n' >"$scratch/with,comma"
expect 0 "linear" run --keys "file:$scratch/with\\,comma" --shapes str_u64 --n 2 --workloads get --maps linear --repeat 1 --batches 1 \
    --figures no --out "$scratch/comma-run"
expect 0 "linear" run --keys "file:$scratch/keys" --shapes str_u64 --n 2 --workloads get --maps linear --repeat 1 --batches 1 \
    --figures no --out "$scratch/file-run"
grep -q '"duplicates": 1' "$scratch/file-run/run.json" || fail "the duplicate key is not reported"
# What is no text is refused with what it is and how to read it; so read, every recorder has it.
gzip -c <"$scratch/keys" >"$scratch/keys.gz"
expect 2 "keys.gz is compressed with gzip: read it through file:<\(zcat $scratch/keys.gz\)" run --keys "file:$scratch/keys.gz" --shapes str_u64
expect 2 "keys.gz is compressed with gzip" plan --keys "file:$scratch/keys.gz" --shapes str_u64
cp "$scratch/keys.gz" "$scratch/keys.job"
expect 2 "keys.job:1: is compressed with gzip" run "$scratch/keys.job"
expect 0 "linear" run --keys "file:"<(zcat "$scratch/keys.gz") --shapes str_u64 --n 2 --workloads get --maps linear --repeat 1 --batches 1 \
    --record time,memory,structure --figures no --out "$scratch/pipe-run"
if grep -q '"error":"' "$scratch/pipe-run/rows.jsonl"; then fail "keys of a pipe: $(grep -o '"error":"[^"]*"' "$scratch/pipe-run/rows.jsonl")"; fi

# Profiles.
printf '[a]\nmaps = linear\nmapz = x\n' >"$scratch/bad.job"
expect 2 "bad.job:3: unknown option 'mapz'" run "$scratch/bad.job"
printf '[a]\nn = 5q\n' >"$scratch/bad.job"
expect 2 "bad.job:2: size '5q'" run "$scratch/bad.job"
printf '[a]\nperf = stat\n' >"$scratch/bad.job"
expect 2 "bad.job:2: .*\[global\]" run "$scratch/bad.job"
printf '[a]\nmaps = linear,\n  chained\n' >"$scratch/bad.job"
expect 2 "bad.job:3: 'maps' is set twice" run "$scratch/bad.job"
{ printf '[a]\nmaps = '; for _ in $(seq 60); do printf 'linear,'; done; echo; } >"$scratch/bad.job"
expect 2 "bad.job:2: is longer than" run "$scratch/bad.job"
printf '# \xff\n[a]\nmaps = linear\n' >"$scratch/bad.job"
expect 2 "bad.job:1: is not UTF-8 text" run "$scratch/bad.job"
expect 2 "bad.job:1: is not UTF-8 text" explain "$scratch/bad.job"
printf 'gibberish\n' >"$scratch/bad.job"
expect 2 "bad.job:1" run "$scratch/bad.job"
printf '[profile]\nquestion = why\n' >"$scratch/bad.job"
expect 2 "nothing to measure" run "$scratch/bad.job"
expect 2 "cannot read profile" run "$scratch/absent.job"
for profile in smoke quick lookup growth delete strings; do
    expect 0 "cells, about" plan "$profile"
    expect 0 "question" explain "$profile"
done

expect 0 '"map":"linear".*"workload":"get".*"n":65536.*"hash":"common".*"heap":"malloc".*"seed":16' plan --maps linear --workloads get --seed 0x10 --json

# A small run: every file of the format, checksums that agree, Google Benchmark JSON.
small=(--maps "linear,swiss_flat" --workloads "put_grow,get" --n 1000 --repeat 2 --batches 1 --figures no)
expect 0 "linear" run "${small[@]}" --record all --out "$scratch/run"
for file in run.json rows.jsonl retention.jsonl gbench.json SHA256SUMS perf; do
    [ -e "$scratch/run/$file" ] || fail "the run folder lacks $file"
done
(cd "$scratch/run" && sha256sum --quiet -c SHA256SUMS) || fail "SHA256SUMS does not verify"
for kind in time latency memory counters structure; do
    grep -q "\"kind\":\"$kind\"" "$scratch/run/rows.jsonl" || fail "no row of kind $kind"
done
expect 2 "not an empty folder" run "${small[@]}" --out "$scratch/run"

# Nothing is redrawn over changed measurements; a full standard output is an error.
cp -r "$scratch/run" "$scratch/tampered"
sed -i 1d "$scratch/tampered/rows.jsonl"
expect 2 "not what was measured" report "$scratch/tampered"
"$mapbench" list maps >/dev/full 2>/dev/null
[ $? -eq 4 ] || fail "an output that cannot be written must end with 4"

# The environment of Google Benchmark does not change what is measured.
BENCHMARK_REPETITIONS=3 BENCHMARK_FILTER=none "$mapbench" run "${small[@]}" --out "$scratch/environment" >/dev/null 2>&1 || fail "BENCHMARK_ variables are not ignored"
[ "$(grep -c '"name"' "$scratch/environment/gbench.json")" -eq "$(grep -c '"name"' "$scratch/run/gbench.json")" ] || fail "BENCHMARK_REPETITIONS changed the report"

# Every map of a cell gets the same number of samples, however long its build takes.
expect 0 "." run --maps swiss_flat,std_umap --workloads get,scan,churn --n 256k --repeat 2 --batches 4 --figures no --out "$scratch/samples"
[ "$(sed -n 's/.*"map":"[sw].*"ns_per_op":\[\([^]]*\)\].*/\1/p' "$scratch/samples/rows.jsonl" | awk -F, '{print NF}' | sort -u)" = 8 ] ||
    fail "lookups, scans and churn of all maps must have rounds x batches samples"

# --filter reaches every recorder.
expect 0 "." run --maps swiss_flat,linear --filter '^swiss_flat/' --record memory,structure --n 1k --figures no --out "$scratch/filtered"
grep -q '"map":"linear"' "$scratch/filtered/rows.jsonl" && fail "--filter did not reach the memory recorder"

# The same seed gives the same checksums, and maps agree on them.
expect 0 "linear" run "${small[@]}" --out "$scratch/again"
checksums() { sed -n 's/.*"kind":"time".*"map":"\([a-z_]*\)".*"workload":"\([a-z_]*\)".*"checksum":"\([0-9a-fx]*\)".*/\2 \3 \1/p' "$1/rows.jsonl" | grep -v ' null$'; }
[ "$(checksums "$scratch/run")" = "$(checksums "$scratch/again")" ] || fail "the same seed gave other checksums"
[ "$(checksums "$scratch/run" | cut -d' ' -f1,2 | sort -u | wc -l)" -eq 2 ] || fail "maps disagree on checksums"

# Interrupted: exit 130, resumable to a complete run with each row once; a second partial run is refused.
long=(--maps "linear,swiss_flat,chained" --workloads get --n 1k..8k*2 --repeat 20 --batches 3 --figures no --out "$scratch/long")
"$mapbench" run "${long[@]}" >/dev/null 2>&1 &
pid=$!
for _ in $(seq 2400); do # until something has been measured: on a busy machine that takes a while
    [ -s "$scratch/long.partial/done" ] && break
    sleep 0.05
done
kill -INT "$pid"
wait "$pid"
[ $? -eq 130 ] || fail "an interrupted run must end with 130"
[ -d "$scratch/long.partial" ] || fail "an interrupted run must leave its partial folder"
expect 2 "another selection" run --maps linear --n 2k --figures no --resume --out "$scratch/long"
expect 2 "go on with --resume" run "${long[@]}"
started=$(sed -n 's/.*"started": "\(.*\)".*/\1/p' "$scratch/long.partial/run.json")
cp -r "$scratch/long.partial" "$scratch/unrecorded.partial"
rm "$scratch/unrecorded.partial/run.json"
expect 2 "unrecorded.partial/run.json, .* cannot be read: measure again" run "${long[@]}" --resume --out "$scratch/unrecorded"
printf 'torn' >>"$scratch/long.partial/done"
expect 0 "$scratch/long" run "${long[@]}" --resume
grep -q "\"started\": \"$started\"" "$scratch/long/run.json" || fail "a resumed run must keep when it began"
grep -q '"resumed": 1' "$scratch/long/run.json" || fail "a resumed run must say so"
[ "$(grep -c '"kind":"time"' "$scratch/long/rows.jsonl")" -eq 16 ] || fail "a resumed run must have every row once"
expect 2 "nothing to resume" run "${small[@]}" --resume --out "$scratch/nowhere"

# Shards: together they are the whole.
rows=0
for shard in 0 1; do
    expect 0 "." run --maps linear --workloads get --n 1k..4k*2 --repeat 1 --batches 1 --figures no --shard $shard/2 --out "$scratch/shard$shard"
    rows=$((rows + $(grep -c '"map":"linear"' "$scratch/shard$shard/rows.jsonl")))
done
[ "$rows" -eq 3 ] || fail "two shards must measure three cells together, not $rows"

# A folder that cannot be written, and a disk that fills up: exit 4, what was written stays valid.
touch "$scratch/plain"
expect 4 "cannot create" run "${small[@]}" --out "$scratch/plain/run"
if mkdir "$scratch/disk" && mount -t tmpfs -o size=32k tmpfs "$scratch/disk" 2>/dev/null; then
    trap 'umount --lazy "$scratch/disk" 2>/dev/null; rm -rf "$scratch"' EXIT # also when it is stopped meanwhile
    expect 4 "make room and go on with --resume|No space left" run --maps all --workloads get,get_miss,del --n 1k --repeat 2 --batches 10 \
        --figures no --out "$scratch/disk/run"
    if [ -e "$scratch/disk/run.partial/rows.jsonl" ]; then
        /usr/bin/python3 -c 'import json, sys
for line in open(sys.argv[1]): json.loads(line)' "$scratch/disk/run.partial/rows.jsonl" || fail "rows written before the disk was full are broken"
    fi
    umount "$scratch/disk"
else
    echo "skipped: a full disk (tmpfs cannot be mounted here)"
fi

# JSON of list.
for what in maps shapes workloads keys heaps profiles engines; do
    "$mapbench" list $what --json >"$scratch/list.json" || fail "list $what --json"
    /usr/bin/python3 - "$scratch/list.json" $what <<'PY' || fail "list $what --json does not have the documented fields"
import json, sys
entries = json.load(open(sys.argv[1]))
fields = {"name", "summary", "available", "reason"}
if sys.argv[2] == "maps":
    fields |= {"source", "adapter", "engine", "shapes", "heaps"}
assert entries and all(fields <= set(entry) for entry in entries), entries
PY
done

# Google Benchmark's own compare.py reads gbench.json.
compare=/usr/share/benchmark/compare.py
if [ -e $compare ] && /usr/bin/python3 -c 'import scipy' 2>/dev/null; then
    /usr/bin/python3 $compare benchmarks "$scratch/run/gbench.json" "$scratch/again/gbench.json" >"$scratch/compared" 2>&1 || fail "compare.py does not read gbench.json"
    grep -q "linear/u64_u64/get" "$scratch/compared" || fail "compare.py does not show the benchmarks"
else
    echo "skipped: compare.py (libbenchmark-tools is not installed)"
fi

# The harness keeps its memory: the baseline holds nothing, so the whole process is the harness.
expect 0 "null" run --maps null --shapes u64_u64 --workloads put,get,get_cold,churn --n 64m --repeat 1 --batches 1 --figures no --out "$scratch/null"
peak=$(sed -n 's/.*"process_peak_bytes": \([0-9]*\).*/\1/p' "$scratch/null/run.json")
[ "${peak:-999999999}" -le $((64 << 20)) ] || fail "the harness needs $peak bytes at n = 64m, more than 64 MiB"
echo "harness memory at n = 64m: $((peak >> 20)) MiB"

finish

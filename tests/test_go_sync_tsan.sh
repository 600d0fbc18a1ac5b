#!/usr/bin/env bash
# The ports of sync.Map under ThreadSanitizer: threads on one map, no data race, no wrong answer.
# usage: test_go_sync_tsan.sh BUILD
set -u
cc=${CC:-gcc}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
flags=(-std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Werror -O1 -g -fsanitize=thread -I.)

echo 'int main(void) { return 0; }' >"$scratch/probe.c"
if ! "$cc" "${flags[@]}" "$scratch/probe.c" -o "$scratch/probe" 2>/dev/null || ! "$scratch/probe"; then
    echo "$cc cannot build or run with ThreadSanitizer here"
    exit 77
fi
for name in test_go_sync_threads test_go_hashtrie; do
    "$cc" "${flags[@]}" "tests/$name.c" -lcmocka -lpthread -o "$scratch/$name" || exit 1
    TSAN_OPTIONS=halt_on_error=1 "$scratch/$name" || { echo "FAILED: $name"; exit 1; }
done

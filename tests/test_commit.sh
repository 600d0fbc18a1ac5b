#!/usr/bin/env bash
# The commit of a build is its sources' own, or it is unknown and the reason is said; compare says git's reason and remedy.
set -u
root=$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")
# shellcheck source=tests/support/shell_tools.sh
source "$root"/tests/support/shell_tools.sh
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
command -v git >/dev/null || { echo "git is not installed"; exit 77; }

git_in() { git -C "$1" -c user.name=t -c user.email=t@localhost -c commit.gpgsign=false "${@:2}"; }

# commit COMMIT WHY FOLDER: what the script prints on both streams.
commit() {
    local said why
    said=$("$root/setup/commit.sh" "$3" 2>"$scratch/why")
    why=$(<"$scratch/why")
    if [[ $said == "$1" && $why == *"$2"* && ( -n $2 || -z $why ) ]]; then pass; else fail "$3: '$said', '$why', expected '$1', '$2'"; fi
}

outer="$scratch/outer with blanks"
mkdir -p "$outer/project/judge" "$outer/project/setup"
commit unknown "not a git repository" "$outer/project"
git_in "$outer" init -q
commit unknown "the repository has no commit yet" "$outer"
echo outer >"$outer/file"
git_in "$outer" add file
git_in "$outer" commit -q -m outer
theirs=$(git_in "$outer" rev-parse HEAD)
touch "$outer/project/new"
commit "$theirs-dirty" "" "$outer"
rm "$outer/project/new"
# A tarball unpacked inside another repository.
commit unknown "the sources are no checkout: git knows them only as a part of $outer" "$outer/project"
# Its own repository, though inside another; through a link; from a hook of the other.
echo project >"$outer/project/file"
git_in "$outer/project" init -q
git_in "$outer/project" add file
git_in "$outer/project" commit -q -m project
ours=$(git_in "$outer/project" rev-parse HEAD)
commit "$ours" "" "$outer/project"
ln -s "$outer/project" "$scratch/link"
commit "$ours" "" "$scratch/link"
GIT_DIR=$outer/.git commit "$ours" "" "$outer/project"
echo more >>"$outer/project/file"
commit "$ours-dirty" "" "$outer/project"
# A checkout of another user.
export GIT_TEST_ASSUME_DIFFERENT_OWNER=1
commit unknown "git says: detected dubious ownership in repository at '$outer/project'; allow it: git config --global --add safe.directory '$outer/project'" \
    "$outer/project"
unset GIT_TEST_ASSUME_DIFFERENT_OWNER
(
    mkdir "$scratch/bin"
    for program in bash dirname sed tr head; do ln -s "$(command -v "$program")" "$scratch/bin/"; done
    # shellcheck disable=SC2030 # for this shell only
    PATH=$scratch/bin
    commit unknown "git is not installed" "$outer/project"
    exit "$failed"
) || fail "without git"

# The half in Python: the same, refused with 4.
(cd "$root" && cp -r --parents judge plots/__init__.py plots/rows harness/base/exit.h "$outer/project") 2>"$scratch/why" || fail "$(cat "$scratch/why")"
ask() { (cd "$1" && PYTHONPATH="$1" /usr/bin/python3 -B -c 'import sys
from judge.base import revisions
from judge.base.common import Refused
try:
    print(revisions.commit_of("HEAD"))
except Refused as refused:
    print(refused)
    sys.exit(refused.code)'); }
gives 0 "^$ours\$" ask "$outer/project"
GIT_TEST_ASSUME_DIFFERENT_OWNER=1 gives 4 "^$outer/project .*: detected dubious ownership in repository at .*; allow it: git config --global --add safe.directory" \
    ask "$outer/project"
rm -rf "$outer/project/.git"
gives 4 "^$outer/project has no revisions: it is no git checkout, only a part of $outer\$" ask "$outer/project"

finish

#!/usr/bin/env bash
# Prints the commit of a source tree, "-dirty" behind it where files differ; else "unknown", and the reason in one line on
# the standard error:  setup/commit.sh [FOLDER]
#
# A commit is the tree's only if git's top level is the tree itself: a tarball unpacked inside another repository has none.
set -u
tree=$(cd "${1:-$(dirname "$0")/..}" && pwd -P) || exit 2

unknown() {
    echo unknown
    local why="$*"
    printf '%s\n' "${why//[\"\\$'\n']/ }" >&2 # a string of C holds it
    exit 0
}

# Those of a hook that runs this name another repository.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX GIT_OBJECT_DIRECTORY
export LC_ALL=C LANGUAGE=C

command -v git >/dev/null || unknown "git is not installed"
if ! top=$(git -C "$tree" rev-parse --show-toplevel 2>&1); then
    # Git's reason stands in its first line; of another user's checkout the remedy follows in a later one.
    reason=$(sed -n '1s/^fatal: //p' <<<"$top")
    remedy=$(sed -n 's/^[[:space:]]*\(git config .*safe\.directory .*\)/\1/p' <<<"$top" | head -n 1)
    unknown "git says: ${reason:-${top%%$'\n'*}}${remedy:+; allow it: $remedy}"
fi
[[ $(cd "$top" && pwd -P) == "$tree" ]] || unknown "the sources are no checkout: git knows them only as a part of $top"
head=$(git -C "$tree" rev-parse -q --verify HEAD 2>/dev/null) || unknown "the repository has no commit yet"
[[ -z $(git -C "$tree" status --porcelain 2>/dev/null) ]] || head+=-dirty
echo "$head"

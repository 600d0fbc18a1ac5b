# shellcheck shell=bash
# Sourced: where this machine gets its packages from.

# archive ORIGIN: the address of the archive of that origin (Debian, Ubuntu) among the machine's own package sources.
archive() {
    # shellcheck disable=SC2016 # apt-get expands these
    apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        awk -v origin="$1" '$1 == origin && $2 !~ /security/ { print $2; found = 1; exit } END { exit !found }'
}

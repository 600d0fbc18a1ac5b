"""What judges results: paired comparison, gates, history, nightly, citation. `python3 -m judge COMMAND ARGS`; the
program mapbench hands its commands of these names over (harness/judge.c)."""

"""mapbench nightly: every gate in one night, with one exit code."""

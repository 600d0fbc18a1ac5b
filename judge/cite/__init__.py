"""mapbench cite and rerun: quotes a run, and measures it again."""

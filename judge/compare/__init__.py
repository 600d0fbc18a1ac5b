"""mapbench compare: paired comparison of two revisions, of maps, or of stored runs."""

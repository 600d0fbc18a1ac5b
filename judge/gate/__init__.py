"""mapbench gate count: instructions and allocations against a baseline."""

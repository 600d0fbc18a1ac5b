"""A run in memory: read, checked, grouped, and what is worked out of its rows. judge/ uses this, too."""

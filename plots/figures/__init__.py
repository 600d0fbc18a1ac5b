"""A file per figure."""

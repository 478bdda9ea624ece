"""Boundaries of `cachelib`, one file for each of its modules."""

"""Boundaries of `numpy.lib`, one file for each of its modules."""

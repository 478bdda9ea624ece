"""Boundaries of `watchdog.observers`."""

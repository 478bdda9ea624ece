"""Boundaries of `watchdog`."""

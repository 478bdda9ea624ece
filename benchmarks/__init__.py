"""Measurements: run each with `python -m benchmarks.NAME`; never part of the tests."""

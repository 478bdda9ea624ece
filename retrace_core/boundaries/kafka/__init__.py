"""Boundaries of kafka-python."""

"""Boundaries of the consumer of kafka-python."""

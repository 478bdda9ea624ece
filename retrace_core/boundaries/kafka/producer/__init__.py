"""Boundaries of the producer of kafka-python."""

"""Boundaries of confluent-kafka, whose clients are in C."""

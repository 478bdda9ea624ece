"""Boundaries of the consumer of aiokafka."""

"""Boundaries of the producer of aiokafka."""

"""Boundaries of aiokafka."""

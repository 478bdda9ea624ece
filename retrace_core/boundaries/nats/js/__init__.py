"""Boundaries of JetStream in nats-py."""

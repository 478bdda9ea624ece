"""Boundaries of nats-py."""

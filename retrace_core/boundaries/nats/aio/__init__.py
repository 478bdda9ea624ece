"""Boundaries of the client of nats-py."""

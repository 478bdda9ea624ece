"""Boundaries of aiormq, and so of aio-pika, which stands on it."""

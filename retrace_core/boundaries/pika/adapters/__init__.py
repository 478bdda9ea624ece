"""Boundaries of pika's adapters."""

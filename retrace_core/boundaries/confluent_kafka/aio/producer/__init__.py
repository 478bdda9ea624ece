"""Boundaries of confluent-kafka's asyncio producer."""

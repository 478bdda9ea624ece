"""Boundaries of confluent-kafka's asyncio clients."""

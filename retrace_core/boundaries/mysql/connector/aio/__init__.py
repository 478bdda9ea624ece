"""Boundaries of MySQL Connector/Python for asyncio."""

"""Boundaries of pymongo's synchronous client."""

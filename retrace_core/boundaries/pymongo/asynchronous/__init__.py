"""Boundaries of pymongo's asynchronous client."""

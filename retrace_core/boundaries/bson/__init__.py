"""Boundaries of bson, which pymongo brings along."""

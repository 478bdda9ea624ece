"""Redaction: what is found, what stands in its place, and that it replays all the same."""

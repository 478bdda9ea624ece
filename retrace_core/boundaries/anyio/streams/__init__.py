"""Boundaries of `anyio.streams`."""

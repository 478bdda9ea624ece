"""Boundaries of `safetensors`, one file for each of its modules."""

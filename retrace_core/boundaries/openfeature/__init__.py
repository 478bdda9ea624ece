"""Boundaries of the OpenFeature SDK."""

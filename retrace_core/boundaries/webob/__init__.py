"""WebOb."""

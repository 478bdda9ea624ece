"""cuid2."""

"""Its backends."""

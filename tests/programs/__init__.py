"""Programs that make their application of their arguments, and serve it themselves."""

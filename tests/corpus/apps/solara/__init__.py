"""A page of widgets (Solara)."""

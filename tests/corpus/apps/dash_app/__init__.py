"""A dashboard of sales (Dash)."""

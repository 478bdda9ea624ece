"""Boundaries of joblib, one file for each of its modules."""

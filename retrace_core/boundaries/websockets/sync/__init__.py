"""Boundaries of `websockets.sync`, one file for each of its modules."""

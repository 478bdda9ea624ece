"""Boundaries of `h5py`, one file for each of its modules."""

"""Boundaries of `netCDF4`, one file for each of its modules."""

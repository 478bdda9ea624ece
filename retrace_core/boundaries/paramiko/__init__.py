"""Boundaries of paramiko, one file for each of its modules."""

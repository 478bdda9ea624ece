"""Boundaries of MySQL Connector/Python, one file for each of its modules."""

"""Boundaries of python-ldap, one file for each of its modules."""

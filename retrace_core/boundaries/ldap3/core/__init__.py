"""Boundaries of ldap3, one file for each of its modules."""

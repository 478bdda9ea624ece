"""Boundaries of `django.contrib`, one file for each of its modules."""

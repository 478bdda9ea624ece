"""Boundaries of `django.contrib.sites`, one file for each of its modules."""

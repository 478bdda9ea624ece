"""Boundaries of `django.core.cache`, one file for each of its modules."""

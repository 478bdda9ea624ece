"""Boundaries of `django.core.cache.backends`, one file for each of its modules."""

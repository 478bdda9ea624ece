"""Boundaries of `django.urls`, one file for each of its modules."""

"""Boundaries of `django.core`, one file for each of its modules."""

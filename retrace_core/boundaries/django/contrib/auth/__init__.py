"""Boundaries of `django.contrib.auth`, one file for each of its modules."""

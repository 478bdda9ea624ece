"""Boundaries of `django.contrib.staticfiles`, one file for each of its modules."""

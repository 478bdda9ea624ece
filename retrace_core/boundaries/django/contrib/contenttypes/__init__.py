"""Boundaries of `django.contrib.contenttypes`, one file for each of its modules."""

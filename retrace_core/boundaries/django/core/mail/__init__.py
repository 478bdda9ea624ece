"""Boundaries of `django.core.mail`, one file for each of its modules."""

"""Boundaries of `celery.app`, one file for each of its modules."""

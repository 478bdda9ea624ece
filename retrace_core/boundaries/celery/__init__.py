"""Boundaries of Celery, for those who send tasks and ask for results."""

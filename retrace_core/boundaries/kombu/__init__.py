"""kombu, the messages of Celery."""

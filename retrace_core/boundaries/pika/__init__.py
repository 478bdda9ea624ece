"""Boundaries of pika, a client of RabbitMQ: its blocking connection."""

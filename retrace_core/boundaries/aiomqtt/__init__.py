"""Boundaries of aiomqtt."""

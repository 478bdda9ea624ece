"""Boundaries of paho-mqtt."""

"""Boundaries of the modules of paho-mqtt."""

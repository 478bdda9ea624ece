"""Boundaries of `prometheus_client`."""

"""Boundaries of `coredis.client`."""

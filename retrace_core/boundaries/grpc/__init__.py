"""Boundaries of `grpc`, one file for each of its modules."""

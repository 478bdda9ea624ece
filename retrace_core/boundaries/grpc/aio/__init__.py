"""Boundaries of `grpc.aio`, one file for each of its modules."""

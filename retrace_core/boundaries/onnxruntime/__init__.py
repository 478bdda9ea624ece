"""Boundaries of `onnxruntime`, one file for each of its modules."""

"""Boundaries of `onnxruntime.capi`, one file for each of its modules."""

"""Boundaries of valkey-glide."""

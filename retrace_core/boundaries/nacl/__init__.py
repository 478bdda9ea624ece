"""PyNaCl."""

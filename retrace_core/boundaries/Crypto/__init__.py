"""PyCryptodome."""

"""PyCryptodome under its other name."""

"""Boundaries of `mysql.connector`: Oracle's driver of MySQL."""

"""PostgreSQL: what the boundaries of its drivers share, and their parts."""

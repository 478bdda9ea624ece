"""argon2-cffi."""

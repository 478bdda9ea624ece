"""What the boundary of sqlite3 is made of, beside the classes that it hands out."""

"""Files: which of them are the world, what is recorded of them, and where a replay puts them.

open_of_now.py       for modules that took hold of an `open` before it was hooked
file_access.py       which files are the world, and where a replay puts them
named_files.py       what a library in C or Rust opens by its name, for the boundaries of such
duckdb_file.py       whose checksums are right again, where it is masked
files_in_sql.py      and what DuckDB's SQL names
named_folders.py     and folders, patterns, what lies beside a file
temporary_folder.py  where temporary files are, whatever `tempfile` is told later
"""

"""Make an empty library with three books, and point Calibre-Web at it."""

import os
import sqlite3

import app  # noqa: F401  # puts Calibre-Web on the path
from cps import config, db
from sqlalchemy import REAL, create_engine

state = os.environ["CORPUS_STATE"]
folder = f"{state}/books"
os.makedirs(folder, exist_ok=True)
db.Books.__table__.c.series_index.type = REAL()  # as in Calibre's own library
engine = create_engine(f"sqlite:///{folder}/metadata.db")
db.Base.metadata.create_all(
    engine.execution_options(schema_translate_map={"calibre": None}), checkfirst=False
)
engine.dispose()
with sqlite3.connect(f"{folder}/metadata.db") as connection:
    connection.execute(
        "insert into library_id (id, uuid) values (1, '0c6a3b52-6a43-4d2c-8d40-1f1f6b3c9a11')"
    )
    books = (("Emma", "Austen"), ("Ulysses", "Joyce"), ("Walden", "Thoreau"))
    for number, (title, author) in enumerate(books, 1):
        path = f"{author}/{title} ({number})"
        os.makedirs(f"{folder}/{path}", exist_ok=True)
        with open(f"{folder}/{path}/{title}.txt", "w", encoding="utf-8") as file:
            file.write(f"{title}, by {author}.\n" * 40)
        day = f"2026-01-0{number} 10:00:00+00:00"
        connection.execute(
            "insert into books (id, title, sort, author_sort, timestamp, pubdate, series_index,"
            " last_modified, path, has_cover, uuid) values (?,?,?,?,?,?,?,?,?,?,?)",
            (number, title, title, author, day, day, 1.0, day, path, 0, f"uuid-{number}"),
        )
        connection.execute(
            "insert into authors (id, name, sort, link) values (?,?,?,'')",
            (number, author, author),
        )
        connection.execute(
            "insert into books_authors_link (book, author) values (?,?)", (number, number)
        )
        connection.execute(
            "insert into data (id, book, format, uncompressed_size, name) values (?,?,'TXT',?,?)",
            (number, number, 900, title),
        )
    connection.execute("insert into tags (id, name) values (1, 'Novel')")
    connection.execute("insert into books_tags_link (book, tag) values (1, 1)")
config.config_calibre_dir = folder
config.config_uploading = 1
config.save()
os._exit(0)  # its updater's thread would keep it

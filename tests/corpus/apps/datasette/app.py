"""Datasette on one database that may be written, with the middleware around it."""

import os

from datasette.app import Datasette

from retrace_mw import RetraceMiddleware

datasette = Datasette(
    [f"{os.environ['CORPUS_STATE']}/books.db"],
    settings={"num_sql_threads": 2, "default_page_size": 5},
    metadata={
        "title": "Books",
        "databases": {
            "books": {
                "queries": {
                    "add_author": {
                        "sql": "insert into author (name) values (:name)",
                        "write": True,
                        "params": ["name"],
                    },
                    "by_year": {"sql": "select * from book where year = :year order by title"},
                }
            }
        },
    },
    secret="corpus",
)
application = RetraceMiddleware(datasette.app())

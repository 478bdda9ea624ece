"""A traceback that a request writes says nothing of how its calls pass our boundaries."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pymysql

from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path

    from tests.mariadb_server import MariadbServer


def test_an_error_page_has_no_frames_of_ours(recordings: Path, mariadb: MariadbServer) -> None:
    """The driver's are there, below and above them: on replay it runs, too."""

    def view() -> str:
        connection = pymysql.connect(
            host=mariadb.host, port=mariadb.port, user=mariadb.user, password=mariadb.password
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT nothing")
        except pymysql.MySQLError:
            return traceback.format_exc()
        return ""

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    page = b"".join(recording.response.body).decode()
    assert "retrace_core" not in page
    assert page.count("pymysql/") > 2
    assert_identical(recording, app)

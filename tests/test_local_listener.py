"""Stand-ins of databases are reached while a program's own sockets are bound in name only.

Django's `runserver` looks for migrations before it serves.
"""

from __future__ import annotations

import socket

import MySQLdb
import psycopg

from retrace_core.databases.mysql import backend as mysql
from retrace_core.databases.postgresql import backend as postgresql
from retrace_core.replay.doors import doors_in_name_only
from retrace_core.sockets.local_listener import LocalListener


def _never() -> None:
    raise AssertionError("somebody waits at a door")


def test_a_client_in_c_of_postgresql_connects() -> None:
    with doors_in_name_only(_never):
        stand_in = postgresql.Backend()
        options = f"user=ann sslmode=disable gssencmode=disable port={stand_in.port}"
        with psycopg.connect(f"host=127.0.0.1 {options}", autocommit=True) as connection:
            assert connection.info.status is psycopg.pq.ConnStatus.OK
        stand_in.close()


def test_a_client_in_c_of_mysql_connects() -> None:
    with doors_in_name_only(_never):
        stand_in = mysql.Backend("11.4.2-MariaDB")
        connection = MySQLdb.connect(host="127.0.0.1", port=stand_in.port, user="ann")
        assert connection.get_server_info() == "11.4.2-MariaDB"
        connection.close()


def test_one_that_is_closed_lets_nobody_in() -> None:
    listener = LocalListener(10)
    listener.close()
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", listener.port)) != 0

"""ldap3: what a directory said to it is read again from sockets that are not there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import ldap3
import pytest

from tests.ldap_server import ldap_server
from tests.recorded import answer_of, assert_identical, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.ldap_server import LdapServer

SHOP = "dc=shop"


@pytest.fixture
def directory() -> Iterator[LdapServer]:
    """Return a directory with two people in it."""
    with ldap_server() as server:
        connection = bound(server)
        connection.add(SHOP, ["dcObject", "organization"], {"dc": "shop", "o": "Shop"})
        for name in ("ada", "ben"):
            said = {"cn": name.title(), "sn": "Pear", "mail": f"{name}@shop.example"}
            said["userPassword"] = f"{name}'s secret"
            assert connection.add(f"uid={name},{SHOP}", "inetOrgPerson", {"uid": name, **said})
        connection.unbind()
        yield server


def bound(server: LdapServer, **options: Any) -> Any:
    """Return a connection of the administrator's."""
    named = ldap3.Server(server.url, get_info=options.pop("get_info", ldap3.NONE))
    return ldap3.Connection(named, server.admin, server.password, auto_bind=True, **options)


def people(connection: Any) -> list[Any]:
    """Return what is known of everybody."""
    connection.search(SHOP, "(objectClass=inetOrgPerson)", attributes=["cn", "mail"])
    return [json.loads(entry.entry_to_json()) for entry in connection.entries]


def answered(recordings: Path, directory: LdapServer, view: Callable[[], Any]) -> Any:
    """Record a view, replay it with the directory gone, and return its answer."""
    app, recording = record_wsgi(recordings, view)
    answer = answer_of(recording)
    directory.stop()
    assert_identical(recording, app)
    return answer


def test_log_in(recordings: Path, directory: LdapServer) -> None:
    """As a web application does it: find the user, bind as that one, or be refused."""

    def view() -> Any:
        seen: list[Any] = []
        for password in ("wrong", "ada's secret"):
            connection = bound(directory)
            found = people(connection)[0]
            connection.unbind()
            user = ldap3.Connection(ldap3.Server(directory.url), found["dn"], password)
            seen.append([user.bind(), user.result["description"], user.extend.standard.who_am_i()])
            user.unbind()
        return seen

    refused, welcome = answered(recordings, directory, view)
    assert refused[:2] == [False, "invalidCredentials"]
    assert welcome == [True, "success", f"dn:uid=ada,{SHOP}"]


def test_changes(recordings: Path, directory: LdapServer) -> None:
    """Entries are added, changed, compared and deleted; the schema tells the types of values."""

    def view() -> Any:
        connection = bound(directory, get_info=ldap3.SCHEMA)
        dan = f"uid=dan,{SHOP}"
        connection.add(dan, "inetOrgPerson", {"uid": "dan", "cn": "Dan", "sn": "Plum"})
        connection.modify(dan, {"sn": [(ldap3.MODIFY_REPLACE, ["Pear"])]})
        seen = [connection.compare(dan, "sn", "Pear"), len(people(connection))]
        connection.delete(dan)
        connection.delete(dan)
        seen += [len(people(connection)), connection.server.schema is not None]
        connection.unbind()
        return seen

    assert answered(recordings, directory, view) == [True, 3, 2, True]


@pytest.mark.parametrize("strategy", [ldap3.SYNC, ldap3.RESTARTABLE, ldap3.ASYNC])
def test_strategies(recordings: Path, directory: LdapServer, strategy: str) -> None:
    """Also where a thread of the connection's own hears the directory."""

    def view() -> Any:
        connection = bound(directory, client_strategy=strategy)
        number = connection.search(SHOP, "(uid=ada)", attributes=["cn"])
        if strategy == ldap3.ASYNC:
            found, _ = connection.get_response(number)
        else:
            found = connection.response
        answer = [one["attributes"]["cn"] for one in found]
        connection.unbind()
        return answer

    assert answered(recordings, directory, view) == [["Ada"]]

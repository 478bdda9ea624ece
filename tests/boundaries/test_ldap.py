"""python-ldap: what a directory said comes back when it has gone, and no password is kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import ldap
import ldap.modlist
import pytest
from ldap.controls import SimplePagedResultsControl

from retrace_core.recording import Event
from tests.ldap_server import ldap_server
from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.ldap_server import LdapServer

SHOP = "dc=shop"


@pytest.fixture
def directory() -> Iterator[LdapServer]:
    """Return a directory with three people in it."""
    with ldap_server() as server:
        connection = bound(server)
        kinds = [b"dcObject", b"organization"]
        add(connection, SHOP, objectClass=kinds, dc=[b"shop"], o=[b"Shop"])
        for name in ("ada", "ben", "cleo"):
            kinds = [b"inetOrgPerson"]
            add(
                connection,
                f"uid={name},{SHOP}",
                objectClass=kinds,
                uid=[name.encode()],
                cn=[name.title().encode()],
                sn=[b"Pear"],
                userPassword=[f"{name}'s secret".encode()],
            )
        connection.unbind_s()
        yield server


def add(connection: Any, dn: str, **attributes: list[bytes]) -> None:
    """Add an entry."""
    connection.add_s(dn, ldap.modlist.addModlist(attributes))


def bound(server: LdapServer) -> Any:
    """Return a connection of the administrator's."""
    connection = ldap.initialize(server.url)
    connection.set_option(ldap.OPT_REFERRALS, 0)
    connection.simple_bind_s(server.admin, server.password)
    return connection


def answered(
    recordings: Path, directory: LdapServer, view: Callable[[], Any]
) -> tuple[Any, list[str]]:
    """Record a view, replay it with the directory gone; return its answer, and what was asked."""
    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    directory.stop()
    assert_identical(recording, app)
    asked = [str(one.key) for one in recording.lanes[0].events if isinstance(one, Event)]
    return json.loads(b"".join(recording.response.body)), asked


def test_log_in(recordings: Path, directory: LdapServer) -> None:
    """As a web application does it: find the user, bind as that one, or be refused."""

    def view() -> Any:
        seen: list[Any] = []
        for password in ("wrong", "ada's secret"):
            connection = bound(directory)
            [(dn, found)] = connection.search_s(SHOP, ldap.SCOPE_SUBTREE, "(uid=ada)", ["cn"])
            user = ldap.initialize(directory.url)
            try:
                user.simple_bind_s(dn, password)
                seen.append([dn, found["cn"][0].decode(), user.whoami_s()])
            except ldap.INVALID_CREDENTIALS as error:
                seen.append([str(error), user.get_option(ldap.OPT_RESULT_CODE)])
            user.unbind_s()
        return seen

    seen, asked = answered(recordings, directory, view)
    assert "Invalid credentials" in seen[0][0]
    assert seen[1] == [f"uid=ada,{SHOP}", "Ada", f"dn:uid=ada,{SHOP}"]
    assert asked
    assert not any("secret" in key or "sesame" in key for key in asked)


def test_changes(recordings: Path, directory: LdapServer) -> None:
    """Entries are added, changed, renamed, compared and deleted; what is not there is not."""

    def view() -> Any:
        connection = bound(directory)
        dan = f"uid=dan,{SHOP}"
        attributes = {"uid": [b"dan"], "cn": [b"Dan"], "sn": [b"Plum"]}
        add(connection, dan, objectClass=[b"inetOrgPerson"], **attributes)
        connection.modify_s(dan, [(ldap.MOD_REPLACE, "userPassword", [b"dan's secret"])])
        connection.passwd_s(dan, None, "dan's new secret")
        seen: list[Any] = [connection.compare_s(dan, "sn", b"Plum")]
        connection.rename_s(dan, "uid=daniel")
        with pytest.raises(ldap.NO_SUCH_OBJECT):
            connection.delete_s(dan)
        with pytest.raises(ldap.ALREADY_EXISTS) as caught:
            add(connection, f"uid=ada,{SHOP}", objectClass=[b"inetOrgPerson"], **attributes)
        connection.delete_s(f"uid=daniel,{SHOP}")
        return [*seen, caught.value.args[0]["desc"]]

    seen, asked = answered(recordings, directory, view)
    assert seen == [True, "Already exists"]
    assert not any("secret" in key for key in asked)


def test_page_by_page(recordings: Path, directory: LdapServer) -> None:
    """Answers that are waited for later, with what the server says beside them."""

    def view() -> Any:
        connection = bound(directory)
        page = SimplePagedResultsControl(True, size=2, cookie="")
        pages: list[Any] = []
        while not pages or page.cookie:
            number = connection.search_ext(
                SHOP, ldap.SCOPE_ONELEVEL, attrlist=["uid"], serverctrls=[page]
            )
            _, found, _, controls = connection.result3(number)
            page.cookie = controls[0].cookie
            pages.append(sorted(dn for dn, _ in found))
        return pages

    pages, _ = answered(recordings, directory, view)
    assert [len(page) for page in pages] == [2, 1]


def test_a_directory_that_is_not_there(recordings: Path, directory: LdapServer) -> None:
    """Nobody answers; the request gets the same error again."""
    directory.stop()

    def view() -> Any:
        with pytest.raises(ldap.SERVER_DOWN) as caught:
            bound(directory)
        return [caught.value.args[0]["desc"]]

    assert answered(recordings, directory, view)[0] == ["Can't contact LDAP server"]

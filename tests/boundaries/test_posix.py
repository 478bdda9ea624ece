"""As whom a process runs, and on what machine, is on replay what it was."""

from __future__ import annotations

import getpass
import grp
import os
import pathlib
import pwd
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    import pytest


def test_whose_the_process_is(recordings: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who replays it is another user, and in other groups."""
    own = 4711
    for name in ("getuid", "geteuid", "getgid", "getegid"):
        monkeypatch.setattr(os, name, lambda: own)
    monkeypatch.setattr(os, "getgroups", lambda: [own])

    def view() -> list[Any]:
        return [os.getuid(), os.geteuid(), os.getgid(), os.getegid(), os.getgroups()]

    app, recording = record_wsgi(recordings, view)
    own = 4712
    assert_identical(recording, app)


def test_what_the_users_of_the_machine_are(
    recordings: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine of who replays it has others."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    known, owner = list(pwd.getpwall()), list(grp.getgrall())

    def of_all(users: list[Any], number: int) -> Any:
        return next(user for user in users if user[2] == number)

    monkeypatch.setattr(pwd, "getpwall", lambda: known)
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: of_all(known, uid))
    monkeypatch.setattr(grp, "getgrgid", lambda gid: of_all(owner, gid))

    def view() -> list[Any]:
        root = pwd.getpwuid(0)
        try:
            pwd.getpwnam("nobody-of-that-name")
        except KeyError as error:
            unknown = str(error)
        here = pathlib.Path("/")
        users = [user.pw_name for user in pwd.getpwall()]
        return [root.pw_name, root.pw_dir, unknown, here.owner(), here.group(), users]

    app, recording = record_wsgi(recordings, view)
    known.clear()
    owner.clear()
    assert_identical(recording, app)


def test_who_asks_for_the_load_before_anybody_asks_for_its_use(recordings: pathlib.Path) -> None:
    """The hooks are in place though nobody has imported `resource`."""
    code = """
import os, sys
from retrace_core import installer
installer.install()
assert "resource" not in sys.modules
assert hasattr(os.getloadavg, "__wrapped__")
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_name_of_the_user(recordings: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `getpass` says it, which asks the machine where the environment says nothing."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    people = list(pwd.getpwall())
    monkeypatch.setattr(pwd, "getpwuid", lambda _: people[0])
    app, recording = record_wsgi(recordings, getpass.getuser)
    people[:] = people[1:]
    assert_identical(recording, app)

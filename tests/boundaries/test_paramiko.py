"""paramiko: commands, shells and files come back, with the server gone."""

from __future__ import annotations

import io
import json
import os
import shutil
import threading
from typing import TYPE_CHECKING, Any

import paramiko
import pytest

from retrace_core import installer
from tests.recorded import answered, assert_identical, identical_body, record_wsgi
from tests.ssh_server import ssh_server

if TYPE_CHECKING:
    from pathlib import Path

    from retrace_core import Recording
    from tests.ssh_server import SshServer


@pytest.fixture(autouse=True)
def hooked() -> None:
    """What a test connects before its first request is known, as in a service."""
    installer.install()


def connected(server: SshServer) -> paramiko.SSHClient:
    """Return a client that is logged in."""
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect(**server.login)
    return client


def _kinds(recording: Recording) -> set[str]:
    return {event.kind for lane in recording.lanes for event in lane.events}


def test_a_commands_outcome_comes_back(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes to it, both of its outputs, and its status; no thread is there on replay."""
    with ssh_server() as server:

        def view() -> list[Any]:
            with connected(server) as client:
                into, out, errors = client.exec_command("cat; date +%N; echo no >&2; exit 3")
                into.write("hello\n")
                into.channel.shutdown_write()
                found = [out.read().decode(), errors.read().decode()]
                return [*found, out.channel.recv_exit_status()]

        app, recording = record_wsgi(recordings, view)
    monkeypatch.setattr(paramiko.Transport, "start", _forbidden)
    found = json.loads(identical_body(recording, app))
    assert found[0].startswith("hello\n") and found[1:] == ["no\n", 3]


def _forbidden(*_: Any) -> None:
    raise AssertionError("a replay started a transport")


@pytest.mark.parametrize("when", ["start", "first request"])
def test_a_kept_client_replays_cold(recordings: Path, when: str) -> None:
    """One that the start-up connects, or the first request; its lines are read one by one."""
    kept: list[paramiko.SSHClient] = []
    with ssh_server() as server:

        def view() -> list[str]:
            if not kept or not kept[0].get_transport().is_active():  # type: ignore[union-attr]
                kept.append(connected(server))
            _, out, _ = kept[0].exec_command("echo one; echo two")
            return list(out)

        if when == "start":
            kept.append(connected(server))
        app, recording = record_wsgi(recordings, view)
        kept.pop().close()
    assert json.loads(identical_body(recording, app)) == ["one\n", "two\n"]
    assert not any(kind.startswith("paramiko.connect") for kind in _kinds(recording))
    kept.pop().close()


def test_files_come_back(recordings: Path, tmp_path: Path) -> None:
    """Listed, written, read, asked about, renamed, removed; what is not there."""
    there = tmp_path / "there"
    there.mkdir()
    (there / "begin.txt").write_bytes(b"x" * 100_000 + b"\nend")
    with ssh_server() as server:

        def view() -> list[Any]:
            with connected(server) as client, client.open_sftp() as files:
                files.chdir(str(there))
                files.mkdir("new")
                with files.open("new/up.txt", "w") as file:
                    file.write("up\nand\naway")
                with files.open("new/up.txt") as file:
                    found: list[Any] = [file.readline(), file.read().decode(), file.stat().st_size]
                with files.open("begin.txt", "rb") as file:
                    file.prefetch()
                    found.append(len(file.read()))
                    file.seek(-3, file.SEEK_END)
                    found.append(file.read().decode())
                files.rename("new/up.txt", "new/down.txt")
                one = files.listdir_attr("new")[0]
                found += [one.filename, one.st_mode, one.st_mtime, str(one)]
                found += [sorted(files.listdir()), files.getcwd(), files.normalize(".")]
                found.append([one.filename for one in files.listdir_iter("new")])
                try:
                    files.stat("none")
                except FileNotFoundError as error:
                    found.append([str(error), error.errno])
                files.remove("new/down.txt")
                files.rmdir("new")
                return found

        app, recording = record_wsgi(recordings, view)
    shutil.rmtree(there)
    found = json.loads(identical_body(recording, app))
    assert found[:5] == ["up\n", "and\naway", 11, 100_004, "end"]
    assert found[5] == "down.txt" and found[9] == ["begin.txt", "new"]
    assert found[-1] == ["[Errno 2] No such file", 2]
    assert not there.exists()


def test_files_that_are_copied_come_back(recordings: Path, tmp_path: Path) -> None:
    """From a local file and to one, with what tells how far it is."""
    (tmp_path / "local").write_bytes(os.urandom(70_000))
    with ssh_server() as server:

        def view() -> list[Any]:
            told: list[Any] = []
            with connected(server) as client, client.open_sftp() as files:
                away, back = str(tmp_path / "away"), str(tmp_path / "back")
                files.put(str(tmp_path / "local"), away, lambda *done: told.append(done))
                files.get(away, back, lambda *done: told.append(done))
                with open(back, "rb") as file:
                    return [told, file.read(10).hex()]

        app, recording = record_wsgi(recordings, view)
    for name in ("local", "away", "back"):
        (tmp_path / name).unlink()
    assert json.loads(identical_body(recording, app))[0][-1] == [70_000, 70_000]


def test_a_shell_comes_back(recordings: Path) -> None:
    """What comes is waited for by asking whether it is there."""
    with ssh_server() as server:

        def view() -> list[Any]:
            with connected(server) as client:
                shell = client.invoke_shell()
                shell.settimeout(10)
                shell.send(b"echo so$((40+2)); exit\n")
                found = b""
                while b"so42" not in found:
                    found += shell.recv(1000)
                while not shell.exit_status_ready():
                    threading.Event().wait(0.01)
                return [b"so42" in found, shell.recv_exit_status()]

        found = answered(recordings, view)
    assert found == [True, 0]


def test_a_transport_made_by_hand_comes_back(recordings: Path) -> None:
    """It verifies the key of the host, logs in, and has files."""
    with ssh_server() as server:

        def view() -> list[Any]:
            key = paramiko.Ed25519Key.from_private_key_file(str(server.key))
            with paramiko.Transport((server.host, server.port)) as transport:
                transport.start_client(timeout=10)
                host = transport.get_remote_server_key()
                transport.auth_publickey(server.login["username"], key)
                found: list[Any] = [host.get_name(), host.get_base64()[:8]]
                found += [transport.is_authenticated(), transport.getpeername()[1]]
                files = paramiko.SFTPClient.from_transport(transport)
                assert files is not None
                found.append("passwd" in files.listdir("/etc"))
                channel = transport.open_session()
                channel.exec_command("exit 5")
                return [*found, channel.recv_exit_status()]

        found = answered(recordings, view)
    assert found[0] == "ssh-ed25519" and found[2] is True and found[4:] == [True, 5]


def test_failures_come_back(recordings: Path) -> None:
    """Who is not let in, a host whose key is unknown, and one that is not there."""
    with ssh_server() as server:

        def tried(client: paramiko.SSHClient, **changed: Any) -> list[str]:
            try:
                client.connect(**{**server.login, **changed})
            except (paramiko.SSHException, OSError) as error:
                return [type(error).__name__, str(error)]
            finally:
                client.close()
            return []

        def view() -> list[Any]:
            trusting = paramiko.SSHClient()
            trusting.set_missing_host_key_policy(paramiko.AutoAddPolicy())
            word = {"key_filename": None, "password": "swordfish-hunter2"}
            found = [tried(trusting, **word), tried(paramiko.SSHClient())]
            return [*found, tried(trusting, port=1)]

        app, recording = record_wsgi(recordings, view)
    found = json.loads(identical_body(recording, app))
    assert found[0][0] == "BadAuthenticationType" and found[1][0] == "SSHException"
    assert found[2][0] == "NoValidConnectionsError"
    said = [(event.key, event.value) for lane in recording.lanes for event in lane.events]
    assert "BadAuthenticationType" in repr(said) and "hunter2" not in repr(said)


def test_a_command_that_takes_too_long_is_late_again(recordings: Path) -> None:
    """By the timeout of its channel."""
    with ssh_server() as server:

        def view() -> list[str]:
            with connected(server) as client:
                _, out, _ = client.exec_command("sleep 30", timeout=0.05)
                try:
                    out.read()
                except TimeoutError as error:
                    return [type(error).__name__]
                return []

        app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)
    assert json.loads(identical_body(recording, app)) == ["TimeoutError"]


def test_a_private_key_is_read_and_not_kept(recordings: Path) -> None:
    """From a file and from text, with a passphrase: only what is public of it is in an event."""
    text = io.StringIO()
    secret = paramiko.RSAKey.generate(1024)
    secret.write_private_key(text, password="swordfish-hunter2")

    def view() -> list[Any]:
        text.seek(0)
        key = paramiko.RSAKey.from_private_key(text, password="swordfish-hunter2")
        return [key.get_base64(), key.get_bits(), key == secret]

    app, recording = record_wsgi(recordings, view)
    (event,) = [one for one in recording.lanes[0].events if one.kind == "paramiko.private_key"]
    assert event.value == secret.asbytes()
    assert json.loads(identical_body(recording, app))[1:] == [1024, True]

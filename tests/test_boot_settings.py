"""What a start-up asks besides files of its own: its logging's settings, which address it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.replay_report import replays
from tests.server_process import free_port
from tests.serving import get, under_gunicorn

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SHOP = """
import logging
import logging.config
import os
import socket

import retrace_mw

logging.config.fileConfig("logging.ini", disable_existing_loggers=False)


def own_address():  # asks the kernel, and sends nothing
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect(("127.0.0.1", 9))
        return asking.getsockname()[0]


def sensor():
    with socket.socket() as absent:
        absent.connect(("127.0.0.1", int(os.environ["NOBODY"])))


ADDRESS = own_address()
try:
    sensor()
except OSError as error:
    ADDRESS += f" {type(error).__name__}"


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{logging.getLogger('shop').level} {ADDRESS}".encode()]


app = retrace_mw.RetraceMiddleware(application)
"""
LOGGING = """
[loggers]
keys = root,shop
[handlers]
keys =
[formatters]
keys =
[logger_root]
handlers =
[logger_shop]
level = ERROR
qualname = shop
handlers =
"""


def test_a_start_up_is_replayed_without_its_settings_and_its_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that was refused is refused again, and no other one."""
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "logging.ini").write_text(LOGGING)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    monkeypatch.setenv("NOBODY", str(free_port()))
    with under_gunicorn("shop:app", tmp_path / "recordings") as base:
        said = get(f"{base}/", {"X-Trace-ID": "shop"})
    assert "40 127.0.0.1 ConnectionRefusedError" in said
    (tmp_path / "logging.ini").unlink()
    replays("shop")

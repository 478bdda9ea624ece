"""Mails of Django: the machine's name, which the first of a process looks up, is on its tape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.mail import EmailMessage
from django.core.mail.utils import CachedDnsName

from retrace_core import installer
from retrace_core.boot import tape as boot_tape
from tests.test_frameworks import configure_django

if TYPE_CHECKING:
    import pytest

configure_django()


def test_the_machines_name_is_on_the_boot_tape(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked up once, in a chapter of its own, and every later mail has it from there."""
    name = CachedDnsName()
    monkeypatch.setattr("django.core.mail.message.DNS_NAME", name)
    installer.install()
    monkeypatch.setattr(boot_tape, "_tape", boot_tape.BootTape(1 << 20))
    for _ in range(2):
        mail = EmailMessage("Hello", "there", "a@example.com", ["b@example.com"]).message()
        assert str(name) in mail["Message-ID"]
    tape = boot_tape.tape()
    assert tape is not None
    _, chapters = tape.take_unsaved()
    (chapter,) = chapters
    assert chapter.label.endswith("get_fqdn")
    assert chapter.events

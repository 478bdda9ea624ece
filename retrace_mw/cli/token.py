"""The command `token`: mints a force token."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from retrace_core.cli.screen import note
from retrace_core.errors import ConfigurationError
from retrace_core.settings import resolve
from retrace_mw.force_token import FORCE_HEADER, mint, secrets_of

__all__ = ["command"]

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LIFETIME = re.compile(r"(\d{1,9})([smhd])", re.ASCII)


class Lifetime(_ParamType):
    """How long: "90s", "10m", "2h", "1d"."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return it in seconds."""
        found = _LIFETIME.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r} is no time: use 90s, 10m, 2h or 1d", param, ctx)
        return float(int(found[1]) * _UNITS_S[found[2]])


@click.command(
    name="token",
    short_help="Mint a force token: record this request, whoever says no.",
    epilog="""\b
Examples:
  retrace token --for 10m --service storefront
  curl -H "X-Retrace-Force: $(retrace token --for 1m --service storefront)" https://shop.test/
""",
)
@click.option("--for", "lifetime_s", type=Lifetime(), default="10m", show_default=True,
              help="How long it is good for; at most 7d.")  # fmt: skip
@click.option("--service", help='The service it is for, or "*" for all; default RETRACE_SERVICE.')
def command(lifetime_s: float, service: str | None) -> int:
    """Mint a force token, signed with RETRACE_FORCE_SECRET.

    Whoever sends it in the header X-Retrace-Force has those requests recorded until it
    expires, within the rate of RETRACE_FORCE_TOKEN_PER_S. It is a password for that while.
    """
    settings = resolve()
    secrets = secrets_of(settings.force_secret)
    if not secrets:
        allowed = "the secret that the service has, 32 characters or more (openssl rand -hex 32)"
        raise ConfigurationError("RETRACE_FORCE_SECRET", "", allowed)
    name = settings.service if service is None else service
    if not name:
        raise ConfigurationError("--service", "", 'the name of the service, or "*" for all')
    now_s = time.time()
    click.echo(mint(secrets[0], service=name, lifetime_s=lifetime_s, now_s=now_s))
    until = datetime.fromtimestamp(now_s + lifetime_s).astimezone().isoformat(timespec="seconds")
    whom = "all services" if name == "*" else name
    note(f"good for {whom} until {until}; send it as {FORCE_HEADER}")
    return 0

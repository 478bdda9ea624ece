"""The command `run`: starts a program recorded, with no change to its code."""

from __future__ import annotations

import os
import random
import shutil
import sys
from pathlib import Path

import click

from retrace_core.errors import ConfigurationError
from retrace_core.settings import resolve
from retrace_mw.cli.reaching import carried, reasons_against

__all__ = ["command", "environment"]

SITE = Path(__file__).parent.parent / "site"


@click.command(
    name="run",
    short_help="Start a program recorded, with no change to its code.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="""\b
Examples:
  retrace run -- gunicorn shop:app
  retrace run --sample-rate 0.1 -- uvicorn shop:app --workers 4
  retrace run --service storefront -- python manage.py runserver --noreload
  retrace run -- dagster-webserver -f jobs.py    what makes its application of its arguments
  retrace run -- celery -A shop worker
""",
)
@click.option("--service", metavar="NAME", help="As RETRACE_SERVICE.")
@click.option("--sample-rate", metavar="SHARE", help="As RETRACE_SAMPLE_RATE.")
@click.option("--recordings", metavar="DIR", help="As RETRACE_RECORDING_PATH.")
@click.option(
    "--no-hash-seed",
    is_flag=True,
    help="Neither fix nor record PYTHONHASHSEED; sets may iterate otherwise on replay.",
)
@click.argument("program", nargs=-1, required=True, type=click.UNPROCESSED)
def command(
    program: tuple[str, ...],
    service: str | None,
    sample_rate: str | None,
    recordings: str | None,
    no_hash_seed: bool,
) -> int:
    """Run PROGRAM with its arguments, and record its requests.

    The library is active before the application is imported, so that what it asks of the
    world as it starts is recorded too. Flask, FastAPI, Starlette, Django, Litestar, Falcon,
    Pyramid and Quart get the middleware by themselves, and so does any other application
    that cheroot, daphne, gunicorn, hypercorn, tornado, uvicorn, waitress, Werkzeug or wsgiref
    serves; workers of Celery and RQ record their tasks. Settings come from the environment
    and retrace.toml, as ever; RETRACE=0 switches it off.
    """
    given = {
        "RETRACE_SERVICE": service,
        "RETRACE_SAMPLE_RATE": sample_rate,
        "RETRACE_RECORDING_PATH": recordings,
    }
    environ = environment(
        {**os.environ, **{name: value for name, value in given.items() if value is not None}},
        hash_seed=not no_hash_seed,
    )
    found = shutil.which(program[0])
    if found is None:
        raise click.UsageError(f"program {program[0]!r} is not to be found on PATH")
    os.environ.update(environ)
    try:
        resolve()  # what is wrong is said now, and not by each worker
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from error
    for reason in reasons_against(program):
        click.echo(f"retrace: nothing will be recorded: {reason}", err=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(found, carried(program, str(SITE)), environ)


def environment(before: dict[str, str], *, hash_seed: bool) -> dict[str, str]:
    """Return the environment in which a program is recorded.

    Args:
        before: the present one.
        hash_seed: True fixes PYTHONHASHSEED, and consents to record it.
    """
    path = os.pathsep.join(filter(None, (str(SITE), before.get("PYTHONPATH", ""))))
    environ = {"RETRACE": "1", **before, "PYTHONPATH": path}
    if hash_seed:
        seed = environ.get("PYTHONHASHSEED", "random")
        if not seed.isdecimal():
            environ["PYTHONHASHSEED"] = str(random.SystemRandom().randrange(1, 1 << 32))
        environ.setdefault("RETRACE_RECORD_HASH_SEED", "1")
    return environ

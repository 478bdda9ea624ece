"""The command `doctor`: why are there no recordings?"""

from __future__ import annotations

import click

from retrace_core.cli.checks import CHECKS
from retrace_core.cli.find import identity_option
from retrace_core.cli.finding import NOTE, PROBLEM, Finding
from retrace_core.cli.screen import Screen, print_json, progress
from retrace_core.cli.words import plural

__all__ = ["command"]

_STYLES = {"ok": "green", "note": "yellow", "problem": "bold red"}


@click.command(
    name="doctor",
    short_help="Find out why there are no recordings.",
    epilog="""\b
Examples:
  retrace doctor
  kubectl exec POD -- retrace doctor --json
""",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@identity_option
def command(as_json: bool) -> int:
    """Find out why there are no recordings.

    Run it where the service runs, with the service's environment. It looks at the settings
    and where each came from, writes a probe to the store, measures it, compares clocks, looks
    at what waits in the spool, and tries the native part and the boundary of each installed
    client library. Keyword arguments of the middleware are in the application's code, and not
    seen here.

    Exit status: 0 all is well, 1 there are problems (each says what to do).
    """
    found: dict[str, list[Finding]] = {}
    with progress("looking", len(CHECKS)) as step:
        for heading, check in CHECKS.items():
            found[heading] = list(check())
            step()
    problems = [one for section in found.values() for one in section if one.verdict == PROBLEM]
    if as_json:
        print_json(
            {
                "healthy": not problems,
                "checks": [
                    {
                        "section": heading,
                        "verdict": one.verdict,
                        "what": one.what,
                        "words": one.words,
                    }
                    for heading, section in found.items()
                    for one in section
                ],
            }
        )
    else:
        _show(found, problems)
    return 1 if problems else 0


def _show(found: dict[str, list[Finding]], problems: list[Finding]) -> None:
    screen = Screen()
    for heading, section in found.items():
        screen.line(heading, "bold")
        for one in section:
            screen.spans((f"  {one.verdict:<8}", _STYLES[one.verdict]), f"{one.what}: {one.words}")
        screen.line()
    notes = sum(one.verdict == NOTE for section in found.values() for one in section)
    if problems:
        screen.line(f"{plural(len(problems), 'problem')}: see above for what to do", "bold red")
    else:
        also = f", {plural(notes, 'note')}" if notes else ""
        screen.line(f"no problems{also}", "bold green")

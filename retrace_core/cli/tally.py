"""Tally: what `retrace verify` found in all, in words, as JSON and as JUnit XML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from retrace_core.cli.words import cut, plural

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Sequence

    from retrace_core.cli.screen import Cell, Screen

__all__ = ["Tally"]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOST_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What was found."""

    documents: Sequence[dict[str, Any]]
    """The verdict on each recording."""
    skipped: Counter[str]
    rules: Sequence[str]
    """What may be ignored."""
    mode: str
    isolate: str
    jobs: int
    took_s: float

    @property
    def exact(self) -> int:
        """How many were answered call by call by their own answers, and came out the same."""
        return sum(bool(one["exact"]) for one in self.documents)

    @property
    def equal(self) -> int:
        """How many came out the same, whatever was asked for it."""
        return sum(bool(one["same_outcome"]) for one in self.documents)

    @property
    def warmed(self) -> int:
        """How many of the exact ones needed the earlier requests of their process first."""
        return sum(bool(one["exact"] and one.get("warmed")) for one in self.documents)

    @property
    def exit_status(self) -> int:
        """0 all identical, 1 some not, 2 some could not be replayed."""
        return max((int(one["exit_status"]) for one in self.documents), default=2)

    def document(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "exit_status": self.exit_status,
            "recordings": len(self.documents),
            "exact": self.exact,
            "equal_responses": self.equal,
            "warmed": self.warmed,
            "unusable": sum("unusable" in one for one in self.documents),
            "unused_calls": self._unused(),
            "not_covered": sum(bool(one.get("holes")) for one in self.documents),
            "skipped": dict(self.skipped),
            "ignore": {rule: self._met(rule) for rule in self.rules},
            "mode": self.mode,
            "isolate": self.isolate,
            "jobs": self.jobs,
            "took_s": round(self.took_s, 3),
            "replays": list(self.documents),
        }

    def show(self, screen: Screen) -> None:
        """Print it for people."""
        failed = [one for one in self.documents if not one["exact"]]
        if failed:
            screen.table(
                ("VERDICT", "SERVICE", "REQUEST", "IN SHORT", "FILE"),
                map(_row, failed[:_MOST_SHOWN]),
                folding=("REQUEST", "IN SHORT", "FILE"),
            )
            if len(failed) > _MOST_SHOWN:
                screen.line(f"… and {len(failed) - _MOST_SHOWN} more; --json has all", "dim")
            screen.line()
        for line, style in self._lines():
            screen.line(line, style)
        if failed:
            screen.line(f"look closer: retrace replay {failed[0]['file']}")

    def _lines(self) -> Iterator[tuple[str, str]]:
        count = len(self.documents)
        good = self.exact == count
        yield (
            f"exact matches    {_rate(self.exact, count)}: each call got its own answer, none is"
            " left, the same came out",
            "bold green" if good else "bold red",
        )
        yield f"equal responses  {_rate(self.equal, count)}: whatever was asked for them", ""
        if self.warmed:
            yield f"{self.warmed} of them after earlier requests of their process, run first", ""
        unusable = sum("unusable" in one for one in self.documents)
        if unusable:
            yield f"{plural(unusable, 'recording')} could not be replayed", "bold red"
        if self._unused():
            holders = sum(one.get("unused", 0) > 0 for one in self.documents)
            yield (
                f"{plural(self._unused(), 'recorded call')} of {plural(holders, 'recording')}"
                " not made again",
                "yellow",
            )
        holed = [one for one in self.documents if one.get("holes")]
        if holed:
            missed = sum(not one["exact"] for one in holed)
            yield (
                f"{plural(len(holed), 'recording')} with things past all boundaries, of which"
                f" {missed} did not match exactly: retrace show {holed[0]['file']}",
                "yellow",
            )
        ignored = sum(bool(one.get("ignored")) for one in self.documents)
        if ignored:
            yield f"{plural(ignored, 'recording')} with differences that were ignored by rule", ""
        for rule in self.rules:
            if not self._met(rule):
                yield f"ignore {rule!r} matched nothing: is it misspelt, or out of date?", "yellow"
        if self.skipped:
            listed = ", ".join(f"{count} of {name}" for name, count in self.skipped.items())
            yield f"skipped: {listed}", "yellow"
        yield (
            f"mode {self.mode}, {plural(self.jobs, 'job')}, isolate {self.isolate}:"
            f" {self.took_s:.1f} s, {count / max(self.took_s, 1e-9):.1f} recordings a second",
            "dim",
        )

    def _unused(self) -> int:
        return sum(int(one.get("unused", 0)) for one in self.documents)

    def _met(self, rule: str) -> int:
        return sum(rule in one["ignore_met"] for one in self.documents)

    def junit(self) -> bytes:
        """Return it as JUnit XML: a test case for each recording."""
        failures = [one for one in self.documents if not one["exact"] and "unusable" not in one]
        errors = [one for one in self.documents if "unusable" in one]
        suite = ElementTree.Element(
            "testsuite",
            name="retrace verify",
            tests=str(len(self.documents)),
            failures=str(len(failures)),
            errors=str(len(errors)),
            skipped="0",
            time=f"{self.took_s:.3f}",
        )
        for one in self.documents:
            name = f"{one.get('method', '')} {one.get('path', '')} {one.get('trace', one['file'])}"
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=_xml(str(one.get("service", "unusable"))),
                name=_xml(name.strip()),
                file=_xml(one["file"]),
                time=f"{one.get('took_s', 0):.3f}",
            )
            if "unusable" in one:
                ElementTree.SubElement(case, "error", message=_xml(one["unusable"]))
            elif not one["exact"]:
                kind = "other calls" if one["same_outcome"] else "divergent"
                found = ElementTree.SubElement(
                    case, "failure", type=kind, message=_xml(cut(one["summary"], 400))
                )
                found.text = _xml("\n".join(_details(one)))
        root = ElementTree.Element("testsuites")
        root.append(suite)
        ElementTree.indent(root)
        data: bytes = ElementTree.tostring(root, "utf-8", xml_declaration=True)
        return data + b"\n"


def _details(one: dict[str, Any]) -> Iterator[str]:
    yield one["summary"]
    for deviation in one["deviations"]:
        yield f"{deviation['how']}: {deviation['kind']} {cut(str(deviation['asked']), 400)}"
    for difference in one["differences"]:
        recorded, replayed = (cut(str(difference[side]), 400) for side in ("recorded", "replayed"))
        yield f"{difference['what']}: recorded {recorded}, replayed {replayed}"
    yield from (f"refused: {what}" for what in one["refused"])
    yield from one["notes"]
    yield f"retrace replay {one['file']}"


def _row(one: dict[str, Any]) -> list[Cell]:
    if "unusable" in one:
        return [("unusable", "bold red"), "", "", cut(one["unusable"], 300), one["file"]]
    verdict = ("other calls", "yellow") if one["same_outcome"] else ("divergent", "bold red")
    request = f"{one['method']} {cut(one['path'], 60)}"
    return [verdict, one["service"], request, cut(one["summary"], 200), one["file"]]


def _rate(part: int, whole: int) -> str:
    # Never rounded up to 100.
    percent = int(1000 * part / whole) / 10 if whole else 0.0
    return f"{percent:5.1f} %  ({part} of {whole})"


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)

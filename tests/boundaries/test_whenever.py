"""whenever: the times that its extension in Rust has read come back, to the nanosecond."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import pendulum
import whenever
from whenever import Date, Instant, OffsetDateTime, ZonedDateTime

from tests.recorded import answered, identical_body, record_asgi, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path


def test_moments_come_back_to_the_nanosecond(recordings: Path) -> None:
    """An instant, one in a zone, one at an offset; each is later than the one before."""

    def view() -> list[str]:
        moments = [Instant.now(), ZonedDateTime.now("Europe/Berlin")]
        moments += [OffsetDateTime.now(whenever.hours(2), stale_offset_ok=True), Instant.now()]
        assert moments[0] <= moments[1] <= moments[3]
        return [str(one) for one in moments]

    app, recording = record_wsgi(recordings, view)
    first = recording.lanes[0].events[0]
    assert first.kind == "whenever.Instant.now"
    found = json.loads(identical_body(recording, app))
    assert str(first.value).endswith(found[0].rstrip("Z").partition(".")[2].ljust(9, "0"))
    assert found[1].endswith("[Europe/Berlin]") and found[2].endswith("+02:00")


def test_the_day_and_the_zone_of_the_system_come_back(recordings: Path) -> None:
    """By their older names, too."""

    def view() -> list[str]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            here = ZonedDateTime.now_in_system_tz()
            days = [Date.today("Asia/Tokyo"), Date.today_in_system_tz()]
        return [str(here), *(str(day) for day in days)]

    assert len(answered(recordings, view)) == 3


def test_a_zone_that_is_none_is_none_again(recordings: Path) -> None:
    """The error is the library's own."""

    async def view() -> str:
        try:
            return str(ZonedDateTime.now("Europe/Nowhere"))
        except whenever.TimeZoneNotFoundError as error:
            return str(error)

    app, recording = record_asgi(recordings, view)
    assert b"Nowhere" in identical_body(recording, app)


def test_outside_of_a_request_the_clock_goes_on() -> None:
    """Nothing stays told."""
    before, after = Instant.now(), Instant.now()
    assert before <= after


def test_pendulums_now_is_pythons(recordings: Path) -> None:
    """It asks by `datetime`, whose reads are recorded."""

    def view() -> list[Any]:
        return [pendulum.now("Europe/Berlin").isoformat(), pendulum.today().isoformat()]

    assert len(answered(recordings, view)) == 2

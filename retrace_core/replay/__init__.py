"""Replay: runs a recorded request again, through the same code, on the recorded answers.

replaying.py          all of it, from the start-up to the result

The program starts, up to where it would serve:

application.py        finds the app that a recording names, "module:attribute", and imports it
program.py            starts the recorded program, up to where its server would serve
child_process.py      the one that serves is run where the program would start it
doors.py              sockets that a program binds before it serves; nobody comes through them
serving.py            where the servers that a program may hand its application to begin to serve
serving_threads.py    a replayed request runs on a thread like that of its server, and so its work

What it may reach:

sandbox.py            during replay an audit hook refuses the live world
no_network.py         the process of a replay has one of its own, that leads nowhere
scratch_names.py      paths of temporary files in what the code asks, as they were recorded
cold_reads.py         files that only the replay reads: what was recorded had them in a cache
live_kinds.py         which boundaries can ask the real world in the midst of a replay

What the start-up asked:

boot.py               answers what the process asks for itself, from its boot tape
tape.py               what the player of a chapter needs of the whole boot tape
chapter.py            one chapter of a boot tape, and where in it what was asked
chapter_player.py     answers what is asked while one thing is done for the process
placed_answers.py     the clock and entropy reads of a chapter, by where they were made
whereabouts.py        where in its chapter each lane of the start-up is on replay
lifespan.py           the start-up of an ASGI application, and its shutdown
loop_clock.py         readings of an event loop's clock, which time timers of the live loop
loop_waits.py         sleeps of tasks and timers that the start-up left to its event loop
progress.py           how far what the start-up began in the background may get during a replay
start_up_texts.py     which pseudonyms the start-up was told, in a file of settings or a variable

The request:

driver.py             sends the request through the real ASGI or WSGI callable, or the task
asgi_scope.py         the connection scope of a recorded request, as a server gives it
wsgi_environ.py       a recorded request as a server hands it to a WSGI application (PEP 3333)
conversing.py         lets a recorded web socket's peer speak again, to the real ASGI callable
tasks/                runs a recorded task again; one file for each queue
replayed_response.py  keeps what comes out of the application, as its middleware tells it

Which recorded event answers:

player.py             gives recorded events back, lane by lane, in recorded order
cursor.py             what is still to be given back in one lane of a replay, and in which turns
matching.py           which recorded call answers the one that is asked, in each mode of a replay
soft.py               recorded clock and entropy reads, given back by lane, kind and call site
prepared.py           a statement that is prepared on replay already, or not yet
sameness.py           what two calls have in common: reads that may change places, SELECT lists
reordered.py          one statement whose rows, or whose list of values, stand in another order
span_comments.py      comments in SQL that name a tracer's span
addresses.py          what `repr` says of an object of no name, `<Book object at 0x7f7ca6c44250>`

In which order:

turns.py              completions happen again in the order in which they were recorded
steps.py              what tasks hand to one another before the next answer comes
postponed.py          cancellations that strike earlier on replay than they did while recording
polling.py            a thread that looks again and again for another's work sleeps in between
unblocking.py         ends a wait of the application for a thread that has diverged, and so ended

Where secrets were masked:

masks.py              compares what the code says with what it said
shortened.py          masks whose ends gave way, so that a compressed body could be packed again
listed.py             masks that the code lists in an order other than that of the true texts
shown_part.py         the beginning or the end of a secret, where a page hides the rest of it
pack_order.py         the objects of a pack of Git's, which servers take from sets
true_texts.py         what pseudonyms stand for, where code or boot tape have it anyway
from_boot.py          the true texts, where they stand on the boot tape that is replayed
from_code.py          the true texts, where they stand in the code that is replayed
carrying_on.py        what replays said for pseudonyms, for those of the same process after them
body_pieces.py        a body packed from masked texts has another length than the recorded one

What came out:

result.py             what came out of a replay, and the verdict in words
findings.py           what a replay found to be not as recorded, kept while it runs
deviation.py          an answer that was not simply the next recorded one, and what to say of it
divergence.py         the first point at which replay asked something else than was recorded
cuts.py               what a recording misses because it reached a limit, in words
comparison.py         what came out of the replay against what was recorded
outcome.py            what came out of the application as it was replayed
earlier.py            the recordings that the same process made before a given one
standstill.py         where a replay stands that does not come to its end
astray.py             which of the earlier requests that are run first diverged
"""

from __future__ import annotations

import sys
from types import ModuleType

from retrace_core.replay.comparison import Difference
from retrace_core.replay.divergence import Divergence
from retrace_core.replay.replaying import replay
from retrace_core.replay.result import ReplayResult

__all__ = ["Difference", "Divergence", "ReplayResult", "replay"]


class _Package(ModuleType):
    # Whoever imports a part of it first finds the package under its function's name.
    __call__ = staticmethod(replay)


sys.modules[__name__].__class__ = _Package

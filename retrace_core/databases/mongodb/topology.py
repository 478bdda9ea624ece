"""Topology: which servers there are, as a client's monitors have found out, on the boot tape.

Monitors run in threads and tasks of the process, and are at rest in a replay. What they found
is noted when a request selects a server and it is news; a replay tells it to its own client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bson
from pymongo.hello import Hello
from pymongo.server_description import ServerDescription
from pymongo.server_type import SERVER_TYPE

from retrace_core.databases.mongodb.documents import from_plain, plain_document

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "descriptions_from",
    "hello_of",
    "is_known",
    "is_news",
    "kept",
    "seeds_of",
]

_NOTED = "_retrace_noted"
_last: dict[str, list[Any]] = {}
"""Seeds -> what was noted last in this process, for replays in the process that recorded."""
_hellos: dict[tuple[str, int | None], bytes] = {}
"""Address -> what the server there says of itself, as BSON, for connections of a replay."""


def seeds_of(topology: Any) -> list[list[Any]]:
    """Return the addresses that a client was given, as a key."""
    return sorted([str(host), port] for host, port in topology._seed_addresses)


def is_news(topology: Any) -> bool:
    """Return True when the servers of a topology have changed since they were noted.

    Each heartbeat makes another description, most of them of the same.
    """
    description, noted = getattr(topology, _NOTED, (None, None))
    if description is topology.description:
        return False
    now = kept(topology)
    setattr(topology, _NOTED, (topology.description, now))
    return now != noted


def is_known(topology: Any) -> bool:
    """Return True when it is known of at least one server what it is."""
    servers: Iterable[Any] = topology.description.server_descriptions().values()
    return any(one.is_server_type_known for one in servers)


def kept(topology: Any) -> list[Any]:
    """Return what is known of the servers, to be recorded."""
    found = [
        [list(address), plain_document(bson.encode(_hello(one)))]
        for address, one in topology.description.server_descriptions().items()
        if one.is_server_type_known
    ]
    seeds = repr(seeds_of(topology))
    if found:
        _last[seeds] = found
    return _last.get(seeds, [])


def descriptions_from(recorded: list[Any]) -> list[ServerDescription]:
    """Return what was known of the servers when it was recorded."""
    found = []
    for (host, port), hello in recorded:
        data = from_plain(hello)
        _hellos[host, port] = data
        found.append(ServerDescription((host, port), Hello(bson.decode(data)), 0.0))
    return found


def hello_of(address: tuple[str, int | None]) -> bytes:
    """Return what a replayed server answers to a connection's greeting, as BSON."""
    return _hellos.get(address) or bson.encode({"ok": 1, "ismaster": True, "maxWireVersion": 21})


def _hello(server: ServerDescription) -> dict[str, Any]:
    """Return the answer to a greeting from which pymongo would make this description."""
    kind = server.server_type
    hello: dict[str, Any] = {
        "ok": 1,
        "ismaster": kind in (SERVER_TYPE.RSPrimary, SERVER_TYPE.Standalone, SERVER_TYPE.Mongos),
        "minWireVersion": server.min_wire_version,
        "maxWireVersion": server.max_wire_version,
        "maxBsonObjectSize": server.max_bson_size,
        "maxMessageSizeBytes": server.max_message_size,
        "maxWriteBatchSize": server.max_write_batch_size,
        "logicalSessionTimeoutMinutes": server.logical_session_timeout_minutes,
    }
    if kind == SERVER_TYPE.Mongos:
        hello["msg"] = "isdbgrid"
    if kind == SERVER_TYPE.RSGhost:
        hello["isreplicaset"] = True
    if server.replica_set_name:
        hello |= {
            "setName": server.replica_set_name,
            "hosts": sorted(_node(one) for one in server.all_hosts),
            "primary": _node(server.primary) if server.primary else None,
            "me": _node(server.me) if server.me else None,
            "secondary": kind == SERVER_TYPE.RSSecondary,
            "arbiterOnly": kind == SERVER_TYPE.RSArbiter,
            "setVersion": server.set_version,
            "electionId": server.election_id,
            "tags": dict(server.tags),
        }
    return {name: value for name, value in hello.items() if value is not None}


def _node(address: tuple[str, int | None]) -> str:
    return ":".join(map(str, address))

"""A stand-in of ours for MongoDB, since no package of a mongod is to be had.

It speaks the wire protocol (OP_MSG) and SCRAM-SHA-256, keeps documents in memory, and knows of
the commands what the tests need: filters by equality, `$set`, `$inc`, `$match`, cursors in
batches, and a unique "email". Nothing in it knows of recording.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import secrets
import socketserver
import struct
import threading
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import bson
from bson.int64 import Int64

if TYPE_CHECKING:
    from collections.abc import Iterator

USER, PASSWORD = "shop", "pencil-sharpener"
_HEADER = struct.Struct("<iiii")
_ROUNDS = 4096


class MongoServer(socketserver.ThreadingTCPServer):
    """One server, a replica set of one, or by itself; ended by `running`."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, set_name: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.set_name = set_name
        self.collections: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.cursors: dict[int, list[dict[str, Any]]] = {}
        self.numbers = itertools.count(1)
        self.failing: list[str] = []
        """Names of commands upon which the connection breaks off, each once."""
        self.lock = threading.Lock()

    @property
    def address(self) -> str:
        """Return "host:port"."""
        host, port = self.server_address[:2]
        return f"{host!s}:{port}"

    @property
    def url(self) -> str:
        """Return the URL to connect with."""
        return f"mongodb://{self.address}/?serverSelectionTimeoutMS=2000"


@contextmanager
def running(set_name: str = "") -> Iterator[MongoServer]:
    """Run a server while the block runs."""
    with MongoServer(set_name) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Connection(socketserver.BaseRequestHandler):
    server: MongoServer
    _scram: tuple[bytes, bytes] = (b"", b"")

    def handle(self) -> None:
        while True:
            header = self._read(16)
            if len(header) < 16:
                return
            length, number, _, code = _HEADER.unpack(header)
            body = self._read(length - 16)
            # Before pymongo 4.16 the greeting is an OP_QUERY.
            command, flags = _parsed(body) if code == 2013 else (_queried(body), 0)
            name = next(iter(command))
            with self.server.lock:
                if name in self.server.failing:
                    self.server.failing.remove(name)
                    return
                reply = {"ok": 1.0, **getattr(self, f"_{name.lower()}")(command)}
            if not flags & 2:
                self._send(number, reply, code)

    def _read(self, size: int) -> bytes:
        data = b""
        try:
            while len(data) < size:
                part = self.request.recv(size - len(data))
                if not part:
                    return data
                data += part
        except OSError:  # pymongo ends monitors' connections as it likes
            return b""
        return data

    def _send(self, number: int, reply: dict[str, Any], asked: int) -> None:
        head = struct.pack("<IB", 0, 0) if asked == 2013 else struct.pack("<Iqii", 8, 0, 0, 1)
        body = head + bson.encode(reply)
        code = 2013 if asked == 2013 else 1
        self.request.sendall(_HEADER.pack(16 + len(body), number + 1000, number, code) + body)

    def _hello(self, command: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {
            "ismaster": True,
            "helloOk": True,
            "minWireVersion": 0,
            "maxWireVersion": 21,
            "maxBsonObjectSize": 16_777_216,
            "maxMessageSizeBytes": 48_000_000,
            "maxWriteBatchSize": 100_000,
            "logicalSessionTimeoutMinutes": 30,
            "connectionId": next(self.server.numbers),
        }
        if self.server.set_name:
            address = self.server.address
            found |= {"setName": self.server.set_name, "hosts": [address], "me": address}
            found |= {"primary": address, "setVersion": 1, "secondary": False}
        if "saslSupportedMechs" in command:
            found["saslSupportedMechs"] = ["SCRAM-SHA-256"]
        return found

    _ismaster = _hello

    def _saslstart(self, command: dict[str, Any]) -> dict[str, Any]:
        first = bytes(command["payload"])[3:]
        nonce = first.split(b"r=")[1] + secrets.token_hex(8).encode()
        reply = b"r=%s,s=%s,i=%d" % (nonce, base64.b64encode(b"salt" * 4), _ROUNDS)
        self._scram = (first, reply)
        return {"conversationId": 1, "done": False, "payload": reply}

    def _saslcontinue(self, command: dict[str, Any]) -> dict[str, Any]:
        final = bytes(command["payload"])
        bare, _, proof = final.partition(b",p=")
        salted = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), b"salt" * 4, _ROUNDS)
        key = hmac.digest(salted, b"Client Key", "sha256")
        message = b",".join((*self._scram, bare))
        signature = hmac.digest(hashlib.sha256(key).digest(), message, "sha256")
        right = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        if base64.b64decode(proof) != right:
            return {"ok": 0.0, "errmsg": "Authentication failed.", "code": 18}
        server = hmac.digest(salted, b"Server Key", "sha256")
        payload = b"v=" + base64.b64encode(hmac.digest(server, message, "sha256"))
        return {"conversationId": 1, "done": True, "payload": payload}

    def _ping(self, _: dict[str, Any]) -> dict[str, Any]:
        return {}

    _endsessions = _killcursors = _createindexes = _ping
    _committransaction = _aborttransaction = _ping

    def _insert(self, command: dict[str, Any]) -> dict[str, Any]:
        kept = self._kept(command, "insert")
        errors = []
        for index, document in enumerate(command["documents"]):
            email = document.get("email")
            if email is not None and any(one.get("email") == email for one in kept):
                text = f"E11000 duplicate key error: email: {email}"
                errors.append({"index": index, "code": 11000, "errmsg": text})
                break
            kept.append(document)
        return {"n": len(command["documents"]) - len(errors)} | (
            {"writeErrors": errors} if errors else {}
        )

    def _find(self, command: dict[str, Any]) -> dict[str, Any]:
        found = _matching(self._kept(command, "find"), command.get("filter", {}))
        if command.get("limit"):
            found = found[: command["limit"]]
        return self._cursor(command, "find", found, command.get("batchSize", 101))

    def _aggregate(self, command: dict[str, Any]) -> dict[str, Any]:
        found = self._kept(command, "aggregate")
        for stage in command["pipeline"]:
            if "$match" in stage:
                found = _matching(found, stage["$match"])
            if "$group" in stage:  # what count_documents asks
                found = [{"_id": 1, "n": len(found)}] if found else []
        return self._cursor(command, "aggregate", found, 101)

    def _getmore(self, command: dict[str, Any]) -> dict[str, Any]:
        number = int(command["getMore"])
        rest, size = self.server.cursors[number], command.get("batchSize", 101)
        batch, self.server.cursors[number] = rest[:size], rest[size:]
        more = Int64(number if len(rest) > size else 0)
        return {"cursor": {"id": more, "ns": "shop.users", "nextBatch": batch}}

    def _update(self, command: dict[str, Any]) -> dict[str, Any]:
        touched = 0
        for one in command["updates"]:
            for document in _matching(self._kept(command, "update"), one["q"])[:1]:
                _change(document, one["u"])
                touched += 1
        return {"n": touched, "nModified": touched}

    def _findandmodify(self, command: dict[str, Any]) -> dict[str, Any]:
        found = _matching(self._kept(command, "findAndModify"), command["query"])
        if not found:
            return {"value": None}
        before = dict(found[0])
        _change(found[0], command["update"])
        return {"value": dict(found[0]) if command.get("new") else before}

    def _delete(self, command: dict[str, Any]) -> dict[str, Any]:
        kept, gone = self._kept(command, "delete"), 0
        for one in command["deletes"]:
            for document in _matching(kept, one["q"]):
                kept.remove(document)
                gone += 1
        return {"n": gone}

    def _kept(self, command: dict[str, Any], name: str) -> list[dict[str, Any]]:
        return self.server.collections[f"{command['$db']}.{command[name]}"]

    def _cursor(
        self, command: dict[str, Any], name: str, found: list[dict[str, Any]], size: int
    ) -> dict[str, Any]:
        number = 0
        if len(found) > size:
            number = next(self.server.numbers)
            self.server.cursors[number] = found[size:]
        name = f"{command['$db']}.{command[name]}"
        return {"cursor": {"id": Int64(number), "ns": name, "firstBatch": found[:size]}}


def _parsed(body: bytes) -> tuple[dict[str, Any], int]:
    (flags,) = struct.unpack_from("<I", body)
    command: dict[str, Any] = {}
    place = 4
    while place < len(body):
        (size,) = struct.unpack_from("<i", body, place + 1)
        section = body[place + 1 : place + 1 + size]
        if body[place] == 0:
            command = bson.decode(section) | command
        else:
            name, _, documents = section[4:].partition(b"\0")
            command[name.decode()] = bson.decode_all(documents)
        place += 1 + size
    return command, flags


def _queried(body: bytes) -> dict[str, Any]:
    place = body.index(0, 4) + 9
    (size,) = struct.unpack_from("<i", body, place)
    return bson.decode(body[place : place + size])


def _matching(kept: list[dict[str, Any]], wanted: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in kept if all(one.get(name) == value for name, value in wanted.items())]


def _change(document: dict[str, Any], how: dict[str, Any]) -> None:
    document.update(how.get("$set", {}))
    for name, more in how.get("$inc", {}).items():
        document[name] = document.get(name, 0) + more

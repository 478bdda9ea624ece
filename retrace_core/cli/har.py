"""HAR: a recording as an HTTP Archive, the incoming request first, then the outgoing ones.

Source: HAR 1.2 specification, http://www.softwareishard.com/blog/har-12-spec/
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from importlib import metadata
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from retrace_core.cli.bodies import as_text, content_type, decompressed
from retrace_core.cli.exchanges import Exchange, of_recording

if TYPE_CHECKING:
    from retrace_core.recording import Headers, Recording

__all__ = ["har"]

_UNKNOWN = -1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def har(recordings: list[Recording]) -> dict[str, Any]:
    """Return a HAR 1.2 document; what is to be masked must be so already.

    Args:
        recordings: each gives an entry for its request, and one for each HTTP call it made.
    """
    entries = [entry for recording in recordings for entry in _entries(recording)]
    entries.sort(key=lambda entry: str(entry["startedDateTime"]))
    try:
        version = metadata.version("retrace-mw")
    except metadata.PackageNotFoundError:
        version = "unknown"
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "retrace", "version": version},
            "entries": entries,
        }
    }


def _entries(recording: Recording) -> list[dict[str, Any]]:
    return [_incoming(recording)] + [
        _outgoing(recording, exchange) for exchange in of_recording(recording)
    ]


def _incoming(recording: Recording) -> dict[str, Any]:
    request, response, header = recording.request, recording.response, recording.header
    body = b"".join(request.body)
    sent = _request(
        request.method, _url(recording), f"HTTP/{request.http_version}", request.headers
    )
    sent["bodySize"] = request.body_bytes
    if body:
        text = as_text(body)
        sent["postData"] = {
            "mimeType": content_type(request.headers),
            "params": [],
            "text": text if text is not None else base64.b64encode(body).decode(),
            **({} if text is not None else {"comment": "base64"}),
        }
    wait_ms = header.duration_ns / 1e6
    return {
        "startedDateTime": _moment(header.started_ns, 0),
        "time": wait_ms,
        "request": sent,
        "response": _response(
            response.status if response else 0,
            response.reason if response else "",
            f"HTTP/{request.http_version}",
            response.headers if response else [],
            b"".join(response.body) if response else b"",
        ),
        "cache": {},
        "timings": {"send": 0, "wait": wait_ms, "receive": 0},
        "comment": f"incoming: {header.service}" + (f", {header.error}" if header.error else ""),
    }


def _outgoing(recording: Recording, exchange: Exchange) -> dict[str, Any]:
    header = recording.header
    wait_ms = max(0, exchange.answered_us - exchange.started_us) / 1e3
    receive_ms = max(0, exchange.ended_us - exchange.answered_us) / 1e3
    version = exchange.http_version
    request = _request(exchange.method, exchange.url, version, list(header.outgoing_headers))
    request["comment"] = "headers and body of outgoing requests are not recorded"
    return {
        "startedDateTime": _moment(header.started_ns, exchange.started_us),
        "time": wait_ms + receive_ms,
        "request": request,
        "response": _response(
            exchange.status, exchange.reason, version, exchange.headers, exchange.body
        ),
        "cache": {},
        "timings": {"send": 0, "wait": wait_ms, "receive": receive_ms},
        "comment": f"outgoing: {header.service}, lane {exchange.lane}"
        + (f", {exchange.error}" if exchange.error else ""),
    }


def _request(method: str, url: str, version: str, headers: Headers) -> dict[str, Any]:
    return {
        "method": method,
        "url": url,
        "httpVersion": version,
        "cookies": [],
        "headers": _pairs(headers),
        "queryString": _pairs(_query(url)),
        "headersSize": _UNKNOWN,
        "bodySize": _UNKNOWN,
    }


def _response(
    status: int, reason: str, version: str, headers: Headers, body: bytes
) -> dict[str, Any]:
    plain = decompressed(body, headers)
    text = as_text(plain)
    content: dict[str, Any] = {"size": len(plain), "mimeType": content_type(headers)}
    if text is not None:
        content["text"] = text
    else:
        content |= {"text": base64.b64encode(plain).decode(), "encoding": "base64"}
    return {
        "status": status,
        "statusText": reason,
        "httpVersion": version,
        "cookies": [],
        "headers": _pairs(headers),
        "content": content,
        "redirectURL": next((v for n, v in headers if n.lower() == "location"), ""),
        "headersSize": _UNKNOWN,
        "bodySize": len(body),
    }


def _url(recording: Recording) -> str:
    request = recording.request
    host = next((value for name, value in request.headers if name.lower() == "host"), "")
    if not host:
        name, port = request.server or (recording.header.service, 0)
        host = f"{name}:{port}" if port else name
    path = request.raw_path.decode("latin-1") or request.root_path + request.path
    query = f"?{request.query.decode('latin-1')}" if request.query else ""
    return f"{request.scheme}://{host}{path}{query}"


def _query(url: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(urlsplit(url).query, keep_blank_values=True)
    except ValueError:
        return []


def _pairs(pairs: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _moment(started_ns: int, offset_us: int) -> str:
    try:
        moment = _EPOCH + timedelta(microseconds=started_ns // 1000 + offset_us)
    except OverflowError:
        moment = _EPOCH
    return moment.isoformat(timespec="microseconds")

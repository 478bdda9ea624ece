"""The visitor: a browser of sorts, which numbers what it asks and checks the answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Asked", "Visitor", "hidden_fields"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that was made; its number is the name of its recording."""

    name: str
    method: str
    path: str
    status: int

    def line(self) -> str:
        """Return it on one line."""
        return f"{self.name} {self.method} {self.path} ({self.status})"


class Visitor:
    """Keeps cookies; each request is made under a trace id of its own, 0001, 0002, ..."""

    def __init__(self, base: str, origin: str, progress: Callable[[Asked], None]) -> None:
        self.base = base
        self.origin = origin
        """Address of what the application asks over HTTP, where it does."""
        self.asked: list[Asked] = []
        self._progress = progress
        self._client = httpx.Client(base_url=base, timeout=60, follow_redirects=False)

    @property
    def cookies(self) -> httpx.Cookies:
        """The cookies it holds."""
        return self._client.cookies

    def ask(
        self,
        method: str,
        path: str,
        *expect: int,
        headers: dict[str, str] | None = None,
        **how: Any,
    ) -> httpx.Response:
        """Make one request; `how` as for httpx.

        Args:
            method: GET, PROPFIND, ...
            path: with its query.
            expect: the statuses that are right; by default any below 400.
            headers: more headers.
        """
        name = f"{len(self.asked) + 1:04}"
        given = {"X-Trace-ID": name, **(headers or {})}
        answer = self._client.request(method, path, headers=given, **how)
        asked = Asked(name, method, path, answer.status_code)
        self.asked.append(asked)
        self._progress(asked)
        if answer.status_code not in expect if expect else answer.status_code >= 400:
            raise RuntimeError(
                f"{method} {path} was answered {answer.status_code}: {answer.text[:1500]}"
            )
        return answer

    def get(self, path: str, *expect: int, **how: Any) -> httpx.Response:
        """GET."""
        return self.ask("GET", path, *expect, **how)

    def post(self, path: str, *expect: int, **how: Any) -> httpx.Response:
        """POST."""
        return self.ask("POST", path, *expect, **how)

    def put(self, path: str, *expect: int, **how: Any) -> httpx.Response:
        """PUT."""
        return self.ask("PUT", path, *expect, **how)

    def patch(self, path: str, *expect: int, **how: Any) -> httpx.Response:
        """PATCH."""
        return self.ask("PATCH", path, *expect, **how)

    def delete(self, path: str, *expect: int, **how: Any) -> httpx.Response:
        """DELETE."""
        return self.ask("DELETE", path, *expect, **how)

    def send_form(
        self, path: str, fields: dict[str, Any], *expect: int, token: str, **how: Any
    ) -> httpx.Response:
        """Fetch the page with a form, and send it as a person would, its hidden fields too.

        Args:
            path: of the page, which is also where the form goes.
            fields: what the person fills in.
            expect: as for `ask`, for the answer to the form.
            token: name of the hidden field that must be there (the one against forgery).
        """
        page = self.get(path).text
        hidden = hidden_fields(page)
        if token not in hidden:
            raise RuntimeError(f"the page {path} has no field {token!r}")
        return self.post(path, *expect, data={**hidden, **fields}, **how)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def hidden_fields(page: str) -> dict[str, str]:
    """Return the hidden fields of the forms of a page."""
    found: dict[str, str] = {}
    for tag in re.findall(r"<input\b[^>]*>", page):
        parts = re.findall(r"""([\w-]+)\s*=\s*(?:["']([^"']*)["']|([^\s"'>]+))""", tag)
        values = {name: quoted or bare for name, quoted, bare in parts}
        if values.get("type") == "hidden" and "name" in values:
            found.setdefault(values["name"], values.get("value", ""))
    return found

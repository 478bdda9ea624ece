"""Suites: which projects' tests are run, and what each of them needs."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SUITES", "Suite"]


@dataclass(frozen=True, slots=True)
class Suite:
    """One project's own tests, from its source distribution."""

    needs: tuple[str, ...]
    """Requirements beside the project itself."""
    group: str = ""
    """The dependency group of its pyproject.toml that its tests need."""
    calls_out: bool = False
    """True for a client library: each of its tests runs within a recorded request."""
    options: tuple[str, ...] = ()
    """For pytest."""


SUITES = {
    "flask": Suite(needs=("pytest<9",), group="tests"),
    "werkzeug": Suite(needs=(), group="tests", options=("--timeout=30",)),
    "starlette": Suite(
        needs=(
            "starlette[full]",
            "httpx2[zstd]>=2",
            "blockbuster>=1.5.23",
            "importlib-metadata>=9",
            "opentelemetry-sdk>=1.44",
            "pytest-codspeed>=4.1.1",
            "pytest>=9.1.1",
            "trio>=0.34",
        )
    ),
    "fastapi": Suite(needs=("fastapi[all]",), group="tests"),
    "requests": Suite(
        needs=(
            "requests[socks]",
            "pytest-httpbin==2.1.0",
            "httpbin~=0.10.0",
            "pytest-mock",
            "pytest-cov",
            "pytest>=3,<10",
            "trustme",
        ),
        calls_out=True,
    ),
    "httpx": Suite(
        needs=(
            "httpx[brotli,cli,http2,socks,zstd]",
            "chardet",
            "cryptography",
            "pytest<9",
            "trio",
            "trustme",
            "uvicorn",
        ),
        calls_out=True,
    ),
}
"""Name of the distribution -> its suite."""

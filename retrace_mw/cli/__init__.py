"""The commands that need the middleware; they come into `retrace` by entry point."""

from __future__ import annotations

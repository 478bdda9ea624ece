"""lxml: documents, schemas and stylesheets that libxml2 opens by their name, and writes.

With what a schema or a stylesheet includes, which libxml2 opens as well; a parser's targets and
resolvers are the application's, and run on replay too. `iterparse` goes by the `open` that was
there when lxml was imported.

Hooks: `lxml.etree.parse`, `iterparse`, `ElementTree`, its `parse` and `write`, schemas of a file.
Read in lxml 6.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import WRITES, opening

if TYPE_CHECKING:
    from collections.abc import Iterator

# Not imported: this runs while it is, in the hands of whoever asked for it.
etree: Any = sys.modules["lxml.etree"]

_HEAD_BYTES = 64 << 10
"""What a document includes is said where it begins."""
_INCLUDED = re.compile(
    rb"""<[\w.-]+:(?:import|include|redefine)\b[^>]*?\b(?:schemaLocation|href)\s*=\s*["']([^"'#]+)
    |<!(?:DOCTYPE|ENTITY)\s[^>"']*?SYSTEM\s+["']([^"']+)""",
    re.VERBOSE,
)
_MOST = 200


def _included(path: str, *, known: set[str] | None = None) -> Iterator[str]:
    """Yield the paths of the files that a document includes, and of those that these do."""
    known = {os.path.abspath(path)} if known is None else known
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return
    for named in _INCLUDED.findall(head):
        place = os.fsdecode(next(filter(None, named)))
        whole = os.path.abspath(os.path.join(os.path.dirname(path), place))
        if "://" in place or whole in known or len(known) > _MOST or not os.path.isfile(whole):
            continue
        known.add(whole)
        yield whole
        yield from _included(whole, known=known)


def _schemas() -> Iterator[Any]:
    for name in ("XMLSchema", "RelaxNG", "DTD", "Schematron"):
        of_file = 1 if name == "DTD" else -1
        yield from opening(
            getattr(etree, name), "__init__", of_file, "file", in_bytes=True, beside=_included
        )


_TREE = etree._ElementTree
_IS_CLASS = isinstance(etree.ElementTree, type)
_MAKER, _MAKES = (etree.ElementTree, "__new__") if _IS_CLASS else (etree, "ElementTree")
"""It is a class since lxml 6."""

BOUNDARY = Boundary(
    kind="file",
    supports="lxml>=4.9",
    hooks=(
        *opening(etree, "parse", 0, "source", in_bytes=True, beside=_included, calls_back=True),
        *opening(_TREE, "parse", 1, "source", in_bytes=True, beside=_included, calls_back=True),
        *opening(_MAKER, _MAKES, -1, "file", in_bytes=True, beside=_included, calls_back=True),
        *opening(etree.iterparse, "__init__", 1, "source", in_bytes=True),
        *opening(_TREE, "write write_c14n", 1, "file", WRITES, in_bytes=True),
        *_schemas(),
    ),
)

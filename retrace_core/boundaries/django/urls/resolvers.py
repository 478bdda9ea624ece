"""Django's URLs that are made when the first request asks for them, of a database say.

A resolver is the process's. What one of a class of its own asks for its patterns (django CMS
takes them from its pages) is on the boot tape, so that a later request is routed on replay, too.

Hook: `URLResolver.__init__`, which looks at the class. Read in Django 3.2 to 5.2.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from django.urls.resolvers import URLResolver
from django.utils.functional import cached_property

from retrace_core.boundary import Boundary, Patch, filling

if TYPE_CHECKING:
    from collections.abc import Callable

_LAZY = ("url_patterns", "urlconf_module")
_seen: set[type] = {URLResolver}


def _hooked(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **options: Any) -> None:  # noqa: N807
        if type(self) not in _seen:
            for one in type(self).__mro__:
                _fill(one)
        original(self, *args, **options)

    return __init__


def _fill(cls: type) -> None:
    """Have what a class makes once for a resolver on the boot tape; Django's own asks nothing."""
    if cls in _seen:
        return
    _seen.add(cls)
    for name in _LAZY:
        made = vars(cls).get(name)
        if isinstance(made, cached_property):
            made.func = filling(made.func)


BOUNDARY = Boundary(
    kind="django.urls",
    supports="django>=3.2",
    hooks=(Patch(URLResolver, "__init__", _hooked),),
)

"""Django's sites: an earlier request may have filled their cache.

The current site is recorded wherever it is asked for, cached or not, so that the request's
own recording has it.

Hooks: `SiteManager._get_site_by_id` and `_get_site_by_request`.
"""

from __future__ import annotations

import functools
from typing import Any

from django.contrib.sites.models import Site, SiteManager

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.django_rows import object_of, row_of
from retrace_core.native import current


def _hooked(original: Any) -> Any:
    @functools.wraps(original)
    def found(self: Any, asked: Any) -> Any:
        lane = current()
        if lane is None:
            return original(self, asked)
        key = asked.get_host() if hasattr(asked, "get_host") else asked
        live = functools.partial(original, self, asked)
        again = functools.partial(object_of, self.model)
        return call_free(lane, "free.site", [self.db, key], live, row_of, again)

    return found


BOUNDARY = Boundary(
    kind="django.sites",
    supports="django>=3.2",
    hooks=(
        Patch(SiteManager, "_get_site_by_id", _hooked),
        Patch(SiteManager, "_get_site_by_request", _hooked),
    ),
    errors=(Site.DoesNotExist,),  # pyright: ignore[reportAttributeAccessIssue],
)

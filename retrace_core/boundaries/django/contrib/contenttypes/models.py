"""Django's content types: an earlier request may have filled their manager's cache.

What a look-up finds is recorded wherever it is asked, cached or not, so that the request's own
recording has it.

Hooks: the `get_for_*` methods and `get_by_natural_key` of `ContentTypeManager`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType, ContentTypeManager

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.django_rows import object_of, row_of
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _label(model: Any) -> object:
    meta = getattr(model, "_meta", None)
    return meta.label if meta is not None else model


def _hooked(kind: str) -> Callable[[Any], Any]:
    def factory(original: Any) -> Any:
        @functools.wraps(original)
        def found(self: Any, *args: Any, **kwargs: Any) -> Any:
            lane = current()
            if lane is None:
                return original(self, *args, **kwargs)
            live = functools.partial(original, self, *args, **kwargs)
            # A migration asks the manager of a model as it was then, for objects of that.
            again = functools.partial(object_of, self.model)
            key = [self.db, [_label(one) for one in args], kwargs and _named(kwargs)]
            return call_free(lane, kind, key, live, row_of, again)

        return found

    return factory


def _hooked_many(original: Any) -> Any:
    @functools.wraps(original)
    def found(self: Any, *models: Any, **kwargs: Any) -> Any:
        lane = current()
        if lane is None:
            return original(self, *models, **kwargs)

        # Often asked for a set of models, whose order is another in each process: that of the
        # answer, which may go into SQL, comes back as it was.
        def rows(types: Any) -> object:
            return [[_label(model), row_of(found)] for model, found in types.items()]

        def types(rows: Any) -> Any:
            named = {_label(model): model for model in models}
            return {named[label]: object_of(self.model, row) for label, row in rows}

        live = functools.partial(original, self, *models, **kwargs)
        labels = sorted(str(_label(one)) for one in models)
        key = [self.db, labels, kwargs and _named(kwargs)]
        return call_free(lane, "free.contenttypes", key, live, rows, types)

    return found


def _named(kwargs: dict[str, Any]) -> object:
    return [[name, _label(value)] for name, value in sorted(kwargs.items())]


BOUNDARY = Boundary(
    kind="django.contenttypes",
    supports="django>=3.2",
    hooks=(
        *(
            Patch(ContentTypeManager, name, _hooked("free.contenttype"))
            for name in ("get_for_model", "get_for_id", "get_by_natural_key")
        ),
        Patch(ContentTypeManager, "get_for_models", _hooked_many),
    ),
    errors=(ContentType.DoesNotExist,),  # pyright: ignore[reportAttributeAccessIssue],
)

"""Django's rows: a model's object as its raw column values, and an object of them again."""

from __future__ import annotations

from typing import Any

__all__ = ["object_of", "row_of"]


def row_of(found: Any) -> list[object]:
    """Return the database it is from, and the values of its columns, of one object."""
    return [found._state.db, [getattr(found, one.attname) for one in found._meta.concrete_fields]]


def object_of(model: Any, row: Any) -> Any:
    """Return an object of a model as if loaded from its database.

    Args:
        model: its class.
        row: as `row_of` returned it.
    """
    database, values = row
    return model.from_db(database, [one.attname for one in model._meta.concrete_fields], values)

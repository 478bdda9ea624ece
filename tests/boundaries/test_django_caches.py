"""What Django keeps in memory of its database: warm or cold, recorded or not, it comes back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.state import ProjectState

from retrace_core import installer
from tests.recorded import assert_identical, identical_body, record_wsgi
from tests.test_frameworks import configure_django

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

configure_django()

from django.contrib.contenttypes.models import ContentType  # noqa: E402  # settings first
from django.contrib.sites.models import Site  # noqa: E402


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    """Make the two tables, and take them away again."""
    with connection.schema_editor() as editor:
        editor.create_model(ContentType)
        editor.create_model(Site)
    Site.objects.create(id=1, domain="shop.example", name="Shop")
    yield
    forget()
    with connection.schema_editor() as editor:
        editor.delete_model(Site)
        editor.delete_model(ContentType)
    connection.close()


def forget() -> None:
    """Make all caches cold."""
    ContentType.objects.clear_cache()
    Site.objects.clear_cache()


def types() -> Any:
    """Ask for content types in each way."""
    manager = ContentType.objects
    one = manager.get_for_model(Site)
    many = manager.get_for_models(Site, ContentType, for_concrete_models=False)
    named = manager.get_by_natural_key("sites", "site")
    again = manager.get_for_id(one.id)
    found = [one, named, again, *many.values()]
    return {"types": [[each.id, each.app_label, each.model, each._state.db] for each in found]}


def site() -> Any:
    """Ask for the current site."""
    current = Site.objects.get_current()
    return {"site": [current.id, current.domain, current.name]}


@pytest.mark.parametrize("view", [types, site])
@pytest.mark.parametrize("recorded", ["cold", "warm"])
@pytest.mark.parametrize("replayed", ["cold", "warm"])
def test_a_cache_may_be_cold_or_warm(
    recordings: Path, view: Callable[[], Any], recorded: str, replayed: str
) -> None:
    """Each of the four ways gives the recorded answer, and no call is live."""
    installer.install()
    view()
    if recorded == "cold":
        forget()
    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200
    for _ in range(2):
        if replayed == "cold":
            forget()
        assert_identical(recording, app, times=1)


def test_a_migration_gets_objects_of_the_models_as_they_were(recordings: Path) -> None:
    """Else Django refuses to put them into a query of such a one."""
    then = ProjectState.from_apps(apps).apps.get_model("contenttypes", "ContentType")

    def view() -> Any:
        manager = then.objects
        found = [manager.get_for_model(Site), *manager.get_for_models(Site).values()]
        return {"then": [isinstance(one, then) for one in found]}

    app, recording = record_wsgi(recordings, view)
    assert json.loads(identical_body(recording, app)) == {"then": [True, True]}


def test_content_types_of_a_set_of_models_may_be_asked_in_another_order(recordings: Path) -> None:
    """A set's order is another in each process; the order of the answer is the recorded one."""
    models = [Site, ContentType]

    def view() -> Any:
        found = ContentType.objects.get_for_models(*models)
        return {"types": [[model.__name__, each.model] for model, each in found.items()]}

    app, recording = record_wsgi(recordings, view)
    models.reverse()
    forget()
    assert_identical(recording, app)


def test_a_site_that_is_not_there_is_not_there_again(recordings: Path) -> None:
    """The exception is Django's own."""
    Site.objects.all().delete()
    forget()

    def view() -> str:
        try:
            return str(Site.objects.get_current())
        except Site.DoesNotExist as error:
            return f"none: {error}"

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)


def test_a_content_type_may_be_asked_for_once_more(recordings: Path) -> None:
    """As where the application kept what it made of one, in memory that is cold on replay."""
    kept: list[int] = []

    def asked() -> int:
        return ContentType.objects.get_for_model(Site).id

    def view() -> Any:
        return {"ids": [asked(), kept[0] if kept else asked()]}

    kept.append(asked())
    app, recording = record_wsgi(recordings, view)
    kept.clear()
    forget()
    assert_identical(recording, app, times=1)

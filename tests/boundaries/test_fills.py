"""What the first request of a process makes for all of them is on the boot tape."""

from __future__ import annotations

import json
import random
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from channels.layers import ChannelLayerManager
from django.contrib.staticfiles.storage import ConfiguredStorage
from django.core.files.storage import storages
from django.test import override_settings
from django.urls import URLPattern, URLResolver, path
from django.urls.resolvers import RegexPattern
from django.utils.functional import SimpleLazyObject, cached_property
from django.views import View
from funcy import calc

from retrace_core import installer
from retrace_core.boot import tape as boot_tape
from tests.test_frameworks import configure_django

if TYPE_CHECKING:
    from pathlib import Path

    from retrace_core.boot.chapter import Chapter

configure_django()


class Layer:
    """As Redis' has a name of its own in each process."""

    def __init__(self) -> None:
        self.prefix = uuid.uuid4().hex


MANIFEST = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"


@pytest.fixture(autouse=True)
def tape(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin a boot tape."""
    installer.install()
    monkeypatch.setattr(boot_tape, "_tape", boot_tape.BootTape(1 << 20))


def chapters() -> list[Chapter]:
    """Return what is on the tape."""
    tape = boot_tape.tape()
    assert tape is not None
    return tape.take_unsaved()[1]


def test_the_manifest_of_static_files(tmp_path: Path) -> None:
    """Django reads it once, as the first template names a file."""
    names = {"version": "1.1", "hash": "", "paths": {"shop.css": "shop.0a1b2c.css"}}
    (tmp_path / "staticfiles.json").write_text(json.dumps(names))
    static = {"BACKEND": MANIFEST, "OPTIONS": {"location": tmp_path, "base_url": "/static/"}}
    with override_settings(STORAGES={"staticfiles": static}, STATIC_URL="/static/"):
        storages.__dict__.pop("backends", None)
        storage: Any = ConfiguredStorage()
        assert [storage.url("shop.css") for _ in range(2)] == ["/static/shop.0a1b2c.css"] * 2
    storages.__dict__.pop("backends", None)
    (chapter,) = chapters()
    assert chapter.label.endswith("ConfiguredStorage._setup")
    assert chapter.events


def test_urls_that_are_made_at_the_first_request() -> None:
    """As of the pages of a site, which are in its database."""

    class OfPages(URLResolver):
        @cached_property
        def url_patterns(self) -> list[URLPattern]:
            return [path(f"{uuid.uuid4()}/", View.as_view())]

    resolver = OfPages(RegexPattern(""), None)
    assert resolver.url_patterns is resolver.url_patterns
    (chapter,) = chapters()
    assert chapter.label.endswith("OfPages.url_patterns")


def test_a_layer_of_channels() -> None:
    """It is made once, as the first message is sent."""
    layer = {"BACKEND": f"{__name__}.Layer"}
    with override_settings(CHANNEL_LAYERS={"default": layer}):
        layers = ChannelLayerManager()
        assert layers["default"].prefix == layers["default"].prefix
    (chapter,) = chapters()
    assert (chapter.label.rpartition(".")[2], chapter.key[1:]) == ("make_backend", ["default"])


@pytest.mark.parametrize("way", ["bare", "called", "for-a-minute"])
def test_what_funcy_memoizes(way: str) -> None:
    """What the function asks at a miss is a chapter of its own; a hit asks nothing."""
    ways = {"bare": calc.memoize, "called": calc.memoize(), "for-a-minute": calc.cache(60)}

    @ways[way]  # type: ignore[untyped-decorator]  # funcy has no types
    def rate(currency: str) -> str:
        return f"{currency} {random.random()}"

    assert rate("EUR") == rate("EUR")
    (chapter,) = chapters()
    assert (chapter.label.rpartition(".")[2], chapter.key) == ("rate", ["EUR"])


def test_a_lazy_argument_is_not_made_by_its_name() -> None:
    """What a fill is found by says the type of an object, and asks the object nothing."""
    made = list[str]()
    user = SimpleLazyObject(lambda: made.append("user"))

    @calc.memoize(key_func=id)  # type: ignore[untyped-decorator]  # funcy has no types
    def greeting(of: object) -> str:
        return f"hello {random.random()}"

    greeting(user)
    assert not made

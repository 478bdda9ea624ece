"""Embedded uWSGI: records, under `retrace run`, an application of no framework that uWSGI loads.

uWSGI is no program of Python's: it has the interpreter in it, imports a module, and takes an
attribute of it. That attribute is replaced as soon as its module was imported. What it loads by a
path it imports in no way that could be hooked; then it is told that nothing is recorded.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import TYPE_CHECKING, Any

from wrapt import register_post_import_hook  # pyright: ignore[reportUnknownVariableType]

from retrace_core import failsafe, writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import ModuleType

__all__ = ["enable", "is_embedded", "places"]

_MODULE_OPTIONS = ("module", "wsgi", "wsgi-module", "w")
_FILE_MODULE = "uwsgi_file_"
"""Beginning of the name that uWSGI gives to a module that it loads by a path."""


def is_embedded() -> bool:
    """Return True where uWSGI has started the interpreter."""
    # An interpreter that was not started by a command line of its own has no such line; of pyuwsgi
    # it is that of a script, which runs uWSGI within itself.
    scripts = (one for one in sys.orig_argv[1:] if not one.startswith("-"))
    started = next(scripts, "") if sys.orig_argv else sys.executable
    return "uwsgi" in os.path.basename(started)


def enable(served: Callable[[Any], Any]) -> None:
    """Have the application recorded that uWSGI loads.

    Args:
        served: returns what serves an application: itself, where it is recorded already.
    """
    sys.meta_path.insert(0, _OnFirstImport(served))


class _OnFirstImport:
    """Is asked for the first module that is imported once uWSGI's own is there, with its options.

    That is made after the interpreter, and before the application is loaded.
    """

    def __init__(self, served: Callable[[Any], Any]) -> None:
        self._served = served
        self._asked = False

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> None:
        """Find nothing."""
        uwsgi = sys.modules.get("uwsgi")
        if uwsgi is not None and not self._asked:
            self._asked = True  # and not removed: who goes through the finders would skip the next
            with failsafe.gate("zero code for uWSGI"):
                _hook(uwsgi, self._served)


def _hook(uwsgi: Any, served: Callable[[Any], Any]) -> None:
    options = {name: list(_texts(value)) for name, value in uwsgi.opt.items()}
    named = list(places(options))
    if len(named) == 1:  # what has replaced it, or was made by it, has no name that could be found
        os.environ.setdefault("RETRACE_APP", ":".join(named[0]))
    for module, attribute in named:
        hook = functools.partial(_replace, served, attribute)
        register_post_import_hook(hook, module)
    uwsgi.atexit = functools.partial(_finish, getattr(uwsgi, "atexit", None))
    tell = functools.partial(_tell_of_files, served, options.get("callable", ["application"])[0])
    uwsgi.post_fork_hook = tell  # called where a worker begins, and where there is but one
    # It has that attribute for itself, and a list of what it calls.
    register_post_import_hook(lambda module: module.postfork(tell), "uwsgidecorators")


def _finish(usual: Callable[[], object] | None) -> None:
    """Write what waits as a worker ends: uWSGI has SIGTERM for itself."""
    writer.finish()
    if usual is not None:
        usual()


def places(options: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Yield module and attribute of each application that uWSGI's options name."""
    usual = next(iter(options.get("callable", ())), "application")
    named = [one for option in _MODULE_OPTIONS for one in options.get(option, ())]
    # Of these alone it takes a name that ends so for that of a file: `shop.wsgi` is a module, too.
    mounted = (one.partition("=")[2] for one in options.get("mount", ()))
    named += [one for one in mounted if not one.endswith((".py", ".wsgi", ".ini"))]
    for one in named:
        module, _, attribute = one.partition(":")
        if module:
            yield module, attribute or usual


def _texts(value: Any) -> Iterator[str]:
    for one in value if isinstance(value, list | tuple) else [value]:
        yield os.fsdecode(one) if isinstance(one, (bytes, str)) else str(one)


def _replace(served: Callable[[Any], Any], attribute: str, module: ModuleType) -> None:
    """Have served what an attribute is; of a factory, what it returns."""
    with failsafe.gate("zero code for uWSGI"):
        name = attribute.removesuffix("()")
        found = vars(module).get(name)
        if found is None:
            return
        if name == attribute:
            vars(module)[name] = served(found)
        else:

            @functools.wraps(found)
            def made(*args: Any, **kwargs: Any) -> Any:
                return served(found(*args, **kwargs))

            vars(module)[name] = made


def _tell_of_files(served: Callable[[Any], Any], attribute: str) -> None:
    with failsafe.gate("zero code for uWSGI"):
        for name, module in sys.modules.copy().items():
            app = vars(module).get(attribute) if name.startswith(_FILE_MODULE) else None
            if app is not None and served(app) is not app:
                print(  # noqa: T201
                    f"retrace: requests to {attribute} of {module.__file__} are not recorded: it is"
                    " of no framework, and uWSGI loads it by its path. Name it by --module, not"
                    " by --wsgi-file, or wrap it in retrace_mw.wsgi.RetraceMiddleware",
                    file=sys.stderr,
                )

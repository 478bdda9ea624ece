"""Run by the interpreter before anything else, in processes that `retrace run` started."""

import importlib.machinery
import importlib.util
import os
import sys

_here = os.path.dirname(os.path.abspath(__file__))


def _run_the_others() -> None:
    """Run the sitecustomize that this one hides, if there is one."""
    others = [entry for entry in sys.path if os.path.abspath(entry or ".") != _here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def _enable() -> None:
    try:
        from retrace_mw.zero_code import enable

        enable()
    except Exception as error:  # noqa: BLE001  # whatever it is, the program must start
        sys.stderr.write(f"retrace: could not start ({type(error).__name__}: {error})\n")


_run_the_others()
_enable()

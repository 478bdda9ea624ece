"""Run the command line as `python -m retrace_core.cli`."""

from __future__ import annotations

from retrace_core.cli import main

if __name__ == "__main__":
    main()

"""Reference: docs/cli.md, made from the help of every command.

`python -m retrace_core.cli.reference > docs/cli.md` writes it anew.
"""

from __future__ import annotations

from importlib import metadata

import click

from retrace_core.cli import COMMANDS, ENTRY_POINTS, retrace

__all__ = ["reference"]

_INTRODUCTION = """# The command `retrace`

Made from `--help` by `python -m retrace_core.cli.reference`; a test compares it.

What a command prints is plain where it is piped, and in colour on a terminal (`NO_COLOR=1`
refuses it). `--json` gives what a machine reads. Authorization, Cookie, Set-Cookie,
Proxy-Authorization and X-API-Key are masked in everything that is shown, unless `--reveal`
asks for them.

| exit status | means |
|---|---|
| 0 | done; of `replay` and `verify`: identical |
| 1 | of `replay` and `verify`: divergent; of `doctor`: problems found |
| 2 | unusable: a recording (or none), an app, a setting, an option; stderr says what to do |
| 130 | interrupted |

## Completion

Of commands, options, trace ids and their services. Type the line of your shell, or put it into
the file named beside it, to have it in every session:

```sh
eval "$(_RETRACE_COMPLETE=bash_source retrace)"       # bash, ~/.bashrc
eval "$(_RETRACE_COMPLETE=zsh_source retrace)"        # zsh, ~/.zshrc, after compinit
_RETRACE_COMPLETE=fish_source retrace | source        # fish, ~/.config/fish/config.fish
```
"""


def reference() -> str:
    """Return the text of docs/cli.md."""
    parts = [_INTRODUCTION]
    for name in (*COMMANDS, *_of_the_middleware()):
        # As on the command line: -h is understood too, and each command hands it on.
        parent = click.Context(retrace, info_name="retrace", help_option_names=["-h", "--help"])
        command = retrace.get_command(parent, name) if isinstance(retrace, click.Group) else None
        assert command is not None
        parts += _described(command, name, parent)
    return "".join(parts)


def _described(command: click.Command, name: str, parent: click.Context) -> list[str]:
    """Return the help of a command, and that of the commands below it."""
    context = click.Context(
        command, info_name=name, parent=parent, terminal_width=96, max_content_width=96
    )
    text = "\n".join(line.rstrip() for line in command.get_help(context).split("\n"))
    parts = [f"\n## {context.command_path}\n\n```text\n{text.rstrip()}\n```\n"]
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            assert found is not None
            parts += _described(found, below, context)
    return parts


def _of_the_middleware() -> list[str]:
    """Return the names of the commands that this distribution adds by entry point."""
    found = metadata.distribution("retrace-mw").entry_points.select(group=ENTRY_POINTS)
    return sorted(found.names)


if __name__ == "__main__":
    click.echo(reference(), nl=False)

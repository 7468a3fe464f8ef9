"""How commands are grouped and spelled, and how a group is imported only when somebody calls it.

Importing every command costs more than running most of them, so `nbflow --help` reads a table instead.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

Verb = TypeVar("Verb", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Entry:
    """A command or a group as the top of the command line knows it: where it is, and what the help says.

    `parts` are modules of this package, each with its `app`, which make one group together; or, for a single command,
    `module:function`. `also` are other spellings. `is_remote`: a single command that can be asked of a server.
    """

    help: str
    parts: tuple[str, ...]
    also: tuple[str, ...] = ()
    is_remote: bool = False

    def load(self, name: str) -> Any:  # Any: a command of typer's, which brings its own click
        """Import the command. Typer's classes for it depend on the version."""
        app = new_group(self.help)
        for part in self.parts:
            module, _, function = part.partition(":")
            found = importlib.import_module(f"nbflow.cli.{module}")
            if function:
                verb(app, name, is_remote=self.is_remote)(getattr(found, function))
                return get_command(app)
            if len(self.parts) == 1:  # its own callback holds
                app = found.app
            else:
                app.add_typer(found.app)
        group = get_group(app)
        group.name = name
        return group


class LazyGroup(TyperGroup):
    """The top of the command line; `entries` are its commands by name."""

    entries: ClassVar[Mapping[str, Entry]] = {}

    def list_commands(self, _ctx: Any) -> list[str]:
        return list(self.entries)

    def get_command(self, _ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.commands:
            entry = self.entries.get(cmd_name)
            if entry is None:
                entry = next((one for one in self.entries.values() if cmd_name in one.also), None)
            if entry is None:
                return None
            self.commands[cmd_name] = entry.load(cmd_name)
        return self.commands[cmd_name]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find a command; for a slip of the pen the names there are are compared, which need no import."""
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            from nbflow.nearest import nearest

            near = nearest(args[0], self.entries)
            ctx.fail(f"No such command '{args[0]}'." + (f" Did you mean '{near[0]}'?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self.entries.items()])


def new_group(help: str) -> typer.Typer:
    """A group without commands yet."""
    return typer.Typer(
        help=help, no_args_is_help=True, rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False
    )


def verb(app: typer.Typer, *names: str, is_remote: bool = False, is_hidden: bool = False) -> Callable[[Verb], Verb]:
    """Add a command under its name and, not shown in the help, under its other spellings.

    `is_remote`: it can be asked of a server too, so it takes `--server` and what belongs to it. `is_hidden`: no name of
    it is shown, as there is a better one elsewhere.
    """

    def add(function: Verb) -> Verb:
        from nbflow.cli.connection import LocalCommand, RemoteCommand

        for name in names:
            hidden = is_hidden or name != names[0]
            app.command(name, hidden=hidden, cls=RemoteCommand if is_remote else LocalCommand)(function)
        return function

    return add


def join(app: typer.Typer, group: typer.Typer, *names: str) -> None:
    """Put a group into another under its name and its other spellings."""
    for name in names:
        app.add_typer(group, name=name, hidden=name != names[0])

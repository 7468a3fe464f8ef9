"""Which server a command is meant for: the options that say so, and what the environment says."""

from __future__ import annotations

import os
from contextvars import ContextVar
from dataclasses import dataclass, fields
from functools import cache
from typing import Annotated, Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from nbflow.cli.options import UsageError

ServerOption = Annotated[
    str | None,
    typer.Option("--server", "--host", metavar="URL", help="Ask this server; NBFLOW_SERVER names one for good."),
]
TokenOption = Annotated[
    str | None, typer.Option("--token", "--api-token", metavar="TOKEN", help="Its token; or NBFLOW_TOKEN.")
]
UserOption = Annotated[
    str | None,
    typer.Option("--user", "--username", metavar="USER[:PASSWORD]", help="A user instead; or NBFLOW_USER."),
]
PasswordOption = Annotated[
    str | None, typer.Option("--password", metavar="PASSWORD", help="Its password; better in NBFLOW_PASSWORD.")
]


@dataclass(frozen=True, slots=True)
class Connection:
    """What was said of a server: its address and who asks."""

    server: str | None = None
    token: str | None = None
    user: str | None = None
    password: str | None = None

    def over(self, other: Connection) -> Connection:
        """What is said here, and what only the other says."""
        return Connection(*(getattr(self, one.name) or getattr(other, one.name) for one in fields(self)))


_said: ContextVar[Connection] = ContextVar("nbflow-connection")


def say_connection(said: Connection) -> None:
    """Note what the options of the command line say; what was said before holds where they are silent."""
    _said.set(said.over(_said.get(Connection())))


def forget_connection() -> None:
    """A new command line begins."""
    _said.set(Connection())


def chosen_connection(has_home: bool = False) -> Connection | None:
    """The server to ask; None for the home on this machine. A home that is named wins over the environment.

    Raises: UsageError when both a home and a server are named.
    """
    said = _said.get(Connection())
    if has_home:
        if said.server:
            raise UsageError("a home and a server are named", hint="leave out --home or --server")
        return None
    env = os.environ.get
    # Who is named on the command line is not to be outdone by somebody else in the environment.
    who = () if said.token or said.user else (env("NBFLOW_TOKEN"), env("NBFLOW_USER"))
    whole = said.over(Connection(env("NBFLOW_SERVER"), *who or (None, None), env("NBFLOW_PASSWORD")))
    return whole if whole.server else None


def _options(
    server: ServerOption = None,
    token: TokenOption = None,
    user: UserOption = None,
    password: PasswordOption = None,
) -> None:
    """Only read for its parameters."""


@cache
def _parameters() -> list[Any]:
    """The options of a connection as typer reads them, once for all commands."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(_options)
    return list(get_command(app).params)


class RemoteCommand(TyperCommand):
    """A command that can be asked of a server: it takes the options of a connection beside its own."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.params = [*self.params, *_parameters()]

    def invoke(self, ctx: Any) -> Any:
        say_connection(Connection(*(ctx.params.pop(one.name) for one in fields(Connection))))
        return super().invoke(ctx)


class LocalCommand(TyperCommand):
    """A command that works in a home on this machine alone: it refuses when the command line names a server."""

    def invoke(self, ctx: Any) -> Any:
        if _said.get(Connection()).server:
            raise UsageError(
                f"`{ctx.command_path}` works in a home on this machine, not at a server", hint="leave out --server"
            )
        return super().invoke(ctx)

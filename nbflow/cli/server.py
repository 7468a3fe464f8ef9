"""`nbflow server`: the REST API and the scheduler without notebooks, until it is told to stop."""

from __future__ import annotations

import importlib
from enum import StrEnum
from typing import Annotated, Any

import typer

from nbflow.cli.options import HomeOption


class What(StrEnum):
    """What the command does."""

    SERVE = "serve"
    OPENAPI = "openapi"


def _face(module: str) -> Any:  # Any: a module that is known by its name alone
    """The face next door is started by its name: this one knows no more of it."""
    return importlib.import_module(f"nbflow.server.{module}")


def server(
    what: Annotated[What, typer.Argument(help="Serve, or print the OpenAPI document of the API.")] = What.SERVE,
    host: Annotated[
        str | None, typer.Option("--host", help="Where to listen.", show_default="127.0.0.1, or the configuration")
    ] = None,
    port: Annotated[int | None, typer.Option("--port", "-p", help="0 takes a free one.", show_default="8080")] = None,
    token: Annotated[
        str | None, typer.Option("--token", help="Who has it may call.", show_default="NBFLOW_TOKEN")
    ] = None,
    basic_auth: Annotated[
        str | None,
        typer.Option("--basic-auth", metavar="USER:PASSWORD", help="The same.", show_default="NBFLOW_BASIC_AUTH"),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C. Elsewhere than on this machine it listens only with a token or password."""
    if what is What.OPENAPI:
        from nbflow.cli.showing import show_json

        show_json(_face("openapi").document())
        return
    from nbflow.settings import Settings

    standalone = _face("standalone")
    settings = standalone.with_credentials(Settings.load(home), token, basic_auth)
    raise typer.Exit(standalone.main(settings, host, port))

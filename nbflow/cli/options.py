"""The options and arguments that commands share, and how their texts are read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nbflow.errors import NbflowError


class UsageError(NbflowError):
    """Something was asked for in a way that cannot be understood."""

    code = "usage"


class ServerFailedError(NbflowError):
    """The server cannot be reached, or failed at what it was asked."""

    code = "server"


class Output(StrEnum):
    """How a command shows its result: for people as text or a table, for programs as JSON, YAML or CSV."""

    TEXT = "text"
    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    CSV = "csv"

    @property
    def is_data(self) -> bool:
        """Whether it is for programs."""
        return self not in (Output.TEXT, Output.TABLE)


OutputOption = Annotated[Output, typer.Option("--output", "-o", help="For people, or for programs.")]
HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Where history and files are kept.", show_default="found by itself")
]
NamespaceOption = Annotated[str | None, typer.Option("--namespace", "-n", help="Only this namespace.")]
InputsArgument = Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Inputs of the flow.")]
LabelOption = Annotated[
    list[str] | None, typer.Option("--label", "-l", metavar="KEY=VALUE", help="A label; repeat it.")
]


def read_pairs(texts: Sequence[str] | None, what: str) -> dict[str, str]:
    """`key=value` texts as a dictionary. Raises: UsageError."""
    pairs = {}
    for text in texts or ():
        key, separator, value = text.partition("=")
        if not separator or not key:
            raise UsageError(f"{what} is written key=value, got `{text}`")
        pairs[key] = value
    return pairs


def read_uid(uid: str | None, namespace: str | None, flow_id: str | None) -> tuple[str, str]:
    """Namespace and id of a flow from `namespace.id`, or from both apart. Raises: UsageError."""
    if uid and namespace and not flow_id:
        flow_id = uid
    elif uid and not flow_id:
        namespace, _, flow_id = uid.rpartition(".")
    if not namespace or not flow_id:
        raise UsageError("name a flow", hint="NAMESPACE.ID, or --namespace NAMESPACE --flow ID")
    return namespace, flow_id


UidsArgument = Annotated[list[str] | None, typer.Argument(metavar="[NAMESPACE.ID | NAMESPACE ID]", help="The flow.")]
FlowOption = Annotated[str | None, typer.Option("--flow", "--id", "--flow-id", help="Id of the flow.")]
IdArgument = Annotated[str | None, typer.Argument(metavar="[ID]", help="Id of the execution.")]
IdOption = Annotated[str | None, typer.Option("--id", help="Id of the execution.")]
RevisionOption = Annotated[int | None, typer.Option("--revision", min=1, help="Another revision of the flow.")]
TimeoutOption = Annotated[
    float | None, typer.Option("--timeout", metavar="SECONDS", help="Kill the execution after so long.", min=0)
]
WaitOption = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Show it until it ends; or leave it to a server of the home.")
]


def read_uids(words: Sequence[str] | None, namespace: str | None, flow_id: str | None) -> tuple[str, str]:
    """Namespace and id of a flow from `namespace.id`, `namespace id`, or options. Raises: UsageError."""
    given = list(words or ())
    if len(given) > 2:
        raise UsageError(f"`{' '.join(given)}` is too much for one flow", hint="NAMESPACE.ID, or NAMESPACE ID")
    if len(given) == 2:
        return read_uid(given[1], given[0], None)
    return read_uid(given[0] if given else None, namespace, flow_id)


def placed(namespace: str | None, words: Sequence[str | None], what: Sequence[str]) -> list[str]:
    """A namespace and what is named in it, from words alone or with the namespace as an option. Raises: UsageError.

    `what` are the words that must be there, the namespace left out; what may be missing is an empty text.
    """
    given = [word for word in words if word is not None]
    whole = given if namespace is None else [namespace, *given]
    if len(whole) > len(words):
        raise UsageError(f"`{whole[-1]}` is too much", hint="name the namespace once")
    for number, name in enumerate(("namespace", *what)):
        if len(whole) <= number:
            raise UsageError(f"name a {name}", hint=" ".join(("NAMESPACE", *(each.upper() for each in what))))
    return [*whole, *([""] * (len(words) - len(whole)))]


def read_level(level: str | None) -> str | None:
    """A log level by its name. Raises: UsageError."""
    if level is None:
        return None
    from nbflow.model.task import LogLevel

    name = {"WARNING": "WARN"}.get(level.upper(), level.upper())
    if name not in list(LogLevel):
        raise UsageError(f"there is no log level `{level}`", hint=f"there are {', '.join(LogLevel)}")
    return name


def read_moment(text: str | None, what: str) -> datetime | None:
    """An instant: ISO 8601, a date alone being its midnight; UTC unless it names an offset. Raises: UsageError."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{what}: `{text}` is no date", hint="2026-01-31, or 2026-01-31T06:00:00Z") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def read_id(execution_id: str | None, option: str | None) -> str:
    """The id of an execution, given either way. Raises: UsageError."""
    chosen = execution_id or option
    if not chosen:
        raise UsageError("name an execution", hint="its id; `nbflow executions list` shows those there are")
    return chosen

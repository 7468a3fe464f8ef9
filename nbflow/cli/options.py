"""The options and arguments that commands share, and how their texts are read."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nbflow.errors import NbflowError


class UsageError(NbflowError):
    """Something was asked for in a way that cannot be understood."""

    code = "usage"


class Output(StrEnum):
    """How a command shows its result."""

    TEXT = "text"
    JSON = "json"


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


def read_id(execution_id: str | None, option: str | None) -> str:
    """The id of an execution, given either way. Raises: UsageError."""
    chosen = execution_id or option
    if not chosen:
        raise UsageError("name an execution", hint="its id; `nbflow executions list` shows those there are")
    return chosen

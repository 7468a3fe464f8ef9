"""What a `%%task` line says: the task's name, and what its author wants to be otherwise than inferred."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from nbflow.magics.arguments import Arguments, read_arguments
from nbflow.magics.errors import FlowCellError
from nbflow.types import IDENTIFIER, JsonValue

KINDS = ("python", "sql", "shell", "markdown", "notebook")
TASK_FLAGS = ("norun",)
TASK_VALUED = ("needs", "in", "out", "type", "retry", "interval", "timeout", "env", "dependencies", "description")
_INTERVAL = "PT1S"
_USAGE = "%%task NAME [--needs a,b] [--in name=task] [--out x,y] [--type sql] [--retry 3] [--timeout PT5M]"
_TYPE = re.compile(r"--type[=\s]+['\"]?(\w+)")


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A line that has been read; None where the author leaves it to be inferred."""

    name: str
    type: str = "python"
    needs: tuple[str, ...] | None = None
    takes: Mapping[str, str] | None = None
    gives: tuple[str, ...] | None = None
    properties: Mapping[str, JsonValue] = field(default_factory=dict)
    runs: bool = True
    """Whether running the cell runs its code here, too."""


def kind_on(line: str) -> str:
    """The type that a line names, without reading all of it."""
    found = _TYPE.search(line)
    return found[1].lower() if found else "python"


def read_task_line(line: str) -> TaskLine:
    """Read what stands behind `%%task`. Raises: FlowCellError naming what cannot be read."""
    arguments = read_arguments(line.strip(), {}, flags=TASK_FLAGS, valued=TASK_VALUED)
    if not arguments.words:
        raise FlowCellError("the task has no name", _USAGE)
    if len(arguments.words) > 1 or arguments.inputs:
        extra = arguments.words[1] if len(arguments.words) > 1 else next(iter(arguments.inputs))
        raise FlowCellError(f"`{extra}` is one word too many", f"names are parted by commas: {_USAGE}")
    name = arguments.words[0]
    if not IDENTIFIER.match(name):
        raise FlowCellError(f"`{name}` is no name of a task", "use letters, digits, - and _")
    kind = arguments.options.get("type", "python").lower()
    if kind not in KINDS:
        from nbflow.nearest import did_you_mean

        hint = did_you_mean(kind, KINDS) or f"there are {', '.join(KINDS)}"
        raise FlowCellError(f"there is no type of cell `{kind}`", hint)
    gives = _names(arguments, "out")
    for given in gives or ():
        if not given.removesuffix("?").isidentifier():
            raise FlowCellError(f"--out wants names of variables; got {given}")
    return TaskLine(
        name=name,
        type=kind,
        needs=_names(arguments, "needs"),
        takes=_takes(arguments),
        gives=gives,
        properties=_properties(arguments, kind),
        runs=not arguments.has("norun"),
    )


def _names(arguments: Arguments, option: str) -> tuple[str, ...] | None:
    """Names parted by commas or blanks; an empty text says that there are none."""
    if option not in arguments.repeated:
        return None
    text = ",".join(arguments.repeated[option]).strip("[]")
    return tuple(dict.fromkeys(name for name in re.split(r"[\s,]+", text) if name))


def _takes(arguments: Arguments) -> dict[str, str] | None:
    names = _names(arguments, "in")
    if names is None:
        return None
    takes: dict[str, str] = {}
    for text in names:
        name, _, giver = text.partition("=")
        if not name.isidentifier():
            raise FlowCellError(f"--in is written name, or name=task; got {text}")
        takes[name] = giver
    return takes


def _properties(arguments: Arguments, kind: str) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    if arguments.has("description"):
        found["description"] = arguments.options["description"]
    if arguments.has("retry"):
        attempts = arguments.number("retry", 1)
        if attempts < 2:
            raise FlowCellError("--retry is how often to try in all: 2 or more; got 1")
        interval = _checked(arguments, "interval", _INTERVAL)
        found["retry"] = {"type": "constant", "maxAttempts": attempts, "interval": interval}
    elif arguments.has("interval"):
        raise FlowCellError("--interval goes with --retry")
    if arguments.has("timeout"):
        found["timeout"] = _checked(arguments, "timeout", "")
    if arguments.has("env"):
        found["env"] = _env(arguments.repeated["env"], kind)
    if arguments.has("dependencies"):
        if kind not in ("python", "notebook"):
            raise FlowCellError(f"a cell of {kind} has no --dependencies")
        wanted = [part.strip() for text in arguments.repeated["dependencies"] for part in text.strip("[]").split(",")]
        found["dependencies"] = [part for part in wanted if part]
    return found


def _checked(arguments: Arguments, option: str, default: str) -> str:
    """A duration, as ISO 8601 writes it; a plain number is seconds."""
    text = arguments.options.get(option, default)
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return f"PT{text}S"
    arguments.seconds(option)
    return text.upper()


def _env(texts: list[str], kind: str) -> dict[str, JsonValue]:
    if kind not in ("python", "shell", "notebook"):
        raise FlowCellError(f"a cell of {kind} has no --env")
    found: dict[str, JsonValue] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise FlowCellError(f"--env is written NAME=value; got {text}")
        found[name] = value
    return found

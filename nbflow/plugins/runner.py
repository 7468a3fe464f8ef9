"""The base of task runners: where a script's commands run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Protocol, runtime_checkable

from nbflow.model.plugin import Plugin, plugin_field
from nbflow.plugins.context import RunContext

OnLine = Callable[[str, bool], Awaitable[None]]
"""Called for each line of output: (line without its end, is it stderr?). It may be a `TakesLines`."""


@runtime_checkable
class TakesLines(Protocol):
    """An `OnLine` that takes several lines at once as well, which is quicker where there are many."""

    async def __call__(self, line: str, is_error: bool) -> None: ...

    async def many(self, lines: Sequence[str], is_error: bool) -> None:
        """Take in lines that came together, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Ahead:
    """Says that a command is a Python with a script, which a runner may start, and have import modules, in advance.

    `modules` must do nothing but be there when they are imported. `folders` are those that the script will find
    modules in before all others; `follow` is how many commands like this one are to be expected soon.
    """

    modules: Sequence[str] = ()
    folders: Sequence[str] = ()
    follow: int = 0


@dataclass(frozen=True, slots=True)
class Command:
    """A command to run: its arguments, where, and with which environment.

    `memory` is in bytes and `cpu_seconds` in seconds, both of each process; None means no limit. With `ahead`, its
    process may have been started before.
    """

    arguments: Sequence[str]
    working_dir: Path
    env: Mapping[str, str] = field(default_factory=dict)
    image: str | None = None
    memory: int | None = None
    cpu_seconds: float | None = None
    ahead: Ahead | None = None


class TaskRunner(Plugin):
    """Runs commands somewhere: in a process here, in a container, on a cluster."""

    plugin_kind: ClassVar[str] = "runner"
    notice: ClassVar[str] = ""
    """What a task should say, as a warning in its log, whenever it uses this runner."""
    runs_here: ClassVar[bool] = True
    """Whether commands find the programs and the environment of this machine; in a container they find the image's."""

    async def prepared(self, ctx: RunContext, image: str | None, names: Mapping[str, object]) -> TaskRunner:
        """The runner that a task uses in fact, asked for before anything else; by itself, this one.

        `image` is the task's own; `names` are what its expressions see beside the usual ones.
        """
        return self

    async def execute(self, command: Command, on_line: OnLine) -> int:
        """Run a command to its end and return its exit status; cancelling ends it and all its descendants."""
        raise TypeError(f"{type(self).__name__} does not say how it runs a command: write `execute`")


RunnerField = Annotated[TaskRunner, plugin_field(TaskRunner)]
"""A task runner of any type, chosen by its `type`."""

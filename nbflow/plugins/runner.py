"""The base of task runners: where a script's commands run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar

from nbflow.model.plugin import Plugin, plugin_field

OnLine = Callable[[str, bool], Awaitable[None]]
"""Called for each line of output: (line without its end, is it stderr?)."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command to run: its arguments, where, and with which environment.

    `memory` is in bytes and `cpu_seconds` in seconds; None means no limit.
    """

    arguments: Sequence[str]
    working_dir: Path
    env: Mapping[str, str] = field(default_factory=dict)
    image: str | None = None
    memory: int | None = None
    cpu_seconds: float | None = None


class TaskRunner(Plugin):
    """Runs commands somewhere: in a process here, in a container, on a cluster."""

    plugin_kind: ClassVar[str] = "runner"
    notice: ClassVar[str] = ""
    """What a task should say, as a warning in its log, whenever it uses this runner."""

    async def execute(self, command: Command, on_line: OnLine) -> int:
        """Run a command to its end and return its exit status; cancelling ends it and all its descendants."""
        raise TypeError(f"{type(self).__name__} does not say how it runs a command: write `execute`")


RunnerField = Annotated[TaskRunner, plugin_field(TaskRunner)]
"""A task runner of any type, chosen by its `type`."""

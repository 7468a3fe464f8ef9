"""What a comparison finds: changes by their paths; for tables and notebooks, what is different inside."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from nbflow.types import JsonValue

Kind = Literal["changed", "added", "removed"]

MOST_VALUES = 20
"""Changed values of a table that are shown; their number is told in full."""


@dataclass(frozen=True, slots=True)
class FrameDiff:
    """How one table differs from another. `values` are (row, column, before, after), the first few.

    `rows_added` and `rows_removed` are told where the tables have different lengths, `changed` (cells by column)
    where they have the same.
    """

    shape_before: tuple[int, int]
    shape_after: tuple[int, int]
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    types: tuple[tuple[str, str, str], ...] = ()
    changed: dict[str, int] = field(default_factory=dict)
    values: tuple[tuple[str, str, str, str], ...] = ()
    rows_added: int = 0
    rows_removed: int = 0

    @property
    def is_same(self) -> bool:
        return self == FrameDiff(self.shape_before, self.shape_before)


@dataclass(frozen=True, slots=True)
class CellDiff:
    """How a cell of a notebook differs; `source` and `outputs` are lines of a unified diff, empty when they agree."""

    number: int
    kind: Kind
    title: str
    source: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs: its path, both sides as short text, and what is different inside."""

    path: str
    kind: Kind
    before: str = ""
    after: str = ""
    frame: FrameDiff | None = None
    cells: tuple[CellDiff, ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskDiff:
    """A task run on both sides: `added` and `removed` are there on one side alone. Durations are seconds."""

    task: str
    kind: Literal["both", "added", "removed"]
    states: tuple[str, str]
    durations: tuple[float | None, float | None]
    outputs: tuple[Change, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether nothing but its duration differs."""
        return self.kind == "both" and self.states[0] == self.states[1] and not self.outputs


@dataclass(frozen=True, slots=True)
class ExecutionDiff:
    """What is different between two executions. `about` is the flow, its revision and the state."""

    before: str
    after: str
    flows: tuple[str, str]
    about: tuple[Change, ...]
    durations: tuple[float, float]
    inputs: tuple[Change, ...]
    outputs: tuple[Change, ...]
    tasks: tuple[TaskDiff, ...]

    @property
    def is_same(self) -> bool:
        """Whether nothing but times differs."""
        return not (self.about or self.inputs or self.outputs) and all(task.is_same for task in self.tasks)

    def to_dict(self) -> dict[str, JsonValue]:
        """The comparison as JSON."""
        made: Any = asdict(self)  # Any: tuples where JSON has lists, which json writes alike
        shape: dict[str, JsonValue] = {**made, "isSame": self.is_same}
        return shape

"""The bases of triggers and conditions, and what a condition is asked about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import Field

from nbflow.model.base import Duration
from nbflow.model.condition import Condition
from nbflow.model.execution import Execution, TaskRun
from nbflow.model.trigger import Trigger
from nbflow.plugins.context import RunContext

__all__ = ["Condition", "Facts", "PollingTrigger", "Question", "Trigger"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a condition may look at.

    `date` is the instant in question (UTC; a schedule's in its own time zone), `execution` the one that made it be
    asked (None for a schedule), `task_runs` those of that execution, `render` renders an expression to text with
    `variables`.
    """

    date: datetime
    render: Callable[[str], str]
    execution: Execution | None = None
    outputs: Mapping[str, object] = field(default_factory=dict)
    task_runs: Sequence[TaskRun] = ()


class Question(Condition):
    """A condition that can be answered from facts alone."""

    def holds(self, facts: Facts) -> bool:
        """Whether the condition holds. Raises: TemplateError when an expression in it cannot be rendered."""
        raise TypeError(f"{type(self).__name__} does not say when it holds: write `holds`")


class PollingTrigger(Trigger):
    """A trigger that looks now and then whether there is something to start an execution for."""

    interval: Duration = Field(default=timedelta(minutes=1), description="How often to look.")

    async def look(self, ctx: RunContext) -> Trigger.Output | None:
        """Look once: what `{{ trigger.… }}` sees in the execution to start, or None when there is nothing to start.

        Files that are stored through `ctx` belong to that execution. Raises: TaskFailedError when it cannot look.
        """
        raise TypeError(f"{type(self).__name__} does not say what it looks at: write `look`")

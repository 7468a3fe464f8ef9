"""The bases of triggers and conditions, and what a condition is asked about."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import Field

from nbflow.model.base import Duration
from nbflow.model.condition import Condition
from nbflow.model.execution import Execution, TaskRun
from nbflow.model.trigger import Trigger
from nbflow.plugins.context import RunContext
from nbflow.types import JsonValue

__all__ = ["Condition", "Facts", "Found", "PollingTrigger", "Question", "RealtimeTrigger", "Trigger"]


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


@dataclass(frozen=True, slots=True)
class Found:
    """What a look has found, and a receipt for it: what `seen` needs to know once the execution is recorded.

    The receipt is kept with the trigger until `seen` has come to its end.
    """

    output: Trigger.Output
    receipt: JsonValue


class PollingTrigger(Trigger):
    """A trigger that looks now and then whether there is something to start an execution for.

        look ─► execution and receipt recorded (one commit) ─► seen ─► receipt forgotten

    So nothing that was found is lost in a crash, and nothing is found twice but what a crash, or a `seen` that keeps
    failing, hits before the commit: at least once.
    """

    interval: Duration = Field(default=timedelta(minutes=1), description="How often to look.")

    async def look(self, ctx: RunContext) -> Trigger.Output | Found | None:
        """Look once: what `{{ trigger.… }}` sees in the execution to start, or None when there is nothing to start.

        Files that are stored through `ctx` belong to that execution. A look changes nothing of what it looks at: that
        is for `seen`, which is called where `Found` is returned. Raises: TaskFailedError when it cannot look.
        """
        raise TypeError(f"{type(self).__name__} does not say what it looks at: write `look`")

    async def seen(self, ctx: RunContext, receipt: JsonValue) -> None:
        """Mark as seen what the execution was started for: move files away, commit offsets.

        Called once that execution is recorded; again before the next look if it failed, or if the engine died
        meanwhile, so what is done already must do no harm. Raises: TaskFailedError; it does not look until it is done.
        """


class RealtimeTrigger(Trigger):
    """A trigger that listens all the time and starts an execution for each thing that comes."""

    def stream(self, ctx: RunContext) -> AsyncIterator[Trigger.Output]:
        """Listen: an asynchronous generator that yields what `{{ trigger.… }}` sees in each execution to start.

        The code after a `yield` runs once that execution is recorded, so what came can be marked as seen there. When it
        ends or raises, it is called again after a while. Raises: TaskFailedError when it cannot listen.
        """
        raise TypeError(f"{type(self).__name__} does not say what it listens to: write `stream`")

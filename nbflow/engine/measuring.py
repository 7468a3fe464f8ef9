"""The numbers of an execution: those its tasks reported, and those that follow from its history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from nbflow.model.execution import Metric, TaskRun
from nbflow.model.state import State

TIMER, COUNTER = "timer", "counter"


def measured(task_runs: Sequence[TaskRun], reported: Sequence[Metric], now: datetime) -> list[Metric]:
    """All numbers, sorted by the time they are of; timers are in milliseconds.

    Of each task run: `duration` (so far, while it goes on), `queued` (from its creation to its first attempt) and
    `attempts`.
    """
    derived = [metric for run in task_runs for metric in _of(run, now)]
    return sorted([*reported, *derived], key=lambda metric: metric.timestamp)


def _of(run: TaskRun, now: datetime) -> Iterator[Metric]:
    end = run.end or now
    begun = next((at for state, at in run.history.moves if state is State.RUNNING), None)
    numbers = [(TIMER, "duration", (end - run.start).total_seconds() * 1000)]
    if begun is not None:
        numbers.append((TIMER, "queued", (begun - run.start).total_seconds() * 1000))
    if run.attempts:
        numbers.append((COUNTER, "attempts", float(len(run.attempts))))
    for kind, name, value in numbers:
        yield Metric(run.execution_id, run.task_id, run.id, kind, name, value, end)

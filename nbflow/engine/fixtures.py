"""What stands for a task in a test: the state and the outputs that its task run gets instead of running."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, cast

from nbflow.engine.attempt import Result
from nbflow.engine.history import History
from nbflow.engine.rendering import Renderer, waits
from nbflow.errors import NbflowError
from nbflow.model.execution import Attempt, TaskRun
from nbflow.model.state import State, StateHistory
from nbflow.model.task import LogLevel
from nbflow.types import JsonValue

TEST = "TEST"
"""The `kind` of an execution that a test has started: it fires no triggers."""


@dataclass(frozen=True, slots=True)
class Fixture:
    """How a task run ends without having run. Expressions in `outputs` see `variables` beside what the task sees."""

    state: State = State.SUCCESS
    outputs: Mapping[str, JsonValue] = field(default_factory=dict)
    variables: Mapping[str, object] = field(default_factory=dict)
    description: str = ""


class Fixtures(Protocol):
    """The fixtures of one execution. Its methods are called on the engine's loop: they must be quick."""

    def find(self, task_id: str, values: Sequence[str], /) -> Fixture | None:
        """What stands for a task run; `values` are those of the loops around it, the outermost first."""
        ...

    def within(self, task_id: str, /) -> Fixtures | None:
        """The fixtures of the execution that a task starts."""
        ...


async def mocked(fixture: Fixture, run: TaskRun, history: History, renderer: Renderer) -> tuple[TaskRun, Result]:
    """The task run as if it had been attempted once, and what that came to."""
    result = await _result(fixture, run, history, renderer)
    now = history.now()
    run = run.move(State.RUNNING, now)
    tried = StateHistory.begin(now).move(State.RUNNING, now).move(result.state, now)
    return replace(run, attempts=(*run.attempts, Attempt(tried))), result


async def _result(fixture: Fixture, run: TaskRun, history: History, renderer: Renderer) -> Result:
    try:
        if waits(fixture.outputs):
            outputs = await asyncio.to_thread(renderer.value, fixture.outputs, True, fixture.variables)
        else:
            outputs = renderer.value(fixture.outputs, True, fixture.variables)
    except NbflowError as error:
        history.log(LogLevel.ERROR, f"the outputs of the fixture cannot be rendered: {error}", run)
        return Result(State.FAILED)
    why = f" ({fixture.description})" if fixture.description else ""
    history.log(LogLevel.DEBUG, f"not run: a fixture stands for it{why}", run)
    return Result(fixture.state, cast("Mapping[str, JsonValue]", outputs))

"""The two kinds of task: one does work, the other runs its children in some order."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol, Self

from pydantic import Field, PrivateAttr

from nbflow.model.base import Model
from nbflow.model.execution import Execution, TaskRun
from nbflow.model.state import State
from nbflow.model.task import Task, TaskField
from nbflow.plugins.context import RunContext, TaskLog
from nbflow.types import JsonValue


class RunnableTask(Task):
    """A task that does work: subclass it, declare its properties as fields, and write `run`."""

    class Output(Model):
        """What `{{ outputs.id.… }}` sees."""

        _final_state: State = PrivateAttr(default=State.SUCCESS)

        def to_json(self) -> dict[str, JsonValue]:
            """The output as JSON values, in the spelling of YAML; what is None is left out."""
            return self.model_dump(mode="json", by_alias=True, exclude_none=True)

        def ending_in(self, state: State) -> Self:
            """The same output of a task run that ends in another state than SUCCESS, such as WARNING."""
            self._final_state = state
            return self

    async def run(self, ctx: RunContext) -> Output:
        """Do the work. `Dynamic` properties have been rendered: they hold values of their types.

        Raises: TaskFailedError when the outcome is failure; anything else fails the attempt as well.
        """
        raise TypeError(f"{type(self).__name__} does not say what it does: write `run`")


class Order(StrEnum):
    """How the tasks of a branch follow each other."""

    SEQUENCE = "sequence"
    PARALLEL = "parallel"
    DAG = "dag"


@dataclass(frozen=True, slots=True)
class Branch:
    """Tasks inside a flowable that belong together, for pictures and for checks before a run.

    `needs` gives, in a DAG, the tasks that each task waits for.
    """

    tasks: Sequence[Task]
    label: str = ""
    order: Order = Order.SEQUENCE
    needs: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a flowable ended: its state, and what `{{ outputs.id.… }}` sees."""

    state: State
    outputs: Mapping[str, JsonValue] = field(default_factory=dict)


class Scope(Protocol):
    """What a flowable may do: run its children and render. Everything it returns is durable already.

    A child that ended in an earlier life of this execution is not run again: its outcome comes from the history.
    """

    log: TaskLog

    @property
    def task_run(self) -> TaskRun:
        """The task run of this flowable, as it stands now: what an earlier life of it reported is among its outputs."""
        ...

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels of the execution, without those of the system."""
        ...

    async def run(self, child: Task, *, value: str | None = None, iteration: int | None = None) -> TaskRun | None:
        """Run one child to its end; None when it is disabled. `value` and `iteration` mark a round of a loop."""
        ...

    async def run_sequence(
        self, children: Sequence[Task], *, value: str | None = None, iteration: int | None = None
    ) -> State:
        """Run children one after another until one fails; returns the state of the whole."""
        ...

    async def run_together(self, jobs: Sequence[Coroutine[object, object, State]], *, limit: int = 0) -> list[State]:
        """Await jobs at once, at most `limit` (0: all) at a time; returns their states in the order given."""
        ...

    async def run_dag(self, children: Sequence[Task], needs: Mapping[str, Sequence[str]], *, limit: int = 0) -> State:
        """Run children as soon as those they need have succeeded; returns the state of the whole."""
        ...

    @property
    def names(self) -> Mapping[str, object]:
        """What the rounds of loops around this flowable have added for expressions."""
        ...

    def round(self, value: str, iteration: int, names: Mapping[str, object]) -> Scope:
        """The scope of one round of a loop.

        Expressions in it see `names`, and under `outputs` what the children put out in this very round.
        """
        ...

    def render(self, value: object, *, taskrun: Mapping[str, object] | None = None) -> object:
        """Render a value, deep, with what has been put out so far; a single print gives the value itself.

        `taskrun` is added to what `{{ taskrun.… }}` sees.
        """
        ...

    def report(self, outputs: Mapping[str, JsonValue]) -> None:
        """Show what has been put out so far while this flowable goes on; after a crash, `task_run` has it."""
        ...

    async def wait_until(self, moment: datetime) -> None:
        """Return once this instant has come; at once when it has passed."""
        ...

    async def pause(self, until: datetime | None = None, *, goes_on: bool = True) -> TaskRun:
        """Pause the execution here until somebody resumes it, or an instant has come; the task run then.

        What it was resumed with is among its outputs. Unless it `goes_on` when the instant has come, it stays PAUSED
        until it has ended.
        """
        ...

    async def store(self, name: str, content: bytes) -> str:
        """Put bytes into the internal storage as a file of this task run; its URI. Done again, it changes nothing."""
        ...

    def share_directory(self) -> RunContext:
        """Let all children, however deep, `errors` and `finally` included, work in one directory from here on.

        It is empty at first and removed when this flowable has ended; so after a crash it is empty again. The context
        is for putting files in and taking them out: nothing that it reads may decide which children run.
        """
        ...

    async def call_flow(
        self,
        namespace: str,
        flow_id: str,
        *,
        inputs: Mapping[str, JsonValue],
        labels: Mapping[str, str],
        revision: int | None = None,
        wait: bool = True,
        key: str = "",
    ) -> Execution:
        """Start an execution of another flow (or find the one this task run started) and, if asked, wait for its end.

        `key` tells several calls of one task run apart.
        """
        ...

    async def read_tasks(self, namespace: str, flow_id: str) -> tuple[Sequence[Task], Sequence[Task]]:
        """The `tasks` and the `errors` of a deployed flow, which may be run here as children.

        Raises: FlowNotFoundError; TaskFailedError when this task lies in itself that way.
        """
        ...

    async def render_within(self, execution: Execution, value: object) -> object:
        """Render a value with what expressions see in an execution that was called and has ended."""
        ...


class FlowableTask(Task):
    """A task that runs its children: short, and deciding from its arguments and their results alone.

    It is replayed from the history after a crash or a restart, so it reads no clock, no random number, no file.
    """

    class Output(Model):
        """What `{{ outputs.id.… }}` sees."""

    is_loop: ClassVar[bool] = False
    """Whether its direct children run more than once, in rounds."""
    is_attempted: ClassVar[bool] = False
    """Whether it is tried again as a whole: it has attempts then. Otherwise its `retry` is that of its children."""

    errors: list[TaskField] = Field(default_factory=list, description="Tasks that run when a task in here has failed.")
    finally_: list[TaskField] = Field(default_factory=list, description="Tasks that always run at the end of this one.")

    async def run(self, scope: Scope) -> Outcome:
        """Run the children and say how it ended. `errors` and `finally` are run by the engine."""
        raise TypeError(f"{type(self).__name__} does not say what it does: write `run`")

    def rewound(self, outputs: Mapping[str, JsonValue], iteration: int) -> Mapping[str, JsonValue]:
        """What this loop had reported by the round that it is to go on from; `outputs` is what it has in all."""
        return outputs

    @property
    def rounds_are_in_order(self) -> bool:
        """Whether a round of this loop begins only when the one before has ended."""
        return True

    def branches(self) -> list[Branch]:
        """The children, grouped as they run; without `errors` and `finally`."""
        tasks = [task for task in self.children() if task not in self.errors and task not in self.finally_]
        return [Branch(tasks)] if tasks else []

"""Small plugins that tests of `nbflow.source` load flows with, in a registry of their own."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import Field, field_validator

from nbflow.model.base import Model, Text
from nbflow.model.condition import Condition
from nbflow.model.dynamic import Dynamic
from nbflow.model.plugin import Plugin
from nbflow.model.task import TaskField
from nbflow.model.trigger import Trigger
from nbflow.plugins import Branch, FlowableTask, Order, RunnableTask, TaskRunner
from nbflow.plugins.registry import Catalog, Registry
from nbflow.plugins.runner import RunnerField
from nbflow.types import JsonValue

PartT = TypeVar("PartT", bound=type[Plugin])


class Level(StrEnum):
    """How loud a line is."""

    INFO = "INFO"
    WARN = "WARN"


class Log(RunnableTask):
    """Write a line."""

    class Output(RunnableTask.Output):
        """What it has written."""

        x: Text = Field(description="The line.")
        line_count: int = Field(description="How many lines.")

    message: Dynamic[Text] | list[Text] = Field(description="Text to write.")
    level: Dynamic[Level] = Field(default=Level.INFO, description="How loud.")


class Query(RunnableTask):
    """Ask a database."""

    url: Dynamic[Text] = Field(description="Address of the database.")
    sql: Dynamic[Text] = Field(description="The question.")
    rows: Dynamic[Annotated[int, Field(ge=0)]] | None = Field(default=None, description="Rows at most.")
    options: dict[str, JsonValue] = Field(default_factory=dict, description="Whatever the database knows.")


class Script(RunnableTask):
    """Run a script."""

    script: Dynamic[Text] = Field(description="The script.")
    env: Dynamic[dict[str, Text]] = Field(default_factory=dict, description="Environment.")
    task_runner: RunnerField | None = Field(default=None, description="Where it runs.")


class Process(TaskRunner):
    """Run in a process here."""


class Group(FlowableTask):
    """Run tasks one after another."""

    tasks: list[TaskField] = Field(min_length=1, description="The tasks.")


class Step(Model):
    """A task of a Dag and what it waits for."""

    task: TaskField = Field(description="The task.")
    depends_on: list[Text] = Field(default_factory=list, description="Tasks it waits for.")


class Dag(FlowableTask):
    """Run tasks as soon as those they need have ended."""

    tasks: list[Step] = Field(min_length=1, description="The tasks.")

    def branches(self) -> list[Branch]:
        """All of them, and what each waits for."""
        needs = {step.task.id: step.depends_on for step in self.tasks}
        return [Branch([step.task for step in self.tasks], order=Order.DAG, needs=needs)]


class Together(FlowableTask):
    """Run tasks at once."""

    tasks: list[TaskField] = Field(min_length=1, description="The tasks.")

    def branches(self) -> list[Branch]:
        """All of them."""
        return [Branch(self.tasks, order=Order.PARALLEL)]


class Loop(FlowableTask):
    """Run tasks again and again."""

    is_loop = True

    tasks: list[TaskField] = Field(min_length=1, description="The tasks.")


class Switch(FlowableTask):
    """Run one of several lists of tasks."""

    value: Dynamic[Text] = Field(description="What decides.")
    cases: dict[str, list[TaskField]] = Field(default_factory=dict, description="Tasks for each value.")

    def branches(self) -> list[Branch]:
        """One for each value."""
        return [Branch(tasks, value) for value, tasks in self.cases.items()]


class Schedule(Trigger):
    """Start by the clock."""

    class Output(Trigger.Output):
        """When it fired."""

        date: Text = Field(description="The date it fires for.")

    cron: Text = Field(description="When.")

    @field_validator("cron")
    @classmethod
    def _five_fields(cls, cron: str) -> str:
        if len(cron.split()) != 5:
            raise ValueError(f'must be a cron expression such as "0 9 * * *", got "{cron}"')
        return cron


class Holds(Condition):
    """Whether an expression is true."""

    expression: Text = Field(description="The expression.")


def named(cls: PartT, name: str, *, aliases: tuple[str, ...] = (), old_names: tuple[str, ...] = ()) -> PartT:
    """Give a class its names without telling the registry of the process."""
    cls.type_name, cls.aliases, cls.old_names = name, aliases, old_names
    return cls


def make_registry() -> Registry:
    """A registry that knows the plugins of this page and no others."""
    registry = Registry(Catalog(), list)
    for cls in (
        named(Log, "test.core.Log", aliases=("log",), old_names=("test.old.Log",)),
        named(Query, "test.db.one.Query"),
        named(Script, "test.core.Script"),
        named(Process, "test.core.Process"),
        named(Group, "test.core.Group"),
        named(Dag, "test.core.Dag"),
        named(Together, "test.core.Together"),
        named(Loop, "test.core.Loop"),
        named(Switch, "test.core.Switch"),
        named(Schedule, "test.core.Schedule", aliases=("schedule",)),
        named(Holds, "test.core.Holds"),
    ):
        registry.register(cls)
    return registry

"""What every task declares, and how to walk over the tasks inside another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AliasChoices, BaseModel, Field

from nbflow.model.base import Duration, Model, Text
from nbflow.model.condition import ConditionField
from nbflow.model.dynamic import Dynamic
from nbflow.model.plugin import Plugin, plugin_field
from nbflow.model.policies import Retry
from nbflow.types import IDENTIFIER


class LogLevel(StrEnum):
    """How much a log line matters."""

    TRACE = "TRACE"
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"

    rank: int
    """0 for TRACE up to 4 for ERROR."""

    def __init__(self, _text: str) -> None:
        self.rank = len(type(self).__members__)  # asked for with every line: those before it are counted once


class TaskCache(Model):
    """When a task need not work because it has succeeded before with the same rendered properties."""

    enabled: bool = Field(default=False, description="Whether an earlier outcome may be taken.")
    ttl: Duration | None = Field(default=None, description="How long an outcome may be taken; for ever unless said.")


class WorkerGroup(Model):
    """Accepted for flows written for Kestra's paid edition; nbflow has one group of workers."""

    key: Text | None = Field(default=None, description="Name of the group.")
    fallback: Text | None = Field(default=None, description="What to do when the group has no worker.")


class Task(Plugin):
    """A step of a flow, as written: what every task type has beside its own properties."""

    plugin_kind: ClassVar[str] = "task"
    ends_execution: ClassVar[bool] = False
    """Whether the execution ends with it, in the state that its task run has then."""

    id: Text = Field(pattern=IDENTIFIER.pattern, description="Name of the task, once in a flow.")
    description: Text | None = Field(default=None, description="What the task is for; Markdown.")
    disabled: bool = Field(default=False, description="Leave the task out, without a trace in the execution.")
    run_if: Text | None = Field(
        default=None,
        validation_alias=AliasChoices("runIf", "when"),
        description="Run only when this is true; otherwise the task is SKIPPED.",
    )
    conditions: list[ConditionField] = Field(default_factory=list, description="Run only when all of these hold.")
    retry: Retry | None = Field(default=None, description="Try again after a failure.")
    timeout: Dynamic[Duration] | None = Field(default=None, description="Longest time one attempt may take.")
    allow_failure: bool = Field(default=False, description="A failure counts as WARNING, and the flow goes on.")
    allow_warning: bool = Field(default=False, description="A WARNING counts as SUCCESS.")
    log_level: LogLevel | None = Field(default=None, description="Least level of log lines that are kept.")
    log_to_file: bool = Field(
        default=False, description="Keep the log of an attempt as a stored file; the log of the execution names it."
    )
    depends_on: list[Text] = Field(
        default_factory=list, description="Tasks of the same level that must have ended; makes the level a Dag."
    )
    concurrent: int | None = Field(default=None, ge=0, description="Task runs of this task at once within the flow.")
    pool: Text | None = Field(
        default=None,
        description="Pool whose slots it shares with tasks of all flows: `pools` of the settings says how many work "
        "at once, the others wait. A task with tasks in it holds its slot until they have ended. nbflow's own.",
    )
    task_cache: TaskCache | None = Field(
        default=None, description="Take the outputs of an earlier run that succeeded with the same properties."
    )
    worker_group: WorkerGroup | None = Field(default=None, description="Accepted, without effect.")

    @property
    def timeout_after(self) -> timedelta | None:
        """The timeout, once it has been rendered."""
        return self.timeout if isinstance(self.timeout, timedelta) else None

    def children(self) -> Iterator[Task]:
        """The tasks directly inside this one, in the order of the text."""
        for name in type(self).model_fields:
            yield from _tasks_in(self.__dict__.get(name))


TaskField = Annotated[Task, plugin_field(Task)]
"""A task of any type, chosen by its `type`."""


def walk(tasks: list[Task]) -> Iterator[Task]:
    """All tasks, parents before their children, in the order of the text."""
    for task in tasks:
        yield task
        yield from walk(list(task.children()))


def _tasks_in(value: object) -> Iterator[Task]:
    if isinstance(value, Task):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _tasks_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _tasks_in(item)
    elif isinstance(value, BaseModel):
        for item in value.__dict__.values():
            yield from _tasks_in(item)

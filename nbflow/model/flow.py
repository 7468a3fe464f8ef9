"""A flow as written, and the rules across its fields."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from pydantic import Field, PrivateAttr, field_validator
from pydantic_core import PydanticCustomError

from nbflow.model.base import Model, Text
from nbflow.model.condition import ConditionField
from nbflow.model.inputs import InputField
from nbflow.model.labels import Labels
from nbflow.model.outputs import FlowOutput
from nbflow.model.policies import Concurrency, Retry, Sla
from nbflow.model.task import Task, TaskField, WorkerGroup, walk
from nbflow.model.trigger import TriggerField
from nbflow.types import IDENTIFIER, NAMESPACE, JsonValue


class PluginDefault(Model):
    """Values that all parts of a type have unless they say otherwise."""

    type: Text = Field(description="A type, or the beginning of types: `io.kestra.plugin.jdbc.postgresql`.")
    values: dict[str, JsonValue] = Field(description="Properties and their values.")
    forced: bool = Field(default=False, description="Whether these win over what a part says itself.")

    @field_validator("values")
    @classmethod
    def _has_values(cls, values: dict[str, JsonValue]) -> dict[str, JsonValue]:
        for name, value in values.items():
            if value is None:
                raise PydanticCustomError("no_default", "`{name}` has no value", {"name": name, "at": name})
        return values


class CheckStyle(StrEnum):
    """How the message of a check is shown."""

    SUCCESS = "SUCCESS"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class CheckBehavior(StrEnum):
    """What becomes of an execution whose check does not hold."""

    CREATE_EXECUTION = "CREATE_EXECUTION"
    BLOCK_EXECUTION = "BLOCK_EXECUTION"
    FAIL_EXECUTION = "FAIL_EXECUTION"


class Check(Model):
    """A condition that is checked before an execution is created."""

    condition: Text = Field(description="Expression that must be true.")
    message: Text | None = Field(default=None, description="What to tell when it is not.")
    style: CheckStyle = Field(default=CheckStyle.INFO, description="How to show the message.")
    behavior: CheckBehavior = Field(
        default=CheckBehavior.CREATE_EXECUTION, description="What becomes of the execution when it is not true."
    )


class Listener(Model):
    """Tasks that run when an execution changes its state; the older form of `errors` and `afterExecution`."""

    description: Text | None = Field(default=None, description="What the listener is for.")
    conditions: list[ConditionField] = Field(default_factory=list, description="Runs only when all of these hold.")
    tasks: list[TaskField] = Field(min_length=1, description="Tasks to run.")


class Flow(Model):
    """The definition of a pipeline: tasks, what they need and what starts them."""

    id: Text = Field(pattern=IDENTIFIER.pattern, max_length=100, description="Name of the flow, once in its namespace.")
    namespace: Text = Field(
        pattern=NAMESPACE.pattern, max_length=150, description="Dotted home of the flow: `company.team`."
    )
    revision: int | None = Field(default=None, description="Number of this version; nbflow counts by itself.")
    version: Text | None = Field(default=None, description="Version of the flow language; accepted as it is.")
    description: Text | None = Field(default=None, description="What the flow is for; Markdown.")
    labels: Labels = Field(default_factory=dict, description="Keys and values to search by; every execution gets them.")
    disabled: bool = Field(default=False, description="Whether executions are refused.")
    draft: bool = Field(default=False, description="Whether this is saved unfinished; executions are refused.")
    inputs: list[InputField] = Field(default_factory=list, description="Values given at the start of an execution.")
    variables: dict[str, JsonValue] = Field(default_factory=dict, description="Constants; may hold expressions.")
    tasks: list[TaskField] = Field(min_length=1, description="What to do, one after another.")
    errors: list[TaskField] = Field(default_factory=list, description="Tasks that run when a task has failed.")
    finally_: list[TaskField] = Field(default_factory=list, description="Tasks that always run at the end.")
    after_execution: list[TaskField] = Field(
        default_factory=list, description="Tasks that run once the final state is known."
    )
    triggers: list[TriggerField] = Field(default_factory=list, description="What starts executions by itself.")
    outputs: list[FlowOutput] = Field(default_factory=list, description="Values the execution hands to its caller.")
    plugin_defaults: list[PluginDefault] = Field(default_factory=list, description="Values for all parts of a type.")
    concurrency: Concurrency | None = Field(default=None, description="How many executions may run at once.")
    retry: Retry | None = Field(default=None, description="Try the execution again after a failure.")
    sla: list[Sla] = Field(default_factory=list, description="Promises about each execution.")
    checks: list[Check] = Field(default_factory=list, description="Conditions that are checked before an execution.")
    listeners: list[Listener] = Field(default_factory=list, description="Older form of `errors`/`afterExecution`.")
    worker_group: WorkerGroup | None = Field(default=None, description="Accepted, without effect.")

    _source: str = PrivateAttr(default="")
    _document: dict[str, JsonValue] = PrivateAttr(default_factory=dict)

    @property
    def source(self) -> str:
        """The YAML text, byte for byte as it was given."""
        return self._source

    @property
    def uid(self) -> str:
        """`namespace.id`."""
        return f"{self.namespace}.{self.id}"

    @property
    def label_map(self) -> dict[str, str]:
        """The labels; one without a value has the empty text."""
        assert isinstance(self.labels, dict)
        return {key: value or "" for key, value in self.labels.items()}

    def all_tasks(self) -> Iterator[Task]:
        """Every task, nested ones and those of all blocks included, parents first."""
        for block in (self.tasks, self.errors, self.finally_, self.after_execution):
            yield from walk(block)
        for listener in self.listeners:
            yield from walk(listener.tasks)

    def with_source(self, source: str, document: dict[str, JsonValue], revision: int | None = None) -> Flow:
        """The same flow that knows the text it was read from."""
        flow = self.model_copy(update={"revision": revision} if revision is not None else {})
        flow._source = source
        flow._document = document
        return flow

    def switched(self, disabled: bool) -> Flow:
        """The same flow, switched off or on."""
        return self.model_copy(update={"disabled": disabled})

    def to_dict(self, *, with_source: bool = False) -> dict[str, JsonValue]:
        """Kestra's JSON of a flow: what its author wrote, and the revision."""
        shape: dict[str, JsonValue] = {
            **self._document,
            "id": self.id,
            "namespace": self.namespace,
            "tenantId": "main",
            "revision": self.revision or 1,
            "disabled": self.disabled,
            "deleted": False,
            "draft": self.draft,
            "labels": [{"key": key, "value": value} for key, value in self.label_map.items()],
        }
        if with_source:
            shape["source"] = self._source
        return shape

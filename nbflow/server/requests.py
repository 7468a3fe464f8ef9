"""What the bodies of requests in JSON look like, where several handlers take the same."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from nbflow.server.errors import RequestError
from nbflow.types import JsonValue

ModelT = TypeVar("ModelT")


class Request(BaseModel):
    """A body; what it does not know is left aside, for clients send more than is asked for."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class FlowName(Request):
    """A flow by its name."""

    namespace: str
    id: str = Field(validation_alias=AliasChoices("id", "flowId"))


class Label(Request):
    """A key and its value."""

    key: str = Field(min_length=1)
    value: str = Field(min_length=1)


class LabelsOfMany(Request):
    """Labels to give to many executions."""

    ids: list[str] = Field(alias="executionsId")
    labels: list[Label] = Field(alias="executionLabels")


class StateOfTaskRun(Request):
    """A task run and the state it is to have ended in."""

    task_run_id: str = Field(alias="taskRunId")
    state: str


class TriggerName(Request):
    """A trigger by its name."""

    namespace: str
    flow_id: str = Field(alias="flowId")
    trigger_id: str = Field(alias="triggerId")


class BackfillRequest(Request):
    """Past dates of a schedule to run now: from `start` to `end`, or the `dates`. Kestra knows the first four alone."""

    start: datetime | None = None
    end: datetime | None = None
    inputs: dict[str, JsonValue] | None = None
    labels: list[Label] | dict[str, str] | None = None
    dates: list[datetime] | None = None
    order: str = "oldest"
    parallelism: int = 1
    only: str = "all"
    dry_run: bool = Field(default=False, alias="dryRun")


class TriggerWithBackfill(TriggerName):
    """A trigger, and the backfill to begin for it."""

    backfill: BackfillRequest


class TriggerUpdate(TriggerName):
    """A trigger as it is to be."""

    disabled: bool | None = None
    backfill: BackfillRequest | None = None


class TriggersSwitch(Request):
    """Triggers to be switched off or on."""

    triggers: list[TriggerName]
    disabled: bool


class Keys(Request):
    """Keys of stored values."""

    keys: list[str]


class NamespaceRequest(Request):
    """What is set for a namespace."""

    id: str | None = None
    description: str | None = None
    variables: dict[str, JsonValue] | None = None
    plugin_defaults: list[dict[str, JsonValue]] | None = Field(default=None, alias="pluginDefaults")


class Autocomplete(Request):
    """What has been typed of a namespace."""

    q: str | None = None
    ids: list[str] | None = None
    existing_only: bool = Field(default=False, alias="existingOnly")


class SecretRequest(Request):
    """A secret to be kept."""

    key: str
    value: str
    description: str | None = None


class RenderRequest(Request):
    """An expression, and the variables that it sees."""

    expression: str
    variables: dict[str, JsonValue] = Field(default_factory=dict)


def read_list(model: type[ModelT], body: bytes) -> list[ModelT]:
    """The JSON list of a request as models. Raises: RequestError that names the first wrong property."""
    try:
        return TypeAdapter(list[model]).validate_json(body or b"[]")  # type: ignore[valid-type]  # built at run time
    except ValidationError as cause:
        first = cause.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        raise RequestError(f"{path}: {first['msg']}" if path else first["msg"], path=path) from cause

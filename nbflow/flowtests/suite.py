"""What a test suite is: cases of one flow, each with fixtures and assertions. Names and meaning follow Kestra's."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, model_validator

from nbflow.model.base import Duration, Model, Text
from nbflow.model.state import State
from nbflow.types import IDENTIFIER, NAMESPACE, JsonValue

UNIT_TEST: Literal["io.kestra.core.tests.flow.UnitTest"] = "io.kestra.core.tests.flow.UnitTest"

Ended = Literal[State.SUCCESS, State.WARNING, State.FAILED, State.SKIPPED, State.KILLED, State.CANCELLED]
"""The states that something ends in."""

OPERATORS: tuple[str, ...] = (
    "is_null",
    "is_not_null",
    "equal_to",
    "not_equal_to",
    "starts_with",
    "ends_with",
    "contains",
    "greater_than",
    "greater_than_or_equal_to",
    "less_than",
    "less_than_or_equal_to",
    "in_",
    "not_in",
)
"""What may be asked of a `value`."""

SHORT_FORMS: tuple[str, ...] = ("state", "task_runs", "log", "no_log")
"""What may be asked without a `value`; nbflow's own."""


class TaskFixture(Model):
    """Stands for a task: it does not run."""

    id: Annotated[str, Field(min_length=1)] = Field(
        description="Id of the task; `call.load` is the task `load` of the flow that the task `call` runs."
    )
    value: Text | None = Field(default=None, description="In a loop: only for the round of this value.")
    state: Ended = Field(default=State.SUCCESS, description="State that its task run ends in.")
    outputs: dict[str, JsonValue] = Field(
        default_factory=dict, description="What it puts out; may hold expressions, which see `files` as well."
    )
    assets: list[JsonValue] = Field(default_factory=list, description="Read and not used.")
    description: Text = Field(default="", description="Why it does not run.")


class TriggerFixture(Model):
    """Stands for the trigger that starts the flow."""

    id: Text = Field(description="Id of the trigger.")
    type: Text = Field(default="", description="Type of the trigger; that of the flow's trigger unless said.")
    variables: dict[str, JsonValue] = Field(default_factory=dict, description="What `{{ trigger.… }}` sees.")


class CaseFixtures(Model):
    """What a case starts from."""

    inputs: dict[str, JsonValue] = Field(
        default_factory=dict, description="Inputs of the flow; may hold expressions, which see `files`."
    )
    files: dict[str, Text] = Field(
        default_factory=dict, description="Content by name; `{{ files['name'] }}` is the URI of such a file."
    )
    tasks: list[TaskFixture] = Field(default_factory=list, description="What stands for tasks.")
    trigger: TriggerFixture | None = Field(default=None, description="What stands for the trigger.")


class Assertion(Model):
    """What must hold once the flow has ended: of a `value`, or of states, task runs and log lines."""

    value: JsonValue = Field(
        default=None,
        description="The value to look at, as a rule an expression over `outputs`, `execution`, `states`, `logs`, …",
    )
    task_id: Text | None = Field(default=None, description="Task that it is about; expressions see its task run.")
    description: Text = Field(default="", description="What it is for.")
    error_message: Text = Field(default="", description="What to say when it does not hold; may hold expressions.")
    is_null: JsonValue = Field(default=None, description="Whether the value must be null, or not be there.")
    is_not_null: JsonValue = Field(default=None, description="Whether the value must not be null.")
    equal_to: JsonValue = Field(
        default=None,
        validation_alias=AliasChoices("equalTo", "equalsTo"),
        description="What the value must be.",
    )
    not_equal_to: JsonValue = Field(
        default=None,
        validation_alias=AliasChoices("notEqualTo", "notEqualsTo"),
        description="What the value must not be.",
    )
    starts_with: JsonValue = Field(default=None, description="How its text must begin.")
    ends_with: JsonValue = Field(default=None, description="How its text must end.")
    contains: JsonValue = Field(default=None, description="Text in it, an item of a list or a key of a map.")
    greater_than: JsonValue = Field(default=None, description="It must be a number above this one.")
    greater_than_or_equal_to: JsonValue = Field(default=None, description="It must be this number or above.")
    less_than: JsonValue = Field(default=None, description="It must be a number below this one.")
    less_than_or_equal_to: JsonValue = Field(default=None, description="It must be this number or below.")
    in_: JsonValue = Field(default=None, description="A list of the values it may be.")
    not_in: JsonValue = Field(default=None, description="A list of values it must not be.")
    state: Ended | list[Ended] | None = Field(
        default=None,
        description="State of the execution, or of every task run of `taskId`; of a list, any of them.",
    )
    task_runs: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="How many task runs there are, of `taskId` if that is said."
    )
    log: Text | None = Field(default=None, description="Text in a line of the log, of `taskId` if that is said.")
    no_log: Text | None = Field(default=None, description="Text in no line of the log.")

    @property
    def asked(self) -> list[str]:
        """The operators and short forms that are written, `equalTo: null` included."""
        return [name for name in (*OPERATORS, *SHORT_FORMS) if name in self.model_fields_set]

    @model_validator(mode="after")
    def _asks_something(self) -> Assertion:
        asked = self.asked
        if not asked:
            raise ValueError("an assertion needs an operator such as `equalTo`, or `state`, `taskRuns`, `log`, `noLog`")
        operators = [name for name in asked if name in OPERATORS]
        if operators and "value" not in self.model_fields_set:
            raise ValueError('an assertion needs a `value` to look at, such as "{{ outputs.load.rows }}"')
        if not operators and "value" in self.model_fields_set:
            raise ValueError("an assertion on a `value` needs an operator such as `equalTo`")
        return self


class Case(Model):
    """One run of the flow, and what must hold after it."""

    id: Annotated[str, Field(pattern=IDENTIFIER.pattern)] = Field(description="Name of the case; unique in the suite.")
    type: Literal["io.kestra.core.tests.flow.UnitTest"] = Field(
        default=UNIT_TEST, description="Kind of test; there is one."
    )
    description: Text = Field(default="", description="What it shows.")
    disabled: bool = Field(default=False, description="Whether it is left out.")
    timeout: Duration = Field(default=timedelta(minutes=5), description="Longest time that it may take.")
    fixtures: CaseFixtures = Field(default_factory=CaseFixtures, description="What it starts from.")
    assertions: list[Assertion] = Field(min_length=1, description="What must hold.")


class Suite(Model):
    """Tests of one flow."""

    id: Annotated[str, Field(pattern=IDENTIFIER.pattern)] = Field(description="Name of the suite.")
    namespace: Annotated[str, Field(pattern=NAMESPACE.pattern)] = Field(default="", description="That of the flow.")
    flow_id: Annotated[str, Field(pattern=IDENTIFIER.pattern)] = Field(default="", description="Id of the flow.")
    flow: Text | None = Field(
        default=None, description="A file with the flow, as seen from the suite's own; instead of the two."
    )
    description: Text = Field(default="", description="What it is about.")
    disabled: bool = Field(default=False, description="Whether all of its cases are left out.")
    test_cases: list[Case] = Field(min_length=1, description="The cases.")

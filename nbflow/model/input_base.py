"""What all inputs of a flow share, and those that are text of some kind."""

from __future__ import annotations

from pydantic import AliasChoices, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from nbflow import regexes
from nbflow.errors import TemplateError
from nbflow.model import input_values as values_
from nbflow.model.base import Model, Text
from nbflow.model.dynamic import holds_expression
from nbflow.model.input_values import shown
from nbflow.types import JsonValue

_ID = r"^[a-zA-Z0-9][a-zA-Z0-9_-]*(\.[a-zA-Z0-9_-]+)*$"


def upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def as_written(value: object) -> object:
    """A number as it stands in the YAML, where text is wanted: 1.10 is not 1.1."""
    return getattr(value, "source_text", value)


class DependsOn(Model):
    """When an input is asked for: which inputs it builds on, and the condition."""

    inputs: list[Text] = Field(default_factory=list, description="Inputs that must have been asked for before.")
    condition: Text | None = Field(default=None, description="Expression that must be true; otherwise it is left out.")


class Input(Model):
    """A value given at the start of an execution."""

    id: Text = Field(
        pattern=_ID,
        validation_alias=AliasChoices("id", "name"),
        description="Name of the input, once in a flow; `a.b` becomes `inputs.a.b`.",
    )
    type: str = Field(default="", description="What kind of value it is.")
    required: bool = Field(default=True, description="Whether an execution without a value is refused.")
    defaults: JsonValue = Field(
        default=None,
        validation_alias=AliasChoices("defaults", "default"),
        description="Value when none is given; may be an expression.",
    )
    prefill: JsonValue = Field(default=None, description="Value that a form starts with; it can be emptied.")
    display_name: Text | None = Field(default=None, description="Name to show to people.")
    description: Text | None = Field(default=None, description="What the value is for; Markdown.")
    depends_on: DependsOn | None = Field(default=None, description="When the input is asked for.")

    @model_validator(mode="after")
    def _read_defaults(self) -> Input:
        if self.defaults is not None and not holds_expression(self.defaults):
            try:
                self.read(self.defaults)
            except ValueError as refused:
                raise PydanticCustomError(
                    "defaults", "{reason}", {"reason": str(refused), "at": "defaults"}
                ) from refused
        return self

    def read(self, value: object) -> JsonValue:
        """The JSON value of what a user gave. Raises: ValueError saying what is expected and what was found."""
        try:
            return self._read(value)
        except RecursionError as endless:
            raise ValueError("must be a value that JSON has, got one that holds itself") from endless

    def _read(self, value: object) -> JsonValue:
        return values_.plain(value)

    def default(self) -> JsonValue:
        """The value when none is given; may hold an expression."""
        return self.defaults


class TextInput(Input):
    """An input that is text of some kind."""

    validator: Text | None = Field(default=None, description="Regular expression that the whole text must match.")

    _defaults_as_written = field_validator("defaults", mode="before")(as_written)

    @field_validator("validator")
    @classmethod
    def _is_pattern(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                regexes.check(pattern)
            except TemplateError as broken:
                reason = broken.__cause__ or broken.message
                raise ValueError(f"must be a regular expression: {reason}, got {shown(pattern)}") from broken
        return pattern

    def _matched(self, text: str, found: str) -> str:
        try:
            matches = self.validator is None or regexes.full_match(text, self.validator)
        except TemplateError as endless:
            raise ValueError(endless.message) from endless
        if not matches:
            raise ValueError(f"must match `{self.validator}`{found}")
        return text

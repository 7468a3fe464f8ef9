"""The types of inputs that offer values to choose from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AliasChoices, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from nbflow.model import input_values as values_
from nbflow.model.base import Model, Text
from nbflow.model.input_base import Input, as_written
from nbflow.model.input_values import shown
from nbflow.types import JsonValue


class ValueOption(Model):
    """One of the values to choose from, with the name to show."""

    label: Text = Field(description="Name to show to people.")
    value: Text = Field(description="The value itself.")


def _values_field() -> Any:  # Any: what pydantic's `Field` returns for every type
    return Field(
        default_factory=list,
        validation_alias=AliasChoices("values", "options"),
        description="Values to choose from; `{label, value}` shows another name.",
    )


class ChoiceInput(Input):
    """An input whose values are listed."""

    values: list[Text | ValueOption] = _values_field()
    expression: Text | None = Field(default=None, description="Expression that gives the list of values.")
    allow_custom_value: bool = Field(default=False, description="Whether other values are taken too.")
    auto_select_first: bool = Field(default=False, description="Whether the first value is the default.")

    _defaults_as_written = field_validator("defaults", mode="before")(as_written)

    @model_validator(mode="after")
    def _has_values(self) -> ChoiceInput:
        if not self.values and self.expression is None:
            raise PydanticCustomError("no_values", "needs `values` to choose from, or an `expression` that gives them")
        return self

    @property
    def choices(self) -> list[str]:
        """The values to choose from, without their labels."""
        return [value.value if isinstance(value, ValueOption) else value for value in self.values]

    def default(self) -> JsonValue:
        if self.defaults is None and self.auto_select_first and self.choices:
            return self.choices[0]
        return self.defaults

    def _chosen(self, value: object) -> str:
        text = values_.to_text(value)
        # With an expression the values are known only once `read_inputs` has rendered it.
        if text not in self.choices and not self.allow_custom_value and (self.values or self.expression is None):
            raise ValueError(
                f"must be one of {', '.join(self.choices)}, got {shown(value)}{values_.or_nearest(text, self.choices)}"
            )
        return text


class SelectInput(ChoiceInput):
    """One of several values."""

    type: Literal["SELECT"] = Field(default="SELECT", description="One of several values.")
    is_radio: bool = Field(default=False, description="Whether a form shows all values at once, to pick one.")

    def _read(self, value: object) -> JsonValue:
        return self._chosen(value)


class EnumInput(ChoiceInput):
    """One of several values; the older form of SELECT."""

    type: Literal["ENUM"] = Field(default="ENUM", description="One of several values.")

    def _read(self, value: object) -> JsonValue:
        return self._chosen(value)

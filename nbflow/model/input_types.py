"""The types of inputs that a flow can declare: one class each, which also reads what people give."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from nbflow import regexes
from nbflow.errors import TemplateError
from nbflow.model import input_values as values_
from nbflow.model.base import Duration, Model, Text
from nbflow.model.durations import format_duration
from nbflow.model.dynamic import holds_expression
from nbflow.model.input_values import shown
from nbflow.types import JsonValue

_ID = r"^[a-zA-Z0-9][a-zA-Z0-9_-]*(\.[a-zA-Z0-9_-]+)*$"


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _as_written(value: object) -> object:
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

    _defaults_as_written = field_validator("defaults", mode="before")(_as_written)

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


class StringInput(TextInput):
    """Text."""

    type: Literal["STRING"] = Field(default="STRING", description="Text.")

    def _read(self, value: object) -> JsonValue:
        return self._matched(values_.to_written(value), f", got {shown(value)}")


class SecretInput(TextInput):
    """Text that is encrypted in the history and masked in logs."""

    type: Literal["SECRET"] = Field(default="SECRET", description="Text that is kept secret.")

    def _read(self, value: object) -> JsonValue:
        if not isinstance(value, str | int | float):
            raise ValueError("must be text")
        return self._matched(values_.to_text(value), "")


class IntInput(Input):
    """A whole number."""

    type: Literal["INT"] = Field(default="INT", description="A whole number.")
    min: int | None = Field(default=None, description="Least value.")
    max: int | None = Field(default=None, description="Greatest value.")

    def _read(self, value: object) -> JsonValue:
        number = values_.to_int(value)
        values_.within(number, self.min, self.max, shown)
        return number


class FloatInput(Input):
    """A number."""

    type: Literal["FLOAT"] = Field(default="FLOAT", description="A number.")
    min: float | None = Field(default=None, description="Least value.")
    max: float | None = Field(default=None, description="Greatest value.")

    def _read(self, value: object) -> JsonValue:
        number = values_.to_float(value)
        values_.within(number, self.min, self.max, shown)
        return number


class BooleanInput(Input):
    """True or false."""

    type: Literal["BOOLEAN"] = Field(default="BOOLEAN", description="True or false.")

    def _read(self, value: object) -> JsonValue:
        return values_.to_bool(value)


class BoolInput(Input):
    """True or false, shown as a switch."""

    type: Literal["BOOL"] = Field(default="BOOL", description="True or false, shown as a switch.")

    def _read(self, value: object) -> JsonValue:
        return values_.to_bool(value)


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

    _defaults_as_written = field_validator("defaults", mode="before")(_as_written)

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


class MultiselectInput(ChoiceInput):
    """Any number of several values."""

    type: Literal["MULTISELECT"] = Field(default="MULTISELECT", description="Any number of several values.")
    item_type: Annotated[Text, BeforeValidator(_upper)] = Field(default="STRING", description="Type of the values.")

    @field_validator("item_type")
    @classmethod
    def _known_type(cls, name: str) -> str:
        return _item_type(name)

    def default(self) -> JsonValue:
        first = super().default()
        return [first] if isinstance(first, str) and self.defaults is None else first

    def _read(self, value: object) -> JsonValue:
        if isinstance(value, str) and not value.lstrip().startswith("["):
            value = [value]  # a form that sends one choice sends it bare
        return [
            _read_item(self.item_type, self._chosen(item), number) for number, item in enumerate(values_.to_list(value))
        ]


class DatetimeInput(Input):
    """An instant."""

    type: Literal["DATETIME"] = Field(default="DATETIME", description="An instant such as 2024-01-31T08:30:00Z.")
    after: Annotated[datetime, BeforeValidator(values_.to_instant)] | None = Field(
        default=None, description="Earliest instant."
    )
    before: Annotated[datetime, BeforeValidator(values_.to_instant)] | None = Field(
        default=None, description="Latest instant."
    )

    def _read(self, value: object) -> JsonValue:
        moment = values_.to_instant(value)
        values_.between(moment, self.after, self.before, values_.format_instant)
        return values_.format_instant(moment)


class DateInput(Input):
    """A day."""

    type: Literal["DATE"] = Field(default="DATE", description="A day such as 2024-01-31.")
    after: Annotated[date, BeforeValidator(values_.to_date)] | None = Field(default=None, description="Earliest day.")
    before: Annotated[date, BeforeValidator(values_.to_date)] | None = Field(default=None, description="Latest day.")

    def _read(self, value: object) -> JsonValue:
        day = values_.to_date(value)
        values_.between(day, self.after, self.before, date.isoformat)
        return day.isoformat()


class TimeInput(Input):
    """A time of day."""

    type: Literal["TIME"] = Field(default="TIME", description="A time of day such as 08:30:00.")
    after: Annotated[time, BeforeValidator(values_.to_time)] | None = Field(default=None, description="Earliest time.")
    before: Annotated[time, BeforeValidator(values_.to_time)] | None = Field(default=None, description="Latest time.")

    def _read(self, value: object) -> JsonValue:
        moment = values_.to_time(value)
        values_.between(moment, self.after, self.before, time.isoformat)
        return moment.isoformat()


class DurationInput(Input):
    """A length of time."""

    type: Literal["DURATION"] = Field(default="DURATION", description="A length of time such as PT5M.")
    min: Duration | None = Field(default=None, description="Shortest duration.")
    max: Duration | None = Field(default=None, description="Longest duration.")

    def _read(self, value: object) -> JsonValue:
        length = values_.to_duration(value)
        values_.within(length, self.min, self.max, format_duration)
        return format_duration(length)


class JsonInput(Input):
    """Any JSON value, given as JSON text or as it is."""

    type: Literal["JSON"] = Field(default="JSON", description="Any JSON value.")
    json_schema: dict[str, JsonValue] | Text | None = Field(default=None, description="JSON Schema for forms.")

    def _read(self, value: object) -> JsonValue:
        return values_.to_json(value)


class YamlInput(Input):
    """Any value, given as YAML text or as it is."""

    type: Literal["YAML"] = Field(default="YAML", description="Any value, as YAML text.")

    def _read(self, value: object) -> JsonValue:
        return values_.to_yaml(value)


class UriInput(Input):
    """An address."""

    type: Literal["URI"] = Field(default="URI", description="An address such as https://example.com/data.csv.")

    def _read(self, value: object) -> JsonValue:
        return values_.to_uri(value)


class EmailInput(Input):
    """An email address."""

    type: Literal["EMAIL"] = Field(default="EMAIL", description="An email address.")

    def _read(self, value: object) -> JsonValue:
        return values_.to_email(value)


_LIKE_A_FILE = re.compile(r"[/\\]|\.\w+$")


class FileInput(Input):
    """A file: its path, or the URI of one that is stored already. The engine stores it."""

    type: Literal["FILE"] = Field(default="FILE", description="A file, by path or URI.")
    extension: Text | None = Field(default=None, description="Ending of the stored file, such as .csv.")
    allowed_file_extensions: list[Text] = Field(
        default_factory=list,
        validation_alias=AliasChoices("allowedFileExtensions", "accept"),
        description="Endings that are taken, such as .csv.",
    )

    @field_validator("defaults")
    @classmethod
    def _names_a_file(cls, value: JsonValue) -> JsonValue:
        # A path is nbflow's own: where a flow and its data lie in one folder, it should run without an answer.
        if isinstance(value, str) and not holds_expression(value) and not _LIKE_A_FILE.search(value):
            raise PydanticCustomError(
                "file_default", "must be a path or the URI of a stored file, got {found}", {"found": shown(value)}
            )
        return value

    def _read(self, value: object) -> JsonValue:
        path = values_.to_file(value)
        endings = [f".{ending.lstrip('.').lower()}" for ending in self.allowed_file_extensions]
        if endings and not path.lower().endswith(tuple(endings)):
            raise ValueError(f"must be a file that ends in {' or '.join(endings)}, got {shown(path)}")
        return path


class ArrayInput(Input):
    """A list of values of one type."""

    type: Literal["ARRAY"] = Field(default="ARRAY", description="A list of values of one type.")
    item_type: Annotated[Text, BeforeValidator(_upper)] = Field(description="Type of the values.")

    @field_validator("item_type")
    @classmethod
    def _known_type(cls, name: str) -> str:
        return _item_type(name)

    def _read(self, value: object) -> JsonValue:
        return [_read_item(self.item_type, item, number) for number, item in enumerate(values_.to_list(value))]


AnyInput = (
    StringInput | IntInput | FloatInput | BooleanInput | BoolInput | SelectInput | MultiselectInput | EnumInput
    | DatetimeInput | DateInput | TimeInput | DurationInput | JsonInput | YamlInput | UriInput | EmailInput
    | FileInput | SecretInput | ArrayInput
)  # fmt: skip

INPUT_TYPES: dict[str, type[Input]] = {cls.model_fields["type"].default: cls for cls in AnyInput.__args__}
"""Type name → class, in the order that pages and forms list them."""


def _item_type(name: str) -> str:
    if name not in INPUT_TYPES or name in ("ARRAY", "MULTISELECT"):
        allowed = [known for known in INPUT_TYPES if known not in ("ARRAY", "MULTISELECT")]
        raise ValueError(f"must be one of {', '.join(allowed)}, got {shown(name)}{values_.or_nearest(name, allowed)}")
    return name


def _read_item(type_name: str, value: object, number: int) -> JsonValue:
    item = INPUT_TYPES[type_name].model_construct(id="item")
    if isinstance(item, ChoiceInput):
        item.allow_custom_value = True
    try:
        return item.read(value)
    except ValueError as refused:
        raise ValueError(f"item {number}: {refused}") from refused

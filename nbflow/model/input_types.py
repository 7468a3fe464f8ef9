"""The types of inputs that a flow can declare: one class each, which also reads what people give."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Annotated, Literal

from pydantic import AliasChoices, BeforeValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from nbflow.model import input_values as values_
from nbflow.model.base import Duration, Text
from nbflow.model.durations import format_duration
from nbflow.model.dynamic import holds_expression
from nbflow.model.input_base import Input, TextInput, upper
from nbflow.model.input_choices import ChoiceInput, EnumInput, SelectInput
from nbflow.model.input_values import shown
from nbflow.types import JsonValue


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


class MultiselectInput(ChoiceInput):
    """Any number of several values."""

    type: Literal["MULTISELECT"] = Field(default="MULTISELECT", description="Any number of several values.")
    item_type: Annotated[Text, BeforeValidator(upper)] = Field(default="STRING", description="Type of the values.")

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


class ArrayInput(Input):
    """A list of values of one type."""

    type: Literal["ARRAY"] = Field(default="ARRAY", description="A list of values of one type.")
    item_type: Annotated[Text, BeforeValidator(upper)] = Field(description="Type of the values.")

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

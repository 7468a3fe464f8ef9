"""The inputs of a flow: how a declaration finds its class, and how the values given for all of them are read.

declared (YAML) ─ InputField ─▶ Input        given ─ read_inputs ─▶ nested JSON values, problems, unknown ids
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from nbflow.errors import NbflowError, Problem
from nbflow.model.dynamic import holds_expression
from nbflow.model.input_base import Input
from nbflow.model.input_choices import ChoiceInput
from nbflow.model.input_types import INPUT_TYPES, AnyInput
from nbflow.model.input_values import shown, to_list, to_text
from nbflow.nearest import did_you_mean
from nbflow.types import JsonValue

__all__ = ["INPUT_TYPES", "Input", "InputField", "read_inputs"]

Render = Callable[[str, Mapping[str, JsonValue]], object]
"""Renders an expression: (text, inputs read so far) -> value."""


class _ByType:
    """Reads an input with the class of its `type`.

    Validation goes to that one class, so that the others need not be made ready; JSON Schema lists them all.
    """

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _read_input, serialization=core_schema.plain_serializer_function_ser_schema(_written)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        union = Annotated[AnyInput, Field(discriminator="type")]
        return handler(TypeAdapter(union).core_schema)


InputField = Annotated[Input, _ByType()]
"""An input of any type, chosen by its `type`; lower-case types are read too."""


def _written(declared: Input) -> dict[str, object]:
    return declared.model_dump(mode="json", by_alias=True, exclude_none=True)


def _read_input(value: object) -> Input:
    if isinstance(value, Input):
        return value
    if not isinstance(value, dict):
        raise PydanticCustomError(
            "input_shape", "must be an input with `id` and `type`, got {found}", {"found": shown(value)}
        )
    written = value.get("type")
    if written is None:
        raise PydanticCustomError(
            "input_type_missing", "`type` is missing", {"hint": f"there are {', '.join(INPUT_TYPES)}"}
        )
    cls = INPUT_TYPES.get(written.upper()) if isinstance(written, str) else None
    if cls is None:
        hint = did_you_mean(str(written), INPUT_TYPES) or f"there are {', '.join(INPUT_TYPES)}"
        raise PydanticCustomError(
            "input_type_unknown",
            "there is no input type {found}",
            {"found": shown(written), "hint": hint, "at": "type"},
        )
    return cls.model_validate({**value, "type": written.upper()})


def read_inputs(
    inputs: Sequence[Input], given: Mapping[str, object], render: Render
) -> tuple[dict[str, JsonValue], list[Problem], list[str]]:
    """Read the values given for the inputs of a flow.

    Returns the values as expressions see them (`a.b` nested), every problem, and the ids given that no input has.
    An input whose `dependsOn` condition is false, or cannot be evaluated, is left out; one that is optional and not
    given is null. `given` may be flat (`{"a.b": 1}`) or nested (`{"a": {"b": 1}}`).
    """
    reading = _Reading(inputs, given, render)
    for declared in inputs:
        reading.settle(declared)
    return reading.in_order(), reading.problems, _unknown(inputs, given)


def input_value(inputs: Mapping[str, JsonValue], input_id: str) -> JsonValue:
    """The value of an input as expressions see it; `a.b` lies inside `a`."""
    value: JsonValue = dict(inputs)
    for part in input_id.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value


def with_input(inputs: Mapping[str, JsonValue], input_id: str, value: JsonValue) -> dict[str, JsonValue]:
    """Inputs with another value for one of them."""
    first, _, rest = input_id.partition(".")
    if not rest:
        return {**inputs, first: value}
    inner = inputs[first]
    assert isinstance(inner, dict)
    return {**inputs, first: with_input(inner, rest, value)}


class _Reading:
    """One pass over the inputs of a flow; an input is settled after those it depends on."""

    def __init__(self, inputs: Sequence[Input], given: Mapping[str, object], render: Render) -> None:
        self._inputs = {declared.id: declared for declared in inputs}
        self._given = given
        self._render = render
        self._values: dict[str, JsonValue] = {}
        self._settled: set[str] = set()
        self._refused: set[str] = set()
        self.problems: list[Problem] = []

    def settle(self, declared: Input) -> None:
        if declared.id in self._settled:
            return
        self._settled.add(declared.id)
        try:
            if not self._is_asked_for(declared):
                return
            found, value = self._find(declared)
            if not found and declared.required:
                self._refuse(declared, "is required, and no value is given", f"give `{declared.id}` a value")
            else:
                self._values[declared.id] = self._offered(declared).read(value) if found else None
        except ValueError as refused:
            self._refuse(declared, str(refused))
        except NbflowError as failed:
            self._refuse(declared, failed.message, failed.hint)

    def in_order(self) -> dict[str, JsonValue]:
        return _nest({name: self._values[name] for name in self._inputs if name in self._values})

    def _refuse(self, declared: Input, message: str, hint: str = "") -> None:
        self._refused.add(declared.id)
        self.problems.append(Problem(message, path=f"inputs.{declared.id}", hint=hint))

    def _is_asked_for(self, declared: Input) -> bool:
        if declared.depends_on is None:
            return True
        for name in declared.depends_on.inputs:
            if name in self._inputs:
                self.settle(self._inputs[name])
            if name not in self._values:
                return False
        condition = declared.depends_on.condition
        if condition is None:
            return True
        try:
            answer = self._render(condition, _nest(self._values)) if holds_expression(condition) else condition
        except NbflowError:  # it cannot be said to hold; the loader has told its author
            return False
        return str(answer).strip().lower() not in ("", "false", "0", "-0", "none")

    def _find(self, declared: Input) -> tuple[bool, object]:
        value = _lookup(self._given, declared.id)
        is_blank = isinstance(value, str) and not value.strip() and declared.type not in ("STRING", "SECRET")
        if value is not None and not is_blank:  # a form sends an empty field as empty text
            return True, value
        default = declared.default()
        if default is None:
            return False, None
        rendered = self._rendered(default)
        return rendered is not None, rendered

    def _rendered(self, value: JsonValue) -> object:
        if isinstance(value, str):
            return self._render(value, _nest(self._values)) if holds_expression(value) else value
        if isinstance(value, dict):
            return {key: self._rendered(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._rendered(item) for item in value]
        return value

    def _offered(self, declared: Input) -> Input:
        if not isinstance(declared, ChoiceInput) or declared.expression is None:
            return declared
        rendered = self._render(declared.expression, _nest(self._values))
        try:
            choices = [to_text(item) for item in to_list(rendered) if item is not None]
        except ValueError:
            raise ValueError(f"the `expression` of its values must give a list, got {shown(rendered)}") from None
        return declared.model_copy(update={"values": choices, "expression": None})


def _lookup(given: Mapping[str, object], input_id: str) -> object:
    if input_id in given:
        return given[input_id]
    value: object = given
    for part in input_id.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def _nest(flat: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    nested: dict[str, JsonValue] = {}
    for name, value in flat.items():
        *path, last = name.split(".")
        branch = nested
        for part in path:
            step = branch.setdefault(part, {})
            if not isinstance(step, dict):  # `a` and `a.b` both exist; the loader refuses such flows
                step = branch[part] = {}
            branch = step
        branch[last] = value
    return nested


def _unknown(inputs: Sequence[Input], given: Mapping[str, object]) -> list[str]:
    known = {declared.id for declared in inputs}
    groups = {name[:position] for name in known for position, letter in enumerate(name) if letter == "."}
    unknown: list[str] = []

    def look(values: Mapping[str, object], prefix: str) -> None:
        for name, value in values.items():
            full = f"{prefix}{name}"
            if full in known:
                continue
            if full in groups and isinstance(value, Mapping):
                look(value, f"{full}.")
            else:
                unknown.append(full)

    look(given, "")
    return unknown

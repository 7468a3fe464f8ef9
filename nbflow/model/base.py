"""The base of every model that is read from a flow's YAML."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import Annotated

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, PlainSerializer, model_validator
from pydantic.alias_generators import to_camel

from nbflow.model.durations import format_duration, read_duration


def yaml_name(field_name: str) -> str:
    """The spelling of a field in YAML: camelCase, and without the underscore that avoids a Python keyword."""
    return to_camel(field_name.rstrip("_"))


class Model(BaseModel):
    """A part of a flow: camelCase in YAML and JSON, snake_case in Python, unknown properties refused."""

    model_config = ConfigDict(
        alias_generator=yaml_name,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
        coerce_numbers_to_str=True,
        use_enum_values=False,
        protected_namespaces=(),
        defer_build=True,  # a class is made ready when a flow uses it: most runs use few
    )

    @model_validator(mode="before")
    @classmethod
    def _leave_out_empty(cls, value: object) -> object:
        """A property without a value, such as `errors:` alone, is one that is not there."""
        if not isinstance(value, dict) or not any(item is None for item in value.values()):
            return value
        spellings = _with_defaults(cls)
        return {name: item for name, item in value.items() if item is not None or name not in spellings}


@lru_cache(maxsize=1024)
def _with_defaults(model: type[Model]) -> frozenset[str]:
    """The properties, in every spelling, that have a value also when none is written."""
    spellings: set[str] = set()
    for name, field in model.model_fields.items():
        if field.is_required() or (field.default is None and field.default_factory is None):
            continue
        alias = field.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
        spellings.update((name, field.alias or name, *(choice for choice in choices if isinstance(choice, str))))
    return frozenset(spellings)


def _scalar_text(value: object) -> object:
    """Read any YAML scalar where text is wanted, as Jackson does: `true` is the text "true"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = getattr(value, "source_text", None)  # a number that remembers how it was written, such as 1.10
    return text if isinstance(text, str) else value


Text = Annotated[str, BeforeValidator(_scalar_text)]
"""Text; a number or boolean in YAML is taken as it was written."""

Duration = Annotated[timedelta, BeforeValidator(read_duration), PlainSerializer(format_duration, when_used="json")]
"""A length of time, written as ISO 8601 (`PT30S`, `P1D`) in YAML and JSON."""

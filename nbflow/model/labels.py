"""Labels as the text of a flow has them: a map, or a list of `key` and `value`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from nbflow.model.base import Text

SYSTEM = "system."
"""How the labels begin that nbflow itself sets."""
READ_ONLY = "system.readOnly"
"""The one of them that a flow may give itself: editors leave it alone then."""


def _as_map(labels: dict[str, str | None] | list[dict[str, str | None]]) -> dict[str, str | None]:
    if isinstance(labels, dict):
        return labels
    return {key: item.get("value") for item in labels if (key := item.get("key")) is not None}


def _without_system(labels: dict[str, str | None]) -> dict[str, str | None]:
    _refuse(key for key in labels if key != READ_ONLY)
    return labels


def _without_any_of_the_system(labels: GivenLabels) -> GivenLabels:
    _refuse(labels if isinstance(labels, dict) else (item.get("key") or "" for item in labels))
    return labels


def _refuse(keys: Iterable[str]) -> None:
    for key in keys:
        if key.startswith(SYSTEM):
            raise PydanticCustomError(
                "system_label",
                "the label `{key}` cannot be set: `{system}*` belongs to nbflow",
                {"key": key, "system": SYSTEM, "hint": "choose another key"},
            )


_Written = dict[str, Text | None] | list[dict[str, Text | None]]

Labels = Annotated[_Written, AfterValidator(_as_map), AfterValidator(_without_system)]
"""Keys and values; as a map, once read."""

GivenLabels = dict[str, Text] | list[dict[str, Text]]

LabelsToGive = Annotated[GivenLabels, AfterValidator(_without_any_of_the_system)]
"""Keys and values for executions that are started; as they are written."""

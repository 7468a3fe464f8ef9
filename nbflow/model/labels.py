"""Labels as the text of a flow has them: a map, or a list of `key` and `value`."""

from __future__ import annotations

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
    for key in labels:
        if key.startswith(SYSTEM) and key != READ_ONLY:
            raise PydanticCustomError(
                "system_label",
                "the label `{key}` cannot be set: `{system}*` belongs to nbflow",
                {"key": key, "system": SYSTEM, "hint": "choose another key"},
            )
    return labels


_Written = dict[str, Text | None] | list[dict[str, Text | None]]

Labels = Annotated[_Written, AfterValidator(_as_map), AfterValidator(_without_system)]
"""Keys and values; as a map, once read."""

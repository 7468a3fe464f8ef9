"""Declared outputs of a flow: what an execution hands to its caller."""

from __future__ import annotations

import json

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from nbflow.model.base import Model, Text
from nbflow.model.input_values import plain, shown, to_list
from nbflow.model.inputs import INPUT_TYPES
from nbflow.nearest import did_you_mean
from nbflow.types import JsonValue

_ID = r"^[a-zA-Z0-9][a-zA-Z0-9._-]*$"
_READ_AS = {"SELECT": "STRING", "ENUM": "STRING"}  # what may be chosen is said by inputs, not by outputs


class FlowOutput(Model):
    """One output: its value is rendered when the execution ends."""

    id: Text = Field(pattern=_ID, description="Name of the output, once in a flow.")
    type: Text = Field(default="STRING", description="Type of the value, one of the input types.")
    value: JsonValue = Field(description="The value; usually an expression.")
    description: Text | None = Field(default=None, description="What the output means.")
    display_name: Text | None = Field(default=None, description="Name to show to people.")
    required: bool = Field(default=True, description="Whether an execution without it fails.")

    @field_validator("type")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name.upper() not in INPUT_TYPES:
            hint = did_you_mean(name.upper(), INPUT_TYPES) or f"there are {', '.join(INPUT_TYPES)}"
            raise PydanticCustomError(
                "output_type_unknown", "there is no output type {found}", {"found": shown(name), "hint": hint}
            )
        return name

    def read(self, value: object) -> JsonValue:
        """The rendered value as its declared type. Raises: ValueError saying what is expected."""
        name = self.type.upper()
        name = _READ_AS.get(name, name)
        if value is None and not self.required:
            return None
        if name == "STRING" and isinstance(value, dict | list):
            return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        if name in ("ARRAY", "MULTISELECT"):
            return plain(to_list(value))
        return INPUT_TYPES[name].model_construct(id=self.id, type=name).read(value)

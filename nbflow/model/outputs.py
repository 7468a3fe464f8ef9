"""Declared outputs of a flow: what an execution hands to its caller."""

from __future__ import annotations

import json

from pydantic import Field

from nbflow.model.base import Model, Text
from nbflow.model.inputs import INPUT_TYPES
from nbflow.types import IDENTIFIER, JsonValue

_AS_JSON = {"ARRAY", "SELECT", "MULTISELECT", "ENUM"}  # what may be chosen is said by inputs, not by outputs


class FlowOutput(Model):
    """One output: its value is rendered when the execution ends."""

    id: Text = Field(pattern=IDENTIFIER.pattern, description="Name of the output, once in a flow.")
    type: Text = Field(default="STRING", description="Type of the value, one of the input types.")
    value: JsonValue = Field(description="The value; usually an expression.")
    description: Text | None = Field(default=None, description="What the output means.")
    display_name: Text | None = Field(default=None, description="Name to show to people.")
    required: bool = Field(default=True, description="Whether an execution without it fails.")

    def read(self, value: object) -> JsonValue:
        """The rendered value as its declared type. Raises: ValueError saying what is expected."""
        name = self.type.upper()
        if value is None and not self.required:
            return None
        if name == "STRING" and isinstance(value, dict | list):
            return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        if name in _AS_JSON:
            name = "JSON"
        if name not in INPUT_TYPES:
            raise ValueError(f"there is no type {self.type!r}; use one of {', '.join(INPUT_TYPES)}")
        return INPUT_TYPES[name].model_construct(id=self.id, type=name).read(value)

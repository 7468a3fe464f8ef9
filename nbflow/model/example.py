"""A piece of YAML that shows a part of a flow at work: reference pages print it, and tests run it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import dedent

from nbflow.model.state import State
from nbflow.types import JsonValue


@dataclass(frozen=True, slots=True)
class Example:
    """An example of a type: one part with its `type`, a list of tasks, or a whole flow.

    Tests run it to the `state` it ends in. What needs something that is not at hand says so in `needs` ("a Slack
    webhook"), and is only checked then. `inputs` are given to a whole flow; `flows` (YAML) are deployed before, and
    `files` put into the namespace: path → content.
    """

    yaml: str
    title: str = ""
    needs: str = ""
    state: State = State.SUCCESS
    inputs: Mapping[str, JsonValue] = field(default_factory=dict)
    flows: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The YAML, moved to the left margin."""
        return dedent(self.yaml).strip() + "\n"

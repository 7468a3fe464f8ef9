"""What every condition declares: a question about an execution or a date, answered yes or no."""

from __future__ import annotations

from typing import Annotated, ClassVar

from nbflow.model.plugin import Plugin, plugin_field


class Condition(Plugin):
    """A question that a trigger, or a task, asks before it goes on."""

    plugin_kind: ClassVar[str] = "condition"


ConditionField = Annotated[Condition, plugin_field(Condition)]
"""A condition of any type, chosen by its `type`."""

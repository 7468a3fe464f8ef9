"""Conditions made of an expression, or of other conditions."""

from __future__ import annotations

import json

from pydantic import Field

from nbflow.model.condition import Condition, ConditionField
from nbflow.plugins import Facts, Question, Text, condition_type
from nbflow.plugins.truth import is_true
from nbflow.triggers.conditions import old_names

_CORE = "io.kestra.plugin.core.condition"


@condition_type(
    f"{_CORE}.Expression",
    aliases=["expression"],
    old_names=[*old_names("Expression"), "io.kestra.core.models.conditions.types.VariableCondition"],
)
class Expression(Question):
    """Whether an expression is true."""

    expression: Text = Field(description="Expression to evaluate.")

    def holds(self, facts: Facts) -> bool:
        return _says_yes(facts.render(self.expression))


@condition_type(f"{_CORE}.Not", old_names=old_names("Not"))
class Not(Question):
    """Whether none of some conditions holds."""

    conditions: list[ConditionField] = Field(min_length=1, description="The conditions.")

    def holds(self, facts: Facts) -> bool:
        return not any(_holds(condition, facts) for condition in self.conditions)


@condition_type(f"{_CORE}.Or", old_names=old_names("Or"))
class Or(Question):
    """Whether one of some conditions holds."""

    conditions: list[ConditionField] = Field(min_length=1, description="The conditions.")

    def holds(self, facts: Facts) -> bool:
        return any(_holds(condition, facts) for condition in self.conditions)


def _holds(condition: Condition, facts: Facts) -> bool:
    return isinstance(condition, Question) and condition.holds(facts)


def _says_yes(text: str) -> bool:
    """Whether a text means yes. The outputs of an Expression task, printed whole, mean what that task found."""
    if text.lstrip().startswith("{"):
        try:
            printed = json.loads(text)
        except ValueError:
            return is_true(text)
        if isinstance(printed, dict) and set(printed) == {"value"}:
            return is_true(printed["value"])
    return is_true(text)

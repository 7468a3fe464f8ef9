"""Conditions about an execution: its flow, its state, its labels, its outputs, its retries."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pydantic import Field

from nbflow.model.execution import Execution as ExecutionRecord
from nbflow.plugins import Facts, Question, State, Text, condition_type
from nbflow.plugins.truth import is_true
from nbflow.triggers.conditions import old_names

_CORE = "io.kestra.plugin.core.condition"


class ExecutionQuestion(Question):
    """A condition about an execution; where there is none, it does not hold."""

    def holds(self, facts: Facts) -> bool:
        return facts.execution is not None and self.fits(facts.execution, facts)

    def fits(self, execution: ExecutionRecord, facts: Facts) -> bool:
        """Whether it holds for this execution."""
        raise TypeError(f"{type(self).__name__} does not say what fits: write `fits`")


class Comparison(StrEnum):
    """How a namespace is compared."""

    EQUALS = "EQUALS"
    PREFIX = "PREFIX"
    SUFFIX = "SUFFIX"


@condition_type(f"{_CORE}.Execution", old_names=old_names("Execution"))
class Execution(ExecutionQuestion):
    """Whether an execution is of a flow and in one of some states."""

    namespace: Text | None = Field(default=None, description="Namespace of its flow; any unless said.")
    flow_id: Text | None = Field(default=None, description="Id of its flow; any unless said.")
    states: list[State] = Field(default_factory=list, description="States it may be in; any unless said.")

    def fits(self, execution: ExecutionRecord, facts: Facts) -> bool:
        return (
            self.namespace in (None, execution.namespace)
            and self.flow_id in (None, execution.flow_id)
            and (not self.states or execution.state in self.states)
        )


@condition_type(f"{_CORE}.ExecutionFlow", old_names=old_names("ExecutionFlow"))
class ExecutionFlow(ExecutionQuestion):
    """Whether an execution is of a flow."""

    namespace: Text = Field(description="Namespace of the flow.")
    flow_id: Text = Field(description="Id of the flow.")

    def fits(self, execution: ExecutionRecord, facts: Facts) -> bool:
        return (execution.namespace, execution.flow_id) == (self.namespace, self.flow_id)


@condition_type(f"{_CORE}.ExecutionNamespace", old_names=old_names("ExecutionNamespace"))
class ExecutionNamespace(ExecutionQuestion):
    """Whether an execution is of a flow in a namespace."""

    namespace: Text = Field(description="The namespace, or its beginning or end.")
    comparison: Comparison | None = Field(default=None, description="EQUALS (unless said), PREFIX or SUFFIX.")
    prefix: bool = Field(default=False, description="Older form of `comparison: PREFIX`.")

    def fits(self, execution: ExecutionRecord, facts: Facts) -> bool:
        comparison = self.comparison or (Comparison.PREFIX if self.prefix else Comparison.EQUALS)
        if comparison is Comparison.PREFIX:
            return execution.namespace.startswith(self.namespace)
        if comparison is Comparison.SUFFIX:
            return execution.namespace.endswith(self.namespace)
        return execution.namespace == self.namespace


@condition_type(f"{_CORE}.ExecutionStatus", old_names=old_names("ExecutionStatus"))
class ExecutionStatus(ExecutionQuestion):
    """Whether an execution is in one of some states, or in none of others."""

    in_: list[State] | None = Field(default=None, description="States it must be in one of.")
    not_in: list[State] = Field(default_factory=list, description="States it must not be in.")

    def fits(self, execution: ExecutionRecord, facts: Facts) -> bool:
        return _among(execution.state, self.in_, self.not_in)


@condition_type(f"{_CORE}.ExecutionLabels", old_names=old_names("ExecutionLabels"))
class ExecutionLabels(ExecutionQuestion):
    """Whether an execution has some labels."""

    labels: dict[str, Text] | list[dict[str, Text]] = Field(description="Keys and values it must have.")

    def fits(self, execution: ExecutionRecord, facts: Facts) -> bool:
        has = dict(execution.labels)
        return all(has.get(key) == value for key, value in self._wanted())

    def _wanted(self) -> list[tuple[str, str]]:
        if isinstance(self.labels, dict):
            return list(self.labels.items())
        return [(label.get("key", ""), label.get("value", "")) for label in self.labels]


@condition_type(f"{_CORE}.ExecutionOutputs", old_names=old_names("ExecutionOutputs"))
class ExecutionOutputs(ExecutionQuestion):
    """Whether an expression about an execution's outputs is true; without outputs it is not."""

    expression: Text = Field(description="Expression, such as `{{ trigger.outputs.rows > 0 }}`.")

    def fits(self, execution: ExecutionRecord, facts: Facts) -> bool:
        return bool(execution.outputs) and is_true(facts.render(self.expression))


@condition_type(f"{_CORE}.HasRetryAttempt", old_names=old_names("HasRetryAttempt"))
class HasRetryAttempt(ExecutionQuestion):
    """Whether a task of an execution was tried more than once, with an attempt in one of some states."""

    in_: list[State] | None = Field(default=None, description="States of the attempt.")
    not_in: list[State] = Field(default_factory=list, description="States the attempt must not be in.")

    def fits(self, execution: ExecutionRecord, facts: Facts) -> bool:
        return any(
            _among(attempt.state, self.in_, self.not_in)
            for run in facts.task_runs
            if len(run.attempts) > 1
            for attempt in run.attempts
        )


def _among(state: State, allowed: Sequence[State] | None, refused: Sequence[State]) -> bool:
    return (allowed is None or state in allowed) and state not in refused

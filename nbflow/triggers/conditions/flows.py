"""Conditions about the flow that asks, not about an execution: the oldest ones, kept for flows that have them."""

from __future__ import annotations

from pydantic import Field

from nbflow.plugins import Facts, Question, Text, condition_type

_CORE = "io.kestra.plugin.core.condition"
_OLD = "io.kestra.core.models.conditions.types"


@condition_type(f"{_CORE}.FlowCondition", old_names=[f"{_OLD}.FlowCondition"])
class FlowCondition(Question):
    """Whether the flow that asks is a given one; ExecutionFlow asks for the flow of an execution."""

    namespace: Text = Field(description="Namespace of the flow.")
    flow_id: Text = Field(description="Id of the flow.")

    def holds(self, facts: Facts) -> bool:
        asks = facts.render("{{ flow.namespace }}"), facts.render("{{ flow.id }}")
        return asks == (self.namespace, self.flow_id)


@condition_type(f"{_CORE}.FlowNamespaceCondition", old_names=[f"{_OLD}.FlowNamespaceCondition"])
class FlowNamespaceCondition(Question):
    """Whether the flow that asks is in a namespace; ExecutionNamespace asks for that of an execution."""

    namespace: Text = Field(description="The namespace, or its beginning.")
    prefix: bool = Field(default=False, description="Whether `namespace` is a beginning.")

    def holds(self, facts: Facts) -> bool:
        namespace = facts.render("{{ flow.namespace }}")
        return namespace.startswith(self.namespace) if self.prefix else namespace == self.namespace

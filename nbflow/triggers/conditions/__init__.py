"""Conditions: questions about a date or an execution that triggers and tasks ask before they go on."""

from __future__ import annotations


def old_names(name: str) -> list[str]:
    """The names a condition had before: `<name>Condition`, in three packages."""
    return [
        f"io.kestra.plugin.core.condition.{name}Condition",
        f"io.kestra.core.models.conditions.types.{name}Condition",
        f"io.kestra.core.models.conditions.{name}Condition",
    ]

"""The flow that runs one notebook: inputs from its parameters, one task, and a schedule if there is one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from nbflow.errors import InputError, Problem
from nbflow.model.input_values import to_yaml
from nbflow.nearest import did_you_mean
from nbflow.tasks.notebooks.loading import Notebook
from nbflow.tasks.notebooks.parameters import declared_in, inputs_of
from nbflow.triggers.cron import check_cron, check_timezone
from nbflow.types import JsonValue

TASK = "notebook"
"""Id of the task that runs the notebook."""
SCHEDULE = "schedule"
"""Id of its trigger."""
_DATE = "trigger_date"
"""A parameter of this name gets the date of the schedule, unless another value is given."""


def name_of(text: str) -> str:
    """A name as the id of a flow: letters, digits, `.`, `_` and `-`."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._") or TASK


@dataclass(frozen=True, slots=True)
class NotebookFlow:
    """What is wanted of a flow that runs a notebook.

    `path` is where the task finds the notebook, `files` are files of the namespace to find beside it, `given` values of
    its parameters, which may be expressions such as `{{ trigger.date }}`, `properties` more properties of the task.
    """

    id: str
    namespace: str
    path: str
    cron: str | None = None
    timezone: str | None = None
    given: Mapping[str, JsonValue] = field(default_factory=dict)
    files: Sequence[str] = ()
    properties: Mapping[str, JsonValue] = field(default_factory=dict)

    def source(self, notebook: Notebook) -> str:
        """The YAML of the flow. Raises: InputError when values that are given do not fit the notebook's parameters."""
        declared = inputs_of(notebook)
        names = [str(entry["id"]) for entry in declared]
        kinds = {str(entry["id"]): str(entry["type"]) for entry in declared}
        given = {
            name: _plain(value, kinds.get(name, "")) for name, value in self._given(names).items() if value is not None
        }
        self._check(notebook, given)
        task: dict[str, JsonValue] = {"id": TASK, "type": "nbflow.notebook.Run", "path": self.path}
        if names:
            task["parameters"] = {name: f"{{{{ inputs.{name} }}}}" for name in names}
        if self.files:
            task["namespaceFiles"] = {"enabled": True, "include": list(self.files)}
        flow: dict[str, JsonValue] = {
            "id": self.id,
            "namespace": self.namespace,
            "description": f"Runs the notebook {self.path}.",
        }
        if declared:
            flow["inputs"] = [{**entry, **self._default(entry, given)} for entry in declared]
        flow["tasks"] = [{**task, **self.properties}]
        if self.cron is not None:
            flow["triggers"] = [self._schedule(given)]
        return yaml.safe_dump(flow, sort_keys=False, allow_unicode=True, width=110)

    def _given(self, names: Sequence[str]) -> dict[str, JsonValue]:
        with_date = self.cron is not None and _DATE in names and _DATE not in self.given
        return {**({_DATE: "{{ trigger.date }}"} if with_date else {}), **self.given}

    def _default(self, entry: Mapping[str, JsonValue], given: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """A value for runs by hand, unless it is one that only a schedule knows."""
        value = given.get(str(entry["id"]))
        if value is None or (isinstance(value, str) and "{{" in value):
            return {}
        return {"defaults": value}

    def _schedule(self, given: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        trigger: dict[str, JsonValue] = {
            "id": SCHEDULE,
            "type": "io.kestra.plugin.core.trigger.Schedule",
            "cron": self.cron,
        }
        if self.timezone is not None:
            trigger["timezone"] = self.timezone
        if given:
            trigger["inputs"] = dict(given)
        return trigger

    def _check(self, notebook: Notebook, given: Mapping[str, JsonValue]) -> None:
        known = {parameter.name: parameter for parameter in declared_in(notebook)}
        problems = [
            Problem(
                f"the notebook has no parameter `{name}`",
                path=f"inputs.{name}",
                hint=did_you_mean(name, known) or "its cell tagged `parameters` says which it has",
            )
            for name in given
            if name not in known
        ]
        if self.cron is not None:
            problems += [
                Problem(
                    f"the parameter `{name}` has no default and no value",
                    path=f"inputs.{name}",
                    hint=f"give one for the schedule: --input {name}=…",
                )
                for name, parameter in known.items()
                if not parameter.has_default and name not in given
            ]
        for name, check, written in (("cron", check_cron, self.cron), ("timezone", check_timezone, self.timezone)):
            try:
                if written is not None:
                    check(written)
            except ValueError as cause:
                problems.append(Problem(str(cause), path=name))
        if problems:
            raise InputError(
                "the notebook cannot be scheduled so"
                if self.cron is not None
                else "the values do not fit the notebook",
                problems,
            )


def _plain(value: JsonValue, kind: str) -> JsonValue:
    """A number or JSON that was given as its text, as flows write it; anything else as it is."""
    if not isinstance(value, str) or "{{" in value or kind not in ("INT", "FLOAT", "BOOLEAN", "JSON", "ARRAY"):
        return value
    try:
        return to_yaml(value)
    except ValueError:
        return value  # the input says what is wrong with it

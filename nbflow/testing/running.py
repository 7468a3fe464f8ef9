"""Running one task alone, on the real engine in a home of its own."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from textwrap import dedent, indent

from nbflow.engine import Engine
from nbflow.model.execution import LogEntry, Metric, TaskRun
from nbflow.model.flow import Flow
from nbflow.model.inputs import INPUT_TYPES
from nbflow.model.state import State
from nbflow.model.task import Task
from nbflow.plugins.pages import with_id
from nbflow.source.loader import load_flow
from nbflow.types import JsonValue

_NAMESPACE = "nbflow.testing"
_TYPES: tuple[tuple[type, str], ...] = ((bool, "BOOLEAN"), (int, "INT"), (float, "FLOAT"), (str, "STRING"))


@dataclass(frozen=True, slots=True)
class TaskResult:
    """How a task ended, what it put out, what it wrote, and the files it stored (URI → content).

    `metrics` are those that it reported itself; `task_runs` its own and those below it, the oldest first.
    """

    __test__ = False  # its name looks like that of a test

    state: State
    outputs: Mapping[str, JsonValue]
    logs: list[LogEntry]
    files: Mapping[str, bytes]
    metrics: list[Metric] = field(default_factory=list)
    task_runs: list[TaskRun] = field(default_factory=list)

    @property
    def messages(self) -> list[str]:
        """The messages of the log, oldest first."""
        return [entry.message for entry in self.logs]

    def metric(self, name: str) -> float:
        """The sum of what was reported under a name. Raises: KeyError when nothing was."""
        values = [metric.value for metric in self.metrics if metric.name == name]
        if not values:
            raise KeyError(name)
        return sum(values)


def run_task(
    task: Task | str | Mapping[str, JsonValue],
    *,
    variables: Mapping[str, JsonValue] | None = None,
    inputs: Mapping[str, JsonValue] | None = None,
    files: Mapping[str, bytes | str] | None = None,
    namespace_files: Mapping[str, bytes | str] | None = None,
    secrets: Mapping[str, str] | None = None,
    timeout: float = 60.0,
) -> TaskResult:
    """Run a task to its end: an instance, its YAML, or a mapping of its properties.

    `variables` are what `{{ vars.name }}` sees, `inputs` `{{ inputs.name }}`; `files` are stored first, as
    `{{ vars.files['name'] }}`, and `namespace_files` and `secrets` put into its namespace. The `id` of a task given as
    YAML or a mapping may be left out.

    Raises: FlowValidationError when a task given as YAML or a mapping is not valid.
    Example: `run_task("{type: return, format: hi}").outputs == {"value": "hi"}`
    """
    with tempfile.TemporaryDirectory(prefix="nbflow-") as home, Engine(home) as engine:
        store = engine.store
        uris: dict[str, JsonValue] = {
            name: store.files.put_bytes(f"testing/{name}", _bytes(content)) for name, content in (files or {}).items()
        }
        for name, content in (namespace_files or {}).items():
            store.namespace_files.put(_NAMESPACE, name, _bytes(content))
        for name, value in (secrets or {}).items():
            store.secrets.put(_NAMESPACE, name, value, datetime.now(UTC))
        flow = _flow(task, {**(variables or {}), "files": uris}, inputs or {})
        execution = engine.run_flow(flow, inputs, wait=True, timeout=timeout)
        runs = list(execution.task_runs)
        stored = store.files.list(f"nbflow/testing/task/executions/{execution.id}")
        return TaskResult(
            state=runs[0].state,
            outputs=runs[0].outputs,
            logs=execution.logs(),
            files={uri: engine.read_file(uri) for uri in stored},
            metrics=store.metrics.list(execution.id),
            task_runs=runs,
        )


def _flow(
    task: Task | str | Mapping[str, JsonValue], variables: Mapping[str, JsonValue], inputs: Mapping[str, JsonValue]
) -> Flow:
    declared = [{"id": name, "type": _type_of(value)} for name, value in inputs.items()]
    if isinstance(task, Task):
        read = [INPUT_TYPES[entry["type"]].model_validate(entry) for entry in declared]
        return Flow(id="task", namespace=_NAMESPACE, tasks=[task], inputs=read, variables=dict(variables), revision=1)
    text = dedent(task) if isinstance(task, str) else json.dumps(task, ensure_ascii=False)
    head = {"id": "task", "namespace": _NAMESPACE, "inputs": declared, "variables": variables}
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in head.items()]
    loaded = load_flow(
        "\n".join([*lines, f"tasks:\n  - {indent(with_id(text, 'task'), '    ').lstrip()}"]), strict=False
    )
    return loaded.flow.model_copy(update={"revision": 1})


def _type_of(value: JsonValue) -> str:
    return next((name for kind, name in _TYPES if isinstance(value, kind)), "JSON")


def _bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content

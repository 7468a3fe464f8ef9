"""Running one task alone, on the real engine in a home of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

from nbflow.engine import Engine
from nbflow.model.execution import LogEntry
from nbflow.model.flow import Flow
from nbflow.model.state import State
from nbflow.model.task import Task
from nbflow.types import JsonValue

_NAMESPACE = "nbflow.testing"


@dataclass(frozen=True, slots=True)
class TaskResult:
    """How a task ended, what it put out, what it wrote, and the files it stored (URI → content)."""

    state: State
    outputs: Mapping[str, JsonValue]
    logs: list[LogEntry]
    files: Mapping[str, bytes]

    @property
    def messages(self) -> list[str]:
        """The messages of the log, oldest first."""
        return [entry.message for entry in self.logs]


def run_task(
    task: Task,
    *,
    variables: Mapping[str, JsonValue] | None = None,
    files: Mapping[str, bytes] | None = None,
    timeout: float = 60.0,
) -> TaskResult:
    """Run a task to its end.

    `variables` become the flow's (`{{ vars.name }}`); `files` are stored first, as `{{ vars.files['name'] }}`.
    Example: `run_task(Return(id="hi", format="hi")).outputs == {"value": "hi"}`
    """
    with tempfile.TemporaryDirectory(prefix="nbflow-") as home, Engine(home) as engine:
        uris: dict[str, JsonValue] = {
            name: engine.store.files.put_bytes(f"testing/{name}", content) for name, content in (files or {}).items()
        }
        flow = Flow(
            id="task", namespace=_NAMESPACE, tasks=[task], variables={**(variables or {}), "files": uris}, revision=1
        )
        execution = engine.run_flow(flow, wait=True, timeout=timeout)
        run = execution.task_runs[task.id]
        stored = engine.store.files.list(f"nbflow/testing/task/executions/{execution.id}")
        return TaskResult(run.state, run.outputs, execution.logs(), {uri: engine.read_file(uri) for uri in stored})

"""What one execution may ask of the engine about another: start a subflow and wait for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from nbflow.model.execution import Execution, TaskRun
from nbflow.types import JsonValue


class FlowCalls(Protocol):
    """Starts executions on behalf of task runs; the engine implements it."""

    async def call(
        self,
        caller: Execution,
        task_run: TaskRun,
        namespace: str,
        flow_id: str,
        inputs: Mapping[str, JsonValue],
        labels: Mapping[str, str],
        revision: int | None,
        wait: bool,
        key: str,
    ) -> Execution:
        """The execution that this task run started under this key, ended if `wait`; a new one if there is none."""
        ...

"""What there is to say of an execution: how it ended, for how long it ran, which task failed and why."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from nbflow.errors import ExecutionNotFoundError, TaskFailedError
from nbflow.plugins import Dynamic, Example, LogLevel, Model, RunContext, State, Text
from nbflow.types import JsonValue

LONGEST_ERROR = 1_000
"""Characters of an error that are shown."""

_FAILURES = (State.FAILED, State.KILLED, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Summary:
    """An execution in a few words. `link` is empty where the settings name no address of the user interface."""

    id: str
    namespace: str
    flow_id: str
    state: str
    start: datetime
    duration: str
    link: str = ""
    last_task: str = ""
    failed_task: str = ""
    error: str = ""
    message: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    execution: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"[{self.namespace}] {self.flow_id} ➛ {self.state}"

    @property
    def is_failure(self) -> bool:
        return bool(self.failed_task) or self.state in _FAILURES

    @property
    def outcome(self) -> str:
        """How it ended, in one sentence."""
        if self.failed_task:
            return f"Failed on task `{self.failed_task}` after {self.duration}"
        how = {"SUCCESS": "Succeeded", "WARNING": "Succeeded with warnings", "RUNNING": "Running"}
        return f"{how.get(self.state, self.state.capitalize())} after {self.duration}"

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Names and values to show as a table."""
        facts = [
            ("Namespace", self.namespace),
            ("Flow ID", self.flow_id),
            ("Execution ID", self.id),
            ("Execution Status", self.state),
            *self.fields.items(),
            ("Final task ID", self.last_task),
        ]
        return [(name, value) for name, value in facts if value]

    @property
    def text(self) -> str:
        """All of it as plain text."""
        facts = "\n".join(f"{name}: {value}" for name, value in self.facts)
        return "\n".join(
            part for part in (self.message, self.title, self.outcome, self.error, facts, self.link) if part
        )


def details_of(summary: Summary) -> dict[str, JsonValue]:
    """All that is known of an execution, by name."""
    error = {"Error": summary.error} if summary.error else {}
    return {**dict(summary.facts), **error}


def summary_example(type_name: str, service: str, *properties: str) -> Example:
    """An example of a task that tells of an execution; `properties` are its own, a line each."""
    secret = f"{service.upper().replace(' ', '_')}_WEBHOOK"
    own = properties or (f"url: \"{{{{ secret('{secret}') }}}}\"",)
    lines = [
        "id: failures",
        "namespace: company.team",
        "tasks:",
        "  - id: alert",
        f"    type: {type_name}",
        *(f"    {line}" for line in own),
        '    executionId: "{{ trigger.executionId }}"',
        "    customMessage: Somebody should have a look.",
        "triggers:",
        "  - id: failed",
        "    type: io.kestra.plugin.core.trigger.Flow",
        "    states: [FAILED]",
    ]
    return Example(
        "\n".join(lines) + "\n", title="Tell of every execution that fails.", needs=f"an account at {service}"
    )


class AboutExecution(Model):
    """What every task that sends a summary of an execution declares."""

    execution_id: Dynamic[Text] | None = Field(
        default=None,
        description="The execution it is about, such as {{ trigger.executionId }}; the running one unless said.",
    )
    custom_fields: Dynamic[dict[str, JsonValue]] = Field(
        default_factory=dict, description="Further names and values to show."
    )
    custom_message: Dynamic[Text] | None = Field(default=None, description="A text to show first.")

    async def summary(self, ctx: RunContext) -> Summary:
        """What there is to say. Raises: TaskFailedError when there is no such execution."""
        fields = {
            name: value if isinstance(value, str) else _as_text(value) for name, value in self.custom_fields.items()
        }
        execution_id = (self.execution_id or ctx.execution_id).strip()
        return await asyncio.to_thread(summary_of, ctx, execution_id, self.custom_message or "", fields)


def summary_of(ctx: RunContext, execution_id: str, message: str, fields: Mapping[str, str]) -> Summary:
    """A summary of an execution as it stands now.

    Of the running one, the task that asks is left out; as it cannot have ended, it is said to have FAILED as soon as a
    task in it has.
    """
    try:
        execution: Any = ctx.executions.get(execution_id)  # Any: Kestra's JSON
    except ExecutionNotFoundError as cause:
        raise TaskFailedError(
            cause.message, hint="in a flow with a Flow trigger write `executionId: {{ trigger.executionId }}`"
        ) from cause
    is_own = execution_id == ctx.execution_id
    own = _around(ctx.task_run_id, execution) if is_own else set()
    runs = [run for run in execution["taskRunList"] if run["id"] not in own]
    failed = _last([run for run in runs if run["state"]["current"] == State.FAILED])
    state = execution["state"]["current"]
    if is_own and failed is not None and state == State.RUNNING:
        state = str(State.FAILED)
    shown = failed if failed is not None and state in _FAILURES else None
    start = datetime.fromisoformat(execution["state"]["startDate"])
    end = execution["state"].get("endDate")
    last = _last(runs)
    return Summary(
        id=execution_id,
        namespace=execution["namespace"],
        flow_id=execution["flowId"],
        state=state,
        start=start,
        duration=in_words((datetime.fromisoformat(end) if end else ctx.now()) - start),
        link=_link(ctx, execution),
        last_task=(shown or last or {}).get("taskId", ""),
        failed_task=shown["taskId"] if shown else "",
        error=_error(ctx, execution_id, shown["id"]) if shown else "",
        message=message,
        fields=fields,
        execution=execution,
    )


def in_words(length: timedelta) -> str:
    """A duration as people read it: `0.42s`, `3m 5s`, `1d 2h 0m`."""
    seconds = max(length.total_seconds(), 0.0)
    if seconds < 60:
        return f"{seconds:.2f}s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d {hours}h {minutes}m"
    return f"{hours}h {minutes}m {seconds}s" if hours else f"{minutes}m {seconds}s"


def _around(own_id: str, execution: Any) -> set[str]:  # Any: Kestra's JSON
    """The task run that asks, and those that it lies in."""
    parents = {run["id"]: run.get("parentTaskRunId") for run in execution["taskRunList"]}
    around = set()
    here: str | None = own_id
    while here is not None:
        around.add(here)
        here = parents.get(here)
    return around


def _last(chosen: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The task run that moved last, an inner one before those around it."""
    around = {run.get("parentTaskRunId") for run in chosen}
    inner = [run for run in chosen if run["id"] not in around]
    return max(inner, key=lambda run: run["state"]["histories"][-1]["date"], default=None)


def _error(ctx: RunContext, execution_id: str, task_run_id: str) -> str:
    lines = ctx.executions.logs(execution_id, min_level=LogLevel.ERROR)
    own = [str(line["message"]) for line in lines if line.get("taskRunId") == task_run_id]
    if not own:
        return ""
    return own[-1] if len(own[-1]) <= LONGEST_ERROR else own[-1][: LONGEST_ERROR - 1] + "…"


def _link(ctx: RunContext, execution: Any) -> str:  # Any: Kestra's JSON
    home = ctx.variables.get("kestra")
    url = home.get("url") if isinstance(home, Mapping) else None
    if not url:
        return ""
    return f"{str(url).rstrip('/')}/ui/executions/{execution['namespace']}/{execution['flowId']}/{execution['id']}"


def _as_text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

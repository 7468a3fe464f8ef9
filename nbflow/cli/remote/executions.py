"""Executions of a server and their logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime

from nbflow.cli.options import UsageError
from nbflow.cli.places import LogQuery, Row, Wanted
from nbflow.cli.remote.client import Client
from nbflow.errors import NotFoundError


class RemoteExecutions:
    """What can be asked about the executions of a server."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def find(self, wanted: Wanted, limit: int) -> list[Row]:
        params: dict[str, str] = {"sort": "state.startDate:desc"}
        if wanted.namespace is not None:
            params["filters[namespace][EQUALS]"] = wanted.namespace
        if wanted.flow is not None:
            params["filters[flowId][EQUALS]"] = wanted.flow
        if wanted.states:
            params["filters[state][IN]"] = ",".join(wanted.states)
        for key, value in wanted.labels.items():
            params[f"filters[labels][EQUALS][{key}]"] = value
        return self._client.every("executions", "search", params=params, limit=limit)

    def get(self, execution_id: str) -> Row:
        return dict(self._client.ask("GET", "executions", execution_id))

    def kill(self, execution_id: str) -> Row:
        return dict(self._client.ask("DELETE", "executions", execution_id, "actions", "kill"))

    def pause(self, execution_id: str) -> Row:
        return dict(self._client.ask("POST", "executions", execution_id, "actions", "pause"))

    def delete(self, execution_id: str) -> None:
        self._client.ask("DELETE", "executions", execution_id)

    def logs(self, execution_id: str, level: str | None = None, task: str | None = None) -> list[Row]:
        self._client.ask("GET", "executions", execution_id)  # the log of an execution that is not there is no empty one
        return list(self._client.ask("GET", "logs", execution_id, params={"minLevel": level, "taskId": task}))

    def follow_logs(self, execution_id: str) -> Iterator[Row]:
        for _, entry in self._client.events("logs", execution_id, "follow"):
            yield entry

    def set_labels(self, execution_id: str, labels: Mapping[str, str]) -> Row:
        pairs = [{"key": key, "value": value} for key, value in labels.items()]
        return dict(self._client.ask("POST", "executions", execution_id, "actions", "labels", json=pairs))

    def change_status(self, execution_id: str, state: str) -> Row:
        params = {"status": state.upper()}
        return dict(self._client.ask("POST", "executions", execution_id, "actions", "change-status", params=params))

    def evaluate(self, execution_id: str, text: str, task: str | None) -> str:
        path = ["executions", execution_id, "actions", "eval"]
        if task is not None:
            path.append(last_run(self.get(execution_id), task))
        found = self._client.ask("POST", *path, content=text.encode(), headers={"Content-Type": "text/plain"})
        if "error" in found:
            raise UsageError(str(found["error"]))
        return str(found["result"])

    def read_file(self, execution_id: str, uri: str) -> bytes:
        return self._client.send("GET", "executions", execution_id, "file", params={"path": uri}).content

    def metrics(self, execution_id: str, task: str | None) -> list[Row]:
        from nbflow.cli.reading import read_execution, read_metric
        from nbflow.engine.measuring import measured

        _, runs = read_execution(self.get(execution_id))
        reported = [read_metric(one, execution_id) for one in self._client.every("metrics", execution_id)]
        return [
            {**asdict(metric), "taskId": metric.task_id, "taskRunId": metric.task_run_id}
            for metric in measured(runs, reported, datetime.now(UTC))
            if task in (None, metric.task_id)
        ]


def search_logs(client: Client, query: LogQuery) -> list[Row]:
    """Log lines of all executions, newest first."""
    named = {
        "filters[q][EQUALS]": query.text,
        "filters[namespace][PREFIX]": query.namespace,
        "filters[flowId][EQUALS]": query.flow,
        "filters[executionId][EQUALS]": query.execution,
        "filters[taskId][EQUALS]": query.task,
        "filters[triggerId][EQUALS]": query.trigger,
        "filters[level][EQUALS]": query.level,
        "filters[startDate][GREATER_THAN_OR_EQUAL_TO]": None if query.start is None else query.start.isoformat(),
        "filters[endDate][LESS_THAN]": None if query.end is None else query.end.isoformat(),
    }
    params = {**named, "page": query.page, "size": query.limit}
    return list(client.ask("GET", "logs", "search", params=params)["results"])


def last_run(execution: Row, task: str) -> str:
    """The id of the last run of a task. Raises: NotFoundError."""
    runs = [run for run in execution.get("taskRunList") or () if task in (run["taskId"], run["id"])]
    if not runs:
        known = ", ".join(dict.fromkeys(run["taskId"] for run in execution.get("taskRunList") or ())) or "none"
        raise NotFoundError(f"there is no task run of `{task}`", hint=f"there are: {known}")
    return str(runs[-1]["id"])

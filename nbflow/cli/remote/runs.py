"""Starts executions at a server and shows them while they go on there."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from nbflow.cli.options import UsageError
from nbflow.cli.places import Again, Row, Start, Watch
from nbflow.cli.reading import read_execution, read_instant
from nbflow.cli.remote.client import Client
from nbflow.cli.remote.executions import last_run
from nbflow.cli.showing import log_text, say, warn
from nbflow.cli.startup import settle
from nbflow.errors import NbflowError

_TERMINAL = ("SUCCESS", "WARNING", "FAILED", "KILLED", "CANCELLED", "RETRIED", "SKIPPED")
_FAILED = ("FAILED", "KILLED", "CANCELLED")
_QUIET = ("TRACE", "DEBUG")

Part = tuple[str, tuple[str | None, str | IO[bytes]]]
Happening = tuple[str, Row | NbflowError | None]


class RemoteRuns:
    """What lets executions go on at a server."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def start(self, namespace: str, flow_id: str, start: Start, watch: Watch) -> int:
        flow = self._client.ask("GET", "flows", namespace, flow_id, params={"revision": start.revision})
        file_inputs = {one["id"] for one in flow.get("inputs") or () if one.get("type") == "FILE"}
        files = {name: Path(value) for name, value in start.inputs.items() if name in file_inputs and _is_path(value)}
        files.update(start.files)
        texts = {name: value for name, value in start.inputs.items() if name not in files}
        params = {
            "labels": [f"{key}:{value}" for key, value in start.labels.items()],
            "revision": start.revision,
        }
        with ExitStack() as opened:
            parts = _parts(texts, files, opened)
            execution = self._client.ask("POST", "executions", namespace, flow_id, params=params, files=parts or None)
        return self._shown(execution, watch)

    def resume(self, execution_id: str, inputs: Mapping[str, str], watch: Watch) -> int:
        return self._act(execution_id, "resume", watch, inputs=inputs)

    def restart(self, execution_id: str, revision: int | None, watch: Watch) -> int:
        return self._act(execution_id, "restart", watch, params={"revision": revision})

    def replay(self, execution_id: str, again: Again, watch: Watch) -> int:
        start = again.task_run
        if again.task is not None:
            start = last_run(self._client.ask("GET", "executions", execution_id), again.task)
        params = {"taskRunId": start, "revision": again.revision}
        action = "replay-with-inputs" if again.inputs else "replay"
        return self._act(execution_id, action, watch, params=params, inputs=again.inputs)

    def force_run(self, execution_id: str, watch: Watch) -> int:
        return self._act(execution_id, "force-run", watch)

    def set_state(self, execution_id: str, task_run: str, state: str, watch: Watch) -> int:
        body = {"taskRunId": task_run, "state": state.upper()}
        return self._shown(self._client.ask("POST", "executions", execution_id, "actions", "state", json=body), watch)

    def watch(self, execution_id: str, watch: Watch) -> int:
        return self._shown(self._client.ask("GET", "executions", execution_id), watch)

    def _act(
        self,
        execution_id: str,
        action: str,
        watch: Watch,
        *,
        params: Mapping[str, str | int | None] | None = None,
        inputs: Mapping[str, str] | None = None,
    ) -> int:
        parts = _parts(inputs or {}, {}, ExitStack())
        path = ("executions", execution_id, "actions", action)
        return self._shown(self._client.ask("POST", *path, params=params, files=parts or None), watch)

    def _shown(self, execution: Row, watch: Watch) -> int:
        """Show an execution until it has ended, or only that it was started; returns the exit status."""
        if not watch.wait:
            return watch.show_started(execution)
        settle()
        if not watch.is_data:
            say(f"{execution['namespace']}.{execution['flowId']}  execution {execution['id']}")
        status = 0
        try:
            for name, happening in self._happenings(execution["id"], watch.timeout):
                if not watch.is_data:
                    _show(name, happening)
        except TimeoutError:
            warn(f"killing execution {execution['id']}: {watch.timeout:g} s have passed")
            self._client.ask("DELETE", "executions", execution["id"], "actions", "kill")
            self._wait(execution["id"])
            status = 1
        except KeyboardInterrupt:
            warn(f"it goes on at the server; `nbflow executions kill {execution['id']}` ends it")
            raise
        ended = self._client.ask("GET", "executions", execution["id"])
        if watch.is_data:
            watch.show(ended)
        else:
            from nbflow.cli.live import show_end

            show_end(*read_execution(ended))
        return status or int(ended["state"]["current"] in _FAILED)

    def _wait(self, execution_id: str) -> None:
        for _ in self._client.events("executions", execution_id, "follow"):
            pass

    def _happenings(self, execution_id: str, timeout: float | None) -> Iterator[tuple[str, Row]]:
        """Its log lines and its states as they come, until it has ended. Raises: TimeoutError, NbflowError."""
        came: queue.SimpleQueue[Happening] = queue.SimpleQueue()
        streams = {"log": ("logs", execution_id, "follow"), "state": ("executions", execution_id, "follow")}
        for name, path in streams.items():
            threading.Thread(target=self._pump, args=(name, path, came), daemon=True).start()
        deadline = None if timeout is None else time.monotonic() + timeout
        open_streams = len(streams)
        while open_streams:
            try:
                name, what = came.get(timeout=None if deadline is None else max(deadline - time.monotonic(), 0))
            except queue.Empty:
                raise TimeoutError from None
            if isinstance(what, NbflowError):
                raise what
            if what is None:
                open_streams -= 1
            else:
                yield name, what

    def _pump(self, name: str, path: tuple[str, ...], came: queue.SimpleQueue[Happening]) -> None:
        try:
            for _, shape in self._client.events(*path):
                came.put((name, shape))
        except NbflowError as error:
            came.put((name, error))
        came.put((name, None))


def _show(name: str, shape: Row) -> None:
    if name == "log":
        if shape["level"] not in _QUIET:
            say(log_text(read_instant(shape["timestamp"]), shape["level"], shape.get("taskId"), shape["message"]))
    elif shape["state"]["current"] == "PAUSED":
        say("  it waits to be resumed; Ctrl-C leaves it at the server")


def _parts(texts: Mapping[str, str], files: Mapping[str, Path], opened: ExitStack) -> list[Part]:
    """The parts of a form: a text each, a file each under its own name. Raises: UsageError."""
    parts: list[Part] = [(name, (None, value)) for name, value in texts.items()]
    for name, path in files.items():
        try:
            parts.append((name, (path.name, opened.enter_context(path.open("rb")))))
        except OSError as cause:
            raise UsageError(f"{path} cannot be read: {cause.strerror}") from cause
    return parts


def _is_path(value: str) -> bool:
    return "://" not in value and Path(value).is_file()

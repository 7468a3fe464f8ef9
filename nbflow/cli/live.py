"""Runs an execution in this process and shows it: log lines and states as they come, then how it ended."""

from __future__ import annotations

import json
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from nbflow.cli.options import Output, UsageError
from nbflow.cli.showing import coloured, local_time, say, show_json, warn
from nbflow.cli.sources import read_source
from nbflow.cli.startup import settle
from nbflow.engine import Engine, Execution
from nbflow.errors import ConflictError, FlowValidationError
from nbflow.model.events import Event, ExecutionChanged, LogWritten, TaskRunChanged
from nbflow.model.execution import LogEntry
from nbflow.model.flow import Flow
from nbflow.model.state import State
from nbflow.model.task import LogLevel
from nbflow.source import render_problems
from nbflow.types import JsonValue
from nbflow.widgets.gantt import seconds, text_gantt

KILL_SECONDS = 10.0
_LOOK_SECONDS = 1.0
_SHOWN = 2000
"""Characters of an output that are shown; the whole is in the history."""


class _Interrupted(BaseException):
    """A signal asked to stop; `number` is which."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def run_file(
    path: str,
    inputs: Mapping[str, str],
    labels: Mapping[str, str],
    timeout: float | None,
    output: Output,
    home: Path | None,
) -> int:
    """Deploy a file and run its flow; returns the exit status."""
    text = read_source(path)
    with Engine(home, takes_over=False) as engine:
        flow = deploy(engine, text, path)
        return run_live(
            engine, lambda: engine.run(flow.namespace, flow.id, dict(inputs), labels=dict(labels)), timeout, output
        )


def run_deployed(
    namespace: str,
    flow_id: str,
    inputs: Mapping[str, str],
    labels: Mapping[str, str],
    timeout: float | None,
    output: Output,
    home: Path | None,
) -> int:
    """Run a deployed flow; returns the exit status."""
    with Engine(home, takes_over=False) as engine:
        return run_live(
            engine, lambda: engine.run(namespace, flow_id, dict(inputs), labels=dict(labels)), timeout, output
        )


def deploy(engine: Engine, text: str, file: str) -> Flow:
    """Save a flow. Raises: UsageError after all its problems have been shown with their places in the file."""
    try:
        return engine.deploy(text, strict=True)
    except FlowValidationError as invalid:
        warn(render_problems(invalid.problems, text, file))
        errors = sum(problem.is_error for problem in invalid.problems)
        raise UsageError(f"{file} is not a valid flow: {errors} error{'' if errors == 1 else 's'}") from invalid


def run_live(
    engine: Engine, start: Callable[[], Execution], timeout: float | None = None, output: Output = Output.TEXT
) -> int:
    """Let an execution go on and, if it does so here, show it until it has ended; returns the exit status."""
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    deadline = None if timeout is None else time.monotonic() + timeout
    with _signals(), _subscribed(engine, events):
        execution = start()
        if not (engine.runs(execution.id) or execution.state.is_terminal):  # somebody else runs it
            say(f"{execution.id} {coloured(execution.state)}")
            return 0
        settle()
        show, status = output is Output.TEXT, 0
        try:
            if show:
                say(f"{execution.namespace}.{execution.flow_id}  execution {execution.id}")
            for event in _until_ended(execution, events, deadline):
                if show:
                    _show_event(event)
            engine.wait(execution.id)  # watchers hear of the end before it is in the history
        except (_Interrupted, TimeoutError) as reason:
            status = 128 + reason.number if isinstance(reason, _Interrupted) else 1
            warn(
                f"killing execution {execution.id}: " + ("interrupted" if status > 1 else f"{timeout:g} s have passed")
            )
            _kill(engine, execution)
        except BrokenPipeError:  # whoever read our output has gone, as in `nbflow run … | head`
            _kill(engine, execution)
            raise
    execution.refresh()
    if show:
        _show_end(execution)
    else:
        show_json(execution.to_dict())
    return status or (1 if execution.state.is_failure else 0)


def _until_ended(execution: Execution, events: queue.SimpleQueue[Event], deadline: float | None) -> Iterator[Event]:
    """The events of an execution until it has ended. Raises: TimeoutError."""
    while True:
        left = _LOOK_SECONDS if deadline is None else min(deadline - time.monotonic(), _LOOK_SECONDS)
        try:
            event = events.get(timeout=max(left, 0))
        except queue.Empty:
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError from None
            if execution.state.is_terminal:  # it ended before we listened
                return
            continue
        if event.execution_id != execution.id:
            continue
        yield event
        if isinstance(event, ExecutionChanged) and event.execution.state.is_terminal:
            return


def _kill(engine: Engine, execution: Execution) -> None:
    """End the execution and wait until it has ended; a second signal gives up waiting."""
    try:
        with suppress(ConflictError):  # it has ended meanwhile
            engine.kill(execution.id)
        engine.wait(execution.id, timeout=KILL_SECONDS)
    except _Interrupted:
        warn("not waiting any longer")


@contextmanager
def _subscribed(engine: Engine, events: queue.SimpleQueue[Event]) -> Iterator[None]:
    unsubscribe = engine.subscribe(events.put)
    try:
        yield
    finally:
        unsubscribe()


@contextmanager
def _signals() -> Iterator[None]:
    """Turn Ctrl-C and a polite end (SIGTERM) into `_Interrupted`, on the main thread."""

    def interrupt(number: int, _frame: FrameType | None) -> None:
        raise _Interrupted(number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show_event(event: Event) -> None:
    if isinstance(event, LogWritten):
        if event.entry.level.rank >= LogLevel.INFO.rank:  # `executions logs` shows the rest
            say(log_line(event.entry))
    elif isinstance(event, TaskRunChanged) and event.task_run.state in (State.RETRYING, State.PAUSED):
        run = event.task_run
        say(f"             {coloured(run.state)} {run.task_id}")
    elif isinstance(event, ExecutionChanged) and event.execution.state is State.PAUSED:
        say("  it waits to be resumed; Ctrl-C kills it")


def log_line(entry: LogEntry) -> str:
    """A log entry as one line for people."""
    clock = entry.timestamp.astimezone().strftime("%H:%M:%S.%f")[:-3]
    source = f" {entry.task_id}:" if entry.task_id else ""
    return f"{clock} {coloured(entry.level, f'{entry.level:<5}')}{source} {entry.message.rstrip()}"


def show_execution(execution: Execution) -> None:
    """What an execution is and how it stands: task runs, state, outputs, where to look next."""
    say(f"{execution.namespace}.{execution.flow_id}  execution {execution.id}, revision {execution.flow_revision}")
    say(f"started {local_time(execution.start)}")
    for head, values in (("labels", execution.labels), ("inputs", execution.inputs)):
        if values:
            say(f"{head}:")
            for name, value in values.items():
                say(f"  {name}: {_shown(value)}")
    _show_end(execution)


def _show_end(execution: Execution) -> None:
    say()
    say(text_gantt(execution))
    say()
    say(f"{coloured(execution.state)} after {seconds(execution.duration)}")
    if execution.outputs:
        say("outputs:")
        for name, value in execution.outputs.items():
            say(f"  {name}: {_shown(value)}")
    if execution.state.is_failure:
        for run in execution.task_runs:
            if run.state.is_failure and not any(other.parent_task_run_id == run.id for other in execution.task_runs):
                item = f" [{run.value}]" if run.value is not None else ""
                say(f"{coloured(run.state)} {run.task_id}{item}")
    say(f"more: nbflow executions get {execution.id} · nbflow executions logs {execution.id}")


def _shown(value: JsonValue) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"

"""Runs an execution in this process and shows it: log lines and states as they come, then how it ended."""

from __future__ import annotations

import json
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from types import FrameType

from nbflow.cli.places import Watch
from nbflow.cli.showing import coloured, local_time, log_text, say, warn
from nbflow.cli.startup import settle
from nbflow.engine import Engine, Execution
from nbflow.errors import ConflictError
from nbflow.model import execution as records
from nbflow.model.events import Event, ExecutionChanged, LogWritten, TaskRunChanged
from nbflow.model.execution import LogEntry, TaskRun
from nbflow.model.state import State
from nbflow.model.task import LogLevel
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


def run_live(engine: Engine, start: Callable[[], Execution], watch: Watch) -> int:
    """Let an execution go on and, if it does so here, show it until it has ended; returns the exit status."""
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    timeout = watch.timeout
    deadline = None if timeout is None else time.monotonic() + timeout
    with _signals(), _subscribed(engine, events):
        execution = start()
        if not (engine.runs(execution.id) or execution.state.is_terminal):  # somebody else runs it
            say(f"{execution.id} {coloured(execution.state)}")
            return 0
        settle()
        show, status = not watch.is_data, 0
        try:
            if show:
                say(f"{execution.namespace}.{execution.flow_id}  execution {execution.id}")
            for event in _until_ended(execution, events, deadline):
                if show:
                    show_event(event)
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
        show_end(execution.record, execution.task_runs)
    else:
        watch.show(execution.to_dict())
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


def show_event(event: Event) -> None:
    """Show what happened, if people want to know."""
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
    return log_text(entry.timestamp, entry.level, entry.task_id, entry.message)


def show_execution(execution: records.Execution, runs: Sequence[TaskRun]) -> None:
    """What an execution is and how it stands: task runs, state, outputs, where to look next."""
    say(f"{execution.namespace}.{execution.flow_id}  execution {execution.id}, revision {execution.flow_revision}")
    say(f"started {local_time(execution.start)}")
    for head, values in (("labels", dict(execution.labels)), ("inputs", execution.inputs)):
        if values:
            say(f"{head}:")
            for name, value in values.items():
                say(f"  {name}: {_shown(value)}")
    show_end(execution, runs)


def show_end(execution: records.Execution, runs: Sequence[TaskRun]) -> None:
    """How an execution stands, or ended."""
    say()
    say(text_gantt(execution, runs))
    say()
    say(f"{coloured(execution.state)} after {seconds(execution.history.duration(datetime.now(UTC)))}")
    if execution.outputs:
        say("outputs:")
        for name, value in execution.outputs.items():
            say(f"  {name}: {_shown(value)}")
    if execution.state.is_failure:
        for run in runs:
            if run.state.is_failure and not any(other.parent_task_run_id == run.id for other in runs):
                item = f" [{run.value}]" if run.value is not None else ""
                say(f"{coloured(run.state)} {run.task_id}{item}")
    say(f"more: nbflow executions get {execution.id} · nbflow executions logs {execution.id}")


def _shown(value: JsonValue) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"

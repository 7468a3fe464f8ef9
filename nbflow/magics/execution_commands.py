"""The sub-commands of `%flow` about executions: what ran, its log and outputs, letting it go on or ending it."""

from __future__ import annotations

from collections.abc import Callable

from nbflow.engine import Execution
from nbflow.errors import ConflictError, NotFoundError
from nbflow.magics.answers import find_execution, say, table
from nbflow.magics.arguments import Arguments
from nbflow.magics.errors import FlowCellError
from nbflow.magics.running import bind
from nbflow.magics.session import Session, split_uid
from nbflow.widgets.colours import sign
from nbflow.widgets.gantt import seconds
from nbflow.widgets.live import show_execution
from nbflow.widgets.logs import log_html, log_text
from nbflow.widgets.output import publish, static_bundle
from nbflow.widgets.values import outputs_of, value_html, value_text


def executions(session: Session, arguments: Arguments) -> None:
    """List what ran, newest first."""
    namespace, flow_id = split_uid(arguments.words[0]) if arguments.words else (None, None)
    state = arguments.options.get("state")
    found = session.engine.executions(
        namespace or arguments.options.get("namespace"),
        flow_id,
        state.upper() if state else None,
        arguments.labels,
        limit=arguments.number("limit", 20),
    )
    if not found:
        say("There are no such executions.")
        return
    rows = [
        [
            f"{sign(execution.state)} {execution.state}",
            f"{execution.namespace}.{execution.flow_id}",
            execution.id,
            execution.start.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
            seconds(execution.duration),
        ]
        for execution in found
    ]
    table(["State", "Flow", "Execution", "Started", "Duration"], rows)


def gantt(session: Session, arguments: Arguments) -> None:
    """Show an execution, live."""
    show_execution(session.engine, _execution(session, arguments).id)


def logs(session: Session, arguments: Arguments) -> None:
    """Show the last lines of its log."""
    execution = _execution(session, arguments)
    level = arguments.options.get("level")
    levels = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR")
    if level is not None and level.upper() not in levels:
        raise FlowCellError(f"there is no level `{level}`", f"there are {', '.join(levels)}")
    last = arguments.number("last", 200)
    entries = execution.logs(level, arguments.options.get("task"), last=last)
    if not entries:
        say(f"Execution {execution.id} has written no such lines.")
        return
    publish(static_bundle(log_html(entries), log_text(entries)))


def outputs(session: Session, arguments: Arguments) -> None:
    """Show what its flow and its tasks put out."""
    execution = _execution(session, arguments)
    shown = outputs_of(execution.outputs, execution.task_runs)
    if not shown:
        say(f"Execution {execution.id} has put nothing out.")
        return
    publish(static_bundle("".join(map(value_html, shown)), "\n".join(map(value_text, shown))))


def kill(session: Session, arguments: Arguments) -> None:
    """End it."""
    execution = _execution(session, arguments)
    try:
        session.engine.kill(execution.id)
    except ConflictError as ended:
        raise FlowCellError(ended.message) from None
    say(f"Execution {execution.id} is being killed.")


def pause(session: Session, arguments: Arguments) -> None:
    """Let no task of it begin."""
    execution = _execution(session, arguments)
    paused = _asked(lambda: session.engine.pause(execution.id))
    say(f"Execution {execution.id} is {paused.state}; %flow resume {execution.id} lets it go on.")


def resume(session: Session, arguments: Arguments) -> Execution:
    """Let it go on after a pause."""
    execution = _execution(session, arguments)
    return _shown(session, arguments, lambda: session.engine.resume(execution.id, arguments.inputs))


def restart(session: Session, arguments: Arguments) -> Execution:
    """Give its failed tasks another attempt."""
    execution = _execution(session, arguments)
    revision = arguments.number("revision", 1) if arguments.has("revision") else None
    return _shown(session, arguments, lambda: session.engine.restart(execution.id, revision=revision))


def replay(session: Session, arguments: Arguments) -> Execution:
    """Run it again as a new one."""
    execution = _execution(session, arguments)
    revision = arguments.number("revision", 1) if arguments.has("revision") else None
    task = arguments.options.get("from") or arguments.options.get("task")

    def start() -> Execution:
        task_run = execution.task_runs[task].id if task is not None else None
        new: Execution = session.engine.replay(
            execution.id, task_run, revision=revision, inputs=arguments.inputs or None
        )
        return new

    return _shown(session, arguments, start)


def _asked(ask: Callable[[], Execution]) -> Execution:
    try:
        return ask()
    except (ConflictError, NotFoundError) as refused:
        raise FlowCellError(refused.message, refused.hint) from None


def _shown(session: Session, arguments: Arguments, start: Callable[[], Execution]) -> Execution:
    """Ask for something that lets an execution go on, and show it live; returns its handle."""
    execution = _asked(start)
    bind(session, arguments, execution)
    session.mark_shown(execution.id)
    show_execution(session.engine, execution.id)
    return execution


def _execution(session: Session, arguments: Arguments) -> Execution:
    """The execution that is named; the last one when none is."""
    return find_execution(session, arguments.words[0] if arguments.words else "last")

"""Starts an execution from a magic, shows it, and waits for it if asked; an interrupt ends it."""

from __future__ import annotations

from html import escape

from nbflow.engine import Execution
from nbflow.errors import ConflictError
from nbflow.magics.arguments import Arguments
from nbflow.magics.errors import FlowCellError
from nbflow.magics.session import Session
from nbflow.model.flow import Flow
from nbflow.nearest import did_you_mean
from nbflow.widgets.gantt import seconds
from nbflow.widgets.live import show_execution
from nbflow.widgets.output import has_widgets, publish, static_bundle
from nbflow.widgets.painter import Painter, wait_until
from nbflow.widgets.snapshot import Snapshot

RUN_FLAGS = ("wait", "check", "quiet", "detach")
RUN_VALUED = ("timeout", "to", "revision")

_KILL_SECONDS = 10.0


def run_flow(session: Session, namespace: str, flow_id: str, arguments: Arguments) -> Execution:
    """Start an execution as the arguments say and show it. Returns its handle: once it has ended, with `--wait`."""
    timeout = arguments.seconds("timeout")
    revision = arguments.number("revision", 1) if arguments.has("revision") else None
    _refuse_unknown(session.engine.flow(namespace, flow_id, revision), arguments)
    start = session.engine.run_detached if arguments.has("detach") else session.engine.run
    started: Execution = start(namespace, flow_id, arguments.inputs, labels=arguments.labels, revision=revision)
    bind(session, arguments, started)
    session.mark_shown(started.id)
    is_quiet = arguments.has("quiet")
    waits = arguments.has("wait") or arguments.has("check") or timeout is not None
    try:  # an interrupt may come as soon as the user sees something
        if arguments.has("detach") and not is_quiet:
            _say_where(session)
        painter = None if is_quiet else show_execution(session.engine, started.id)
        if waits:
            _wait(session, started, painter, timeout)
    except KeyboardInterrupt:
        if not waits:
            raise
        _kill(session, started)
        raise FlowCellError(f"interrupted: execution {started.id} was killed") from None
    if waits:
        if painter is not None and painter.has_started and not has_widgets():
            show_execution(session.engine, started.id)
        if arguments.has("check") and started.state not in ("SUCCESS", "WARNING"):
            raise FlowCellError(f"execution {started.id} ended as {started.state}", f"%flow logs {started.id}")
    return started


def _say_where(session: Session) -> None:
    status = session.engine.scheduler_status()
    where = "this very kernel" if status.is_here else f"the server on {status.host}, process {status.pid}"
    text = f"handed to {where}: it goes on when this notebook is closed"
    publish(static_bundle(f"<div>{escape(text)}</div>", text))


def bind(session: Session, arguments: Arguments, execution: Execution) -> None:
    """Give the execution the name after `--to`."""
    name = arguments.options.get("to")
    if name is None:
        return
    if not name.isidentifier():
        raise FlowCellError(f"--to wants the name of a variable; got {name}")
    session.variables[name] = execution


def _refuse_unknown(flow: Flow, arguments: Arguments) -> None:
    """The engine leaves out inputs that a flow does not have; what somebody types is a slip of the pen."""
    known = [declared.id for declared in flow.inputs]
    groups = {name.partition(".")[0] for name in known if "." in name}
    for name in arguments.inputs:
        if name not in known and name not in groups:
            hint = did_you_mean(name, known) or (f"there are {', '.join(known)}" if known else "it has no inputs")
            raise FlowCellError(f"the flow {flow.uid} has no input `{name}`", hint)


def _wait(session: Session, execution: Execution, painter: Painter | None, timeout: float | None) -> None:
    """Block until the execution has ended and its end is shown."""
    shown = painter if painter is not None else _follow(session, execution)
    if not wait_until(shown.done.wait, timeout):
        raise FlowCellError(
            f"execution {execution.id} did not end within {seconds(timeout or 0)}",
            f"it goes on; %flow kill {execution.id} ends it",
        )
    execution.refresh()


def _kill(session: Session, execution: Execution) -> None:
    try:
        session.engine.kill(execution.id)
    except ConflictError:
        return  # it ended meanwhile
    execution.wait(_KILL_SECONDS)
    execution.refresh()


class _Unseen:
    """A view that shows nothing."""

    def paint(self, *_: object) -> None:
        """Nothing: the user asked for quiet."""

    def rest(self, *_: object) -> None:
        """Nothing to make good."""

    def finish(self, *_: object) -> None:
        """Nothing either."""


def _follow(session: Session, execution: Execution) -> Painter:
    return Painter(session.engine, Snapshot(session.engine, execution.id), _Unseen()).start()

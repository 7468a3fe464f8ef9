"""What lines about time say: dates, triggers, and whether a scheduler is there to fire them."""

from __future__ import annotations

from datetime import UTC, datetime

from nbflow.engine.scheduling.status import SchedulerStatus
from nbflow.magics.arguments import Arguments
from nbflow.magics.errors import FlowCellError
from nbflow.magics.session import Session, split_uid
from nbflow.widgets.moments import away, local, span


def no_scheduler(session: Session) -> str:
    """What is said where nothing fires."""
    home = session.engine.settings.home
    return (
        f"No scheduler runs on {home}: nothing fires. One runs while JupyterLab, or `nbflow server`, is on that home."
    )


def moment(arguments: Arguments, *names: str) -> datetime | None:
    """The instant that an option names, under any of its names; UTC unless it says an offset. Raises: FlowCellError."""
    for name in names:
        if arguments.has(name):
            return read_moment(arguments.options[name], f"--{name}")
    return None


def read_moment(text: str, what: str) -> datetime:
    """An instant: ISO 8601, a date alone being its midnight. Raises: FlowCellError."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise FlowCellError(f"{what}: `{text}` is no date", "2026-01-31, or 2026-01-31T06:00:00Z") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def flow_meant(session: Session, words: list[str], usage: str) -> tuple[str, str, str | None]:
    """Namespace and flow, and a trigger if one is named; alone, the flow of the last %%flow cell.

    Understands `NS.FLOW`, `NS.FLOW.TRIGGER`, `NS.FLOW TRIGGER` and `NS/FLOW/TRIGGER`. Raises: FlowCellError.
    """
    given = [part for word in words for part in word.split("/")]
    if not given:
        if session.last_flow is None:
            raise FlowCellError("which flow?", f"%flow {usage}")
        return *session.last_flow, None
    if len(given) == 3:
        return given[0], given[1], given[2]
    if len(given) == 2:
        if "." in given[0] or len(words) == 2:
            return *split_uid(given[0]), given[1]
        return given[0], given[1], None
    if len(given) > 3:
        raise FlowCellError(f"`{given[3]}` is one word too many", f"%flow {usage}")
    namespace, flow_id = split_uid(given[0])
    flows = session.engine.store.flows
    if flows.get(namespace, flow_id) is None and "." in namespace:
        outer, _, inner = namespace.rpartition(".")
        if flows.get(outer, inner) is not None:
            return outer, inner, flow_id
    return namespace, flow_id, None


def scheduler_text(session: Session, status: SchedulerStatus, now: datetime) -> str:
    """Whether a scheduler runs, where and since when, and what comes next."""
    if not status.is_running:
        lines = [no_scheduler(session)]
    else:
        where = "in this kernel" if status.is_here else f"on {status.host or 'another machine'}, process {status.pid}"
        since = "" if status.since is None else f", for {span(now - status.since)}"
        lines = [f"A scheduler runs {where}{since}."]
    what = f"{status.triggers} trigger{'' if status.triggers == 1 else 's'}"
    if status.next_date is not None:
        lines.append(f"{what}; the next date is {local(status.next_date)} ({away(status.next_date, now)}).")
    else:
        lines.append(f"{what}; none has a date that comes.")
    for one in status.missed[:10]:
        name = f"{one.namespace}.{one.flow_id}.{one.trigger_id}"
        lines.append(f"  missed so far: {name} at {local(one.date)} ({away(one.date, now)})")
    if len(status.missed) > 10:
        lines.append(f"  … and {len(status.missed) - 10} more")
    return "\n".join(lines)

"""The sub-commands of `%flow` about triggers: list them, switch them, see what comes and what would have come."""

from __future__ import annotations

from datetime import UTC, datetime

from nbflow.engine.scheduling.status import TriggerRow
from nbflow.magics.answers import say, table
from nbflow.magics.arguments import Arguments
from nbflow.magics.errors import FlowCellError
from nbflow.magics.session import Session
from nbflow.magics.time_words import flow_meant, moment, no_scheduler, scheduler_text
from nbflow.nearest import did_you_mean
from nbflow.scheduler.simulate import Simulation
from nbflow.widgets.moments import away, local, zone_name
from nbflow.widgets.output import publish, static_bundle
from nbflow.widgets.simulation import simulation_html, simulation_text

NEXT_VALUED = ("n", "count", "from")
SIMULATE_VALUED = ("from", "to", "end", "days")
TRIGGER_VERBS = ("enable", "disable", "unlock", "restart")


def triggers(session: Session, arguments: Arguments) -> None:
    """List triggers: those of a flow, of a namespace and those below it, or all."""
    engine, now = session.engine, datetime.now(UTC)
    if not arguments.words:
        rows: list[TriggerRow] = engine.triggers()
    else:
        word = arguments.words[0]
        namespace, _, flow_id = word.rpartition(".")
        if namespace and engine.store.flows.get(namespace, flow_id) is not None:
            rows = engine.triggers(namespace, flow_id)
        else:
            rows = engine.triggers(word, prefix=True)
    if not rows:
        where = f" in {arguments.words[0]}" if arguments.words else ""
        say(f"There are no triggers{where}. A flow has them under `triggers:`; `%flow doc` shows the types.")
        return
    zone = zone_name(now)
    table(["Trigger", "Kind", "State", f"Next ({zone})", f"Last ({zone})", "Says"], [_row(row, now) for row in rows])
    if not engine.scheduler_status().is_running:
        say(no_scheduler(session))


def next_dates(session: Session, arguments: Arguments) -> None:
    """Show when the schedules of a flow fire next."""
    namespace, flow_id, trigger_id = flow_meant(session, arguments.words, "next NAMESPACE.ID [-n 10]")
    engine, now = session.engine, datetime.now(UTC)
    count = arguments.number("n", arguments.number("count", 10))
    flow = engine.flow(namespace, flow_id)
    dates: list[datetime] = engine.next_dates(flow, trigger_id, count, after=moment(arguments, "from"))
    if not dates:
        say(f"{flow.uid} will not fire.")
    else:
        table(
            [f"Fires ({zone_name(now)})", ""],
            [(f"{date.astimezone():%a} {local(date)}", away(date, now)) for date in dates],
        )
    rows = [row for row in engine.triggers(namespace, flow_id) if trigger_id in (None, row.state.trigger_id)]
    off = [row.state.trigger_id for row in rows if row.kind == "SCHEDULE" and row.is_disabled]
    if off:
        say(f"Switched off: {', '.join(off)}. %flow trigger enable {flow.uid}.{off[0]}")
    if not engine.scheduler_status().is_running:
        say(no_scheduler(session))


def simulate(session: Session, arguments: Arguments) -> None:
    """Show every date of the schedules of a flow and what comes of it, or came; runs nothing."""
    namespace, flow_id, trigger_id = flow_meant(session, arguments.words, "simulate NAMESPACE.ID [--from DATE]")
    found = session.engine.simulate(
        namespace,
        flow_id,
        moment(arguments, "from"),
        days(arguments),
        end=moment(arguments, "to", "end"),
        trigger_id=trigger_id,
    )
    show_simulation(found)


def days(arguments: Arguments) -> float:
    """How many days are simulated. Raises: FlowCellError."""
    text = arguments.options.get("days", "30")
    try:
        found = float(text)
    except ValueError:
        found = 0
    if not 0 < found < 36_600:
        raise FlowCellError(f"--days is a number of days; got {text}")
    return found


def show_simulation(found: Simulation) -> None:
    """Show it below the cell."""
    publish(static_bundle(simulation_html(found), simulation_text(found)))


def trigger(session: Session, arguments: Arguments) -> None:
    """Switch a trigger on or off, or let it go on."""
    usage = "trigger enable|disable|unlock|restart NAMESPACE.FLOW.TRIGGER"
    verb, *words = arguments.words or [""]
    if verb not in TRIGGER_VERBS:
        hint = did_you_mean(verb, TRIGGER_VERBS) if verb else ""
        raise FlowCellError(
            f"`{verb}` is none of {', '.join(TRIGGER_VERBS)}" if verb else "something is missing",
            hint or f"%flow {usage}",
        )
    if not words:
        raise FlowCellError("which trigger?", f"%flow {usage}")
    namespace, flow_id, trigger_id = flow_meant(session, words, usage)
    engine = session.engine
    if trigger_id is None:
        ids = [row.state.trigger_id for row in engine.triggers(namespace, flow_id)]
        if len(ids) != 1:
            engine.flow(namespace, flow_id)
            raise FlowCellError("which trigger?", f"there are {', '.join(ids)}" if ids else "the flow has none")
        trigger_id = ids[0]
    key = (namespace, flow_id, trigger_id)
    row: TriggerRow
    match verb:
        case "enable":
            row = engine.set_trigger(*key, disabled=False)
        case "disable":
            row = engine.set_trigger(*key, disabled=True)
        case "unlock":
            row = engine.unlock_trigger(*key)
        case _:
            row = engine.restart_trigger(*key)
    lines = [f"{namespace}.{flow_id}.{trigger_id}: {_state(row)}"]
    if verb == "enable" and row.is_off:
        lines.append("It stays off: its flow, or its own text, says `disabled: true`.")
    elif verb == "enable" and row.kind == "SCHEDULE":
        coming: list[datetime] = engine.next_dates(engine.flow(namespace, flow_id), trigger_id, 1)
        lines += [f"fires next at {local(date)} ({away(date, datetime.now(UTC))})" for date in coming]
    say("\n".join(lines))


def scheduler(session: Session, _: Arguments) -> None:
    """Say whether a scheduler runs, where, what comes next and what was missed."""
    say(scheduler_text(session, session.engine.scheduler_status(), datetime.now(UTC)))


def _row(row: TriggerRow, now: datetime) -> tuple[str, ...]:
    state = row.state
    coming = state.next_date if not row.is_disabled else None
    if row.kind == "SCHEDULE" and coming is not None and coming <= now:
        due = f"{local(coming)} (due)"
    else:
        due = "" if coming is None else f"{local(coming)} ({away(coming, now)})"
    says = state.error or ""
    if row.is_locked:
        says = f"waits for execution {state.execution_id}" + (f"; {says}" if says else "")
    name = f"{state.namespace}.{state.flow_id}.{state.trigger_id}"
    return name, row.kind.lower(), _state(row), due, local(state.last_date), says


def _state(row: TriggerRow) -> str:
    if not row.is_declared:
        return "gone"
    words = ["off" if row.is_disabled else "on"]
    if row.is_locked:
        words.append("locked")
    if row.backfill is not None:
        words.append("backfill")
    if row.state.error:
        words.append("failed")
    return ", ".join(words)

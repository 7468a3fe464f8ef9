"""The sub-commands of `%flow` about backfills: begin one, watch it, pause it, go on with it, end it."""

from __future__ import annotations

from datetime import datetime

from nbflow.errors import NotFoundError
from nbflow.magics.answers import one_word, say, table
from nbflow.magics.arguments import Arguments
from nbflow.magics.errors import FlowCellError
from nbflow.magics.session import Session
from nbflow.magics.time_words import flow_meant, moment, read_moment
from nbflow.model.backfill import Backfill
from nbflow.model.input_values import plain
from nbflow.nearest import did_you_mean
from nbflow.scheduler.schedules import table_of
from nbflow.widgets.backfill import backfill_html, backfill_text, look_at, show_backfill
from nbflow.widgets.moments import day, local, span, zone_name
from nbflow.widgets.output import publish, static_bundle
from nbflow.widgets.painter import wait_until

BACKFILL_FLAGS = ("dry-run", "wait")
BACKFILL_VALUED = ("start", "end", "from", "dates", "date", "order", "parallelism", "only")
_USAGE = "backfill NAMESPACE.FLOW[.TRIGGER] --start DATE [--end DATE] [key=value ...]"
BACKFILL_VERBS = ("pause", "resume", "cancel", "show")
_MOST_SHOWN = 40
_ID_LENGTH = 20


def backfill(session: Session, arguments: Arguments) -> None:
    """Run past dates of a schedule and show them live; or steer a backfill that is there."""
    words = arguments.words
    if words and words[0] in BACKFILL_VERBS:
        _steer(session, words[0], Arguments(words[1:], options=arguments.options))
        return
    if len(words) == 1 and not any(sign in words[0] for sign in "./"):
        _steer(session, "show", arguments)
        return
    namespace, flow_id, trigger_id = flow_meant(session, words, _USAGE)
    flow = session.engine.flow(namespace, flow_id)
    if trigger_id is None:
        found = [one.id for one in flow.triggers if table_of(one) is not None]
        if len(found) != 1:
            hint = f"name one: {', '.join(f'{flow.uid}.{id}' for id in found)}" if found else "give it one"
            raise FlowCellError(f"{flow.uid} has {'several schedules' if found else 'no schedule'}", hint)
        trigger_id = found[0]
    dates = _dates(arguments)
    start, end = moment(arguments, "start", "from"), moment(arguments, "end")
    if dates is None and start is None:
        raise FlowCellError("which dates?", "--start 2026-01-01 --end 2026-01-31, or --dates 2026-01-01,2026-01-15")
    made: Backfill = session.engine.create_backfill(
        namespace,
        flow_id,
        trigger_id,
        start,
        end,
        dates=dates,
        inputs={name: plain(value) for name, value in arguments.inputs.items()},
        labels=arguments.labels,
        order=arguments.options.get("order", "oldest"),
        parallelism=arguments.number("parallelism", 1),
        only=arguments.options.get("only", "all"),
        dry_run=arguments.has("dry-run"),
    )
    if arguments.has("dry-run"):
        _show_plan(session, made)
    else:
        _show(session, made, arguments)


def backfills(session: Session, arguments: Arguments) -> None:
    """List backfills with their progress, newest first."""
    place: tuple[str, ...] = ()
    if arguments.words:
        namespace, flow_id, trigger_id = flow_meant(session, arguments.words, "backfills [NAMESPACE.FLOW]")
        place = (namespace, flow_id) if trigger_id is None else (namespace, flow_id, trigger_id)
    found: list[Backfill] = session.engine.backfills(*place)
    if not found:
        say("There are no backfills. %flow " + _USAGE)
        return
    rows = [
        (
            one.id,
            f"{one.namespace}.{one.flow_id}.{one.trigger_id}",
            str(one.state),
            f"{one.ended} of {one.total}",
            str(one.failed or ""),
            str(len(one.running) or ""),
            "" if one.eta is None or one.state.is_over else span(one.eta),
            day(one.plan.start),
            day(one.plan.end),
        )
        for one in found
    ]
    zone = zone_name(found[0].created)
    table(["Backfill", "Trigger", "State", "Done", "Failed", "Running", "To go", f"From ({zone})", "To"], rows)


def _steer(session: Session, verb: str, arguments: Arguments) -> None:
    usage = f"backfill {verb} ID"
    engine, id = session.engine, _id_of(session, one_word(arguments, usage))
    match verb:
        case "pause":
            moved: Backfill = engine.pause_backfill(id)
        case "resume":
            moved = engine.resume_backfill(id)
        case "cancel":
            moved = engine.cancel_backfill(id)
        case _:
            moved = engine.get_backfill(id)
    _show(session, moved, arguments)


def _id_of(session: Session, word: str) -> str:
    """The id of a backfill, for its own or for a trigger whose backfill goes on."""
    if "." in word or "/" in word:
        key = flow_meant(session, [word], "backfill pause|resume|cancel ID")
        found: list[Backfill] = session.engine.backfills(*key, going_on=True, limit=1)
        if not found:
            raise FlowCellError(f"no backfill of {word} goes on", "`%flow backfills` shows those there are")
        return found[0].id
    if len(word) < _ID_LENGTH:
        hint = did_you_mean(word, BACKFILL_VERBS) or "`%flow backfills` shows those there are"
        raise FlowCellError(f"`{word}` is no backfill", hint)
    try:
        session.engine.get_backfill(word)
    except NotFoundError as missing:
        raise FlowCellError(missing.message, "`%flow backfills` shows those there are") from None
    return word


def _dates(arguments: Arguments) -> list[datetime] | None:
    given = [*arguments.repeated.get("dates", ()), *arguments.repeated.get("date", ())]
    if not given:
        return None
    return [read_moment(one, "--dates") for text in given for one in text.split(",") if one.strip()]


def _show_plan(session: Session, planned: Backfill) -> None:
    dates: list[datetime] = session.engine.backfill_dates(planned, _MOST_SHOWN)
    lines = [f"  {local(date)}" for date in dates]
    if planned.total > len(dates):
        lines.append(f"  … and {planned.total - len(dates)} more")
    count = f"{planned.total} date{'' if planned.total == 1 else 's'}"
    head = f"{count}, {planned.plan.order} first, {planned.plan.parallelism} at a time; nothing was run"
    say("\n".join([head, *lines]))


def _show(session: Session, one: Backfill, arguments: Arguments) -> None:
    engine = session.engine
    if one.state.is_over:
        look = look_at(engine, one)
        publish(static_bundle(backfill_html(look), backfill_text(look)))
        return
    steer = f"%flow backfill pause|resume|cancel {one.id}"
    here = (
        "" if engine.scheduler_status().is_running else "It runs in this kernel, for no scheduler does: keep it open. "
    )
    painter = show_backfill(engine, one, here + steer)
    if arguments.has("wait"):
        try:
            wait_until(painter.done.wait)
        except KeyboardInterrupt:
            raise FlowCellError(f"interrupted: backfill {one.id} goes on", f"%flow backfill cancel {one.id}") from None

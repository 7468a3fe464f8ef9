"""A backfill for people: how much is done, what failed, how long it takes yet, and a strip of its dates by state."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape

from nbflow.engine import Engine
from nbflow.errors import NbflowError
from nbflow.model.backfill import Backfill, BackfillState
from nbflow.model.state import State
from nbflow.widgets.calendar import Mark, legend_html, strip_html, strip_text
from nbflow.widgets.colours import STATE_COLOURS, sign
from nbflow.widgets.moments import day, local, span
from nbflow.widgets.output import Slot, has_widgets, static_bundle

_MOST_DATES = 10_000
_LOOK_SECONDS = 0.5
_WAITING = "not run yet"
_LEFT_OUT = "left out"  # its conditions do not hold
_COLOURS = {
    BackfillState.RUNNING: STATE_COLOURS[State.RUNNING],
    BackfillState.PAUSED: STATE_COLOURS[State.PAUSED],
    BackfillState.DONE: STATE_COLOURS[State.SUCCESS],
    BackfillState.CANCELLED: STATE_COLOURS[State.CANCELLED],
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BackfillLook:
    """A backfill as it stands, with its dates in the order of the calendar and the states of those that have begun."""

    backfill: Backfill
    dates: tuple[datetime, ...]
    states: Mapping[datetime, State]


def look_at(engine: Engine, backfill: Backfill) -> BackfillLook:
    """How a backfill stands, with at most 10,000 of its dates."""
    try:
        dates = tuple(sorted(engine.backfill_dates(backfill, _MOST_DATES)))
    except NbflowError:  # its flow is gone: what is counted is still known
        dates = ()
    key = (backfill.namespace, backfill.flow_id, backfill.trigger_id)
    states: Mapping[datetime, State] = {}
    if dates and backfill.fired:
        states = engine.store.schedules.dates_run(key, dates[0], dates[-1])
    return BackfillLook(backfill, dates, states)


def backfill_html(look: BackfillLook, note: str = "") -> str:
    """Head, bar and strip."""
    one, colour = look.backfill, _COLOURS[look.backfill.state]
    name = escape(f"{one.namespace}.{one.flow_id}.{one.trigger_id}")
    chip = f'<span style="background:{colour};color:#fff;border-radius:3px;padding:1px 6px">{one.state}</span>'
    ok, bad = (f"{100 * count / one.total if one.total else 0:.1f}%" for count in (one.succeeded, one.failed))
    bar = (
        '<div style="display:flex;height:8px;max-width:780px;background:rgba(128,128,128,.25);margin:4px 0">'
        f'<div style="width:{ok};background:{STATE_COLOURS[State.SUCCESS]}"></div>'
        f'<div style="width:{bad};background:{STATE_COLOURS[State.FAILED]}"></div></div>'
    )
    marks = _marks(look)
    strip = f"{strip_html(marks)}<div><small>{legend_html(marks)}</small></div>" if marks else ""
    said = f"<div><small>{escape(note)}</small></div>" if note else ""
    head = f"<div>{chip} <b>{name}</b> {escape(_facts(one))} <small><code>{escape(one.id)}</code></small></div>"
    return f'<div class="nbflow-backfill" style="margin:4px 0">{head}{bar}{strip}{said}</div>'


def backfill_text(look: BackfillLook, note: str = "") -> str:
    """The same as text."""
    one = look.backfill
    lines = [f"{one.state}  backfill {one.id} of {one.namespace}.{one.flow_id}.{one.trigger_id}  {_facts(one)}"]
    if look.dates:
        lines.append(strip_text(_marks(look)))
    return "\n".join([*lines, note] if note else lines)


def show_backfill(engine: Engine, backfill: Backfill, note: str = "") -> BackfillPainter:
    """Show a backfill below the cell that runs, and keep the view up to date until it is over; returns at once."""
    painter = BackfillPainter(engine, backfill.id, note)
    painter.paint(look_at(engine, backfill))
    return painter.start() if not backfill.state.is_over else painter


class BackfillPainter:
    """Paints a backfill until it is over; `done` is set then."""

    def __init__(self, engine: Engine, backfill_id: str, note: str) -> None:
        self._engine = engine
        self._id = backfill_id
        self._note = note
        self._slot = Slot()
        self._stopped = threading.Event()
        self.done = threading.Event()

    def start(self) -> BackfillPainter:
        threading.Thread(target=self._main, name="nbflow-backfill-painter", daemon=True).start()
        return self

    def paint(self, look: BackfillLook) -> None:
        is_over = look.backfill.state.is_over
        note = "" if is_over else self._note
        self._slot.fill(static_bundle(backfill_html(look, note), backfill_text(look, note)))
        if is_over:
            self.done.set()

    def _main(self) -> None:
        step, had_running = -1, False
        try:
            while not self.done.wait(_LOOK_SECONDS):
                if had_running and not self._engine.loop.is_running:
                    return  # the engine was closed
                had_running = self._engine.loop.is_running
                now = self._engine.get_backfill(self._id)
                if now.step != step:
                    step = now.step
                    look = look_at(self._engine, now)
                    if has_widgets() or now.state.is_over:
                        self.paint(look)
        except NbflowError:  # the engine was closed, or the history is gone: there is nothing left to show
            _log.debug("a backfill's view ends early", exc_info=True, extra={"action": "painter_ended"})
        except Exception:  # outermost handler of this thread: the backfill must not notice
            _log.exception("a backfill could not be painted", extra={"action": "painter_failed"})
        finally:
            self.done.set()


def _facts(one: Backfill) -> str:
    words = [f"{one.ended} of {one.total} done"]
    if one.failed:
        words.append(f"{one.failed} failed")
    if one.running:
        words.append(f"{len(one.running)} running")
    if one.eta is not None and not one.state.is_over:
        words.append(f"about {span(one.eta)} to go")
    if one.plan.dates is None:
        words.append(f"{day(one.plan.start)} to {day(one.plan.end)}")
    return " · ".join(words)


def _marks(look: BackfillLook) -> list[Mark]:
    """The dates by the states of their newest executions; those that this backfill has not come to stay pale."""
    marks = []
    for date in look.dates:
        is_begun = _is_begun(look.backfill, date)
        state = look.states.get(date) if is_begun else None
        if state is None and is_begun:
            marks.append(Mark(local(date), _LEFT_OUT, "rgba(128,128,128,.15)", "-", 0))
        elif state is None:
            marks.append(Mark(local(date), _WAITING, "rgba(128,128,128,.35)", "·", 1))
        else:
            rank = 4 if state.is_failure else 3 if not state.is_terminal else 0
            marks.append(Mark(local(date), str(state), STATE_COLOURS[state], sign(state), rank))
    return marks


def _is_begun(one: Backfill, date: datetime) -> bool:
    if one.position is None:
        return False
    return date <= one.position if one.plan.order == "oldest" else date >= one.position

"""Which dates a backfill runs, and which one comes next: found one by one, never all at once where a range will do."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from nbflow.errors import InputError, Problem
from nbflow.model.backfill import Backfill, BackfillOnly, BackfillOrder, BackfillPlan
from nbflow.model.state import State
from nbflow.scheduler.dates import Timetable, between
from nbflow.types import JsonValue

_FAILED = (State.FAILED, State.KILLED, State.CANCELLED)
MOST_PARALLEL = 1_000


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for: a range or a list of dates."""

    start: datetime | None = None
    end: datetime | None = None
    dates: Sequence[datetime] | None = None
    inputs: Mapping[str, JsonValue] | None = None
    labels: Mapping[str, str] | None = None
    order: str = "oldest"
    parallelism: int = 1
    only: str = "all"


def plan_of(wish: Wish, table: Timetable, now: datetime, ran: Mapping[datetime, State]) -> BackfillPlan:
    """The plan of a backfill; `ran` are the dates that have been run, with the state of the last execution.

    Dates that are listed need not be dates of the schedule. Raises: InputError with every problem.
    """
    check(wish)
    listed = None if wish.dates is None else sorted({_utc(date) for date in wish.dates})
    start = _utc(wish.start) if wish.start is not None else (listed[0] if listed else now)
    end = _utc(wish.end) if wish.end is not None else (listed[-1] if listed else now)
    only = BackfillOnly(wish.only)
    dates: Iterable[datetime] | None = listed
    if only is not BackfillOnly.ALL:
        candidates = listed if listed is not None else between(table, start, end)
        dates = [date for date in candidates if _is_wanted(only, ran.get(date))]
    order, inputs, labels = BackfillOrder(wish.order), wish.inputs or {}, wish.labels or {}
    chosen = None if dates is None else tuple(dates)
    return BackfillPlan(start, end, inputs, labels, order, wish.parallelism, only, chosen)


def check(wish: Wish) -> None:
    """Raises: InputError with every problem of what is asked for."""
    problems = []
    if wish.dates is None and wish.start is None:
        problems.append(Problem("say `start`, or list `dates`", path="start"))
    if wish.dates is not None and (wish.start is not None or wish.end is not None):
        problems.append(Problem("give `start` and `end`, or `dates`, not both", path="dates"))
    if wish.dates is not None and not wish.dates:
        problems.append(Problem("must hold at least one date", path="dates"))
    if wish.start is not None and wish.end is not None and _utc(wish.end) < _utc(wish.start):
        problems.append(Problem("must not be before `start`", path="end"))
    if not 1 <= wish.parallelism <= MOST_PARALLEL:
        problems.append(Problem(f"must be from 1 to {MOST_PARALLEL}, got {wish.parallelism}", path="parallelism"))
    for name, value, kind in (("order", wish.order, BackfillOrder), ("only", wish.only, BackfillOnly)):
        if value not in list(kind):
            problems.append(Problem(f"must be one of {', '.join(kind)}, got `{value}`", path=name))
    if problems:
        raise InputError("the backfill is not valid", problems)


def dates_of(plan: BackfillPlan, table: Timetable) -> Iterator[datetime]:
    """All dates of a plan, in its order."""
    date = next_date(plan, table, None)
    while date is not None:
        yield date
        date = next_date(plan, table, date)


def count(plan: BackfillPlan, table: Timetable) -> int:
    """How many dates a plan has."""
    return len(plan.dates) if plan.dates is not None else sum(1 for _ in between(table, plan.start, plan.end))


def next_date(plan: BackfillPlan, table: Timetable, position: datetime | None) -> datetime | None:
    """The date that comes after a position in the order of the plan; the first one after None; None at the end."""
    is_forward = plan.order is BackfillOrder.OLDEST
    if plan.dates is not None:
        return _next_listed(plan.dates, position, is_forward=is_forward)
    if position is None:
        moment = plan.start if is_forward else plan.end
        # The bounds count: the date before the one after a bound is that bound, if it is a date.
        outside = (table.before(moment), table.after(moment))
        exact = table.after(outside[0]) if outside[0] is not None else None
        if exact == moment:
            return moment
        date = outside[1] if is_forward else outside[0]
    else:
        date = table.after(position) if is_forward else table.before(position)
    return date if date is not None and plan.start <= date <= plan.end else None


def next_of(backfill: Backfill, table: Timetable) -> datetime | None:
    """The date that a backfill starts next."""
    return next_date(backfill.plan, table, backfill.position)


def _next_listed(dates: Sequence[datetime], position: datetime | None, *, is_forward: bool) -> datetime | None:
    if position is None:
        place = 0 if is_forward else len(dates) - 1
    else:
        place = bisect_right(dates, position) if is_forward else bisect_left(dates, position) - 1
    return dates[place] if 0 <= place < len(dates) else None


def _is_wanted(only: BackfillOnly, state: State | None) -> bool:
    return state is None if only is BackfillOnly.MISSING else state in _FAILED


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

"""When each task of an execution ran: rows and bars for pictures, and the same as text for terminals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from nbflow.engine import Execution
from nbflow.model import execution as records
from nbflow.model.execution import TaskRun
from nbflow.model.state import State
from nbflow.widgets.colours import sign

_WAITING = frozenset({State.QUEUED, State.PAUSED, State.RETRYING})
_MOST_TEXT_ROWS = 200


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time in one state, in seconds since the chart's origin; `end` None: it goes on."""

    start: float
    end: float | None
    state: State

    @property
    def is_waiting(self) -> bool:
        """Whether nothing was done meanwhile."""
        return self.state in _WAITING


@dataclass(frozen=True, slots=True)
class Row:
    """One task run: an attempt is a bar, and so is each wait between them. `depth` counts the tasks around it."""

    id: str
    label: str
    depth: int
    state: State
    bars: tuple[Bar, ...]
    start: float
    end: float | None
    attempts: int
    parent: str | None = None
    iteration: int = 0

    def seconds(self, now: float) -> float:
        """How long it took, or has taken so far."""
        return max((now if self.end is None else self.end) - self.start, 0.0)


@dataclass(frozen=True, slots=True)
class Gantt:
    """A whole chart: parents stand before what lies in them. `hidden` counts task runs that have no row, by state."""

    origin: datetime
    now: float
    length: float
    rows: list[Row]
    hidden: dict[State, int]


def gantt(
    execution: records.Execution, task_runs: Sequence[TaskRun], now: datetime, max_rows: int | None = None
) -> Gantt:
    """The chart of an execution at an instant.

    With more than `max_rows` task runs, those that failed or are under way are kept, then the first ones.
    """
    origin = execution.start
    kept = _kept(task_runs, max_rows)
    depths: dict[str, int] = {}
    rows = []
    for run in _tree_order(kept):
        depths[run.id] = depths.get(run.parent_task_run_id or "", -1) + 1
        rows.append(row_of(run, origin, depths[run.id]))
    present = _since(origin, now)
    ends = [bar.end if bar.end is not None else present for row in rows for bar in row.bars]
    length = _since(origin, execution.end) if execution.end is not None else present
    shown = {run.id for run in kept}
    hidden = Counter(run.state for run in task_runs if run.id not in shown)
    return Gantt(origin, present, max([length, *ends, 0.001]), rows, dict(hidden))


def row_of(run: TaskRun, origin: datetime, depth: int = 0) -> Row:
    """The row of one task run."""
    end = None if run.end is None else _since(origin, run.end)
    bars = sorted(_bars(run, origin), key=lambda bar: bar.start)
    begun = bars[0].start if bars else _since(origin, run.start)
    # A replay takes over what ran before it began: that stands at the left edge.
    bars = [Bar(max(bar.start, 0.0), None if bar.end is None else max(bar.end, 0.0), bar.state) for bar in bars]
    attempts = max(len(run.attempts), 1)
    parent, iteration = run.parent_task_run_id, run.iteration or 0
    return Row(run.id, label(run), depth, run.state, tuple(bars), begun, end, attempts, parent, iteration)


def label(run: TaskRun) -> str:
    """The task's id, and in a loop the value of its round."""
    if run.value is None:
        return run.task_id
    value = run.value if len(run.value) <= 40 else f"{run.value[:39]}…"
    return f"{run.task_id} [{value}]"


def text_gantt(
    execution: Execution | records.Execution,
    task_runs: Sequence[TaskRun] | None = None,
    now: datetime | None = None,
    width: int = 80,
) -> str:
    """The chart as lines of text, at most `width` wide; without colours.

    `task_runs` are those of the execution unless given. Example: `print(text_gantt(execution))`
    """
    if isinstance(execution, Execution):
        task_runs = execution.task_runs if task_runs is None else task_runs
        execution = execution.record
    chart = gantt(execution, task_runs or (), now or datetime.now(UTC), _MOST_TEXT_ROWS)
    if not chart.rows:
        return "(no task has run)"
    names = [_fit(f"{'  ' * row.depth}{row.label}", max(width // 3, 8)) for row in chart.rows]
    facts = [_facts(row, chart.now) for row in chart.rows]
    left = max(map(len, names))
    middle = max(map(len, facts))
    room = max(width - left - middle - 4, 10)
    lines = [
        f"{name:<{left}}  {fact:<{middle}}  {_text_bar(row, chart, room)}".rstrip()
        for name, fact, row in zip(names, facts, chart.rows, strict=True)
    ]
    axis = f"{'0':<{room // 2}}{seconds(chart.length):>{room - room // 2}}"
    lines.insert(0, f"{'':<{left}}  {'':<{middle}}  {axis}".rstrip())
    if chart.hidden:
        lines.append(f"… and {hidden_text(chart.hidden)}")
    return "\n".join(lines)


def hidden_text(hidden: dict[State, int]) -> str:
    """What stands for the rows left out: `900 more: 850 SUCCESS, 50 RUNNING`."""
    parts = ", ".join(f"{count} {state}" for state, count in sorted(hidden.items(), key=lambda item: -item[1]))
    return f"{sum(hidden.values())} more: {parts}"


def seconds(length: float | timedelta) -> str:
    """A length of time for people: `7 ms`, `0.42 s`, `3 min 07 s`, `2 h 05 min`."""
    total = max(length.total_seconds() if isinstance(length, timedelta) else length, 0.0)
    if total < 0.1:
        return f"{total * 1000:.0f} ms"
    if total < 60:
        return f"{total:.2f} s" if total < 10 else f"{total:.1f} s"
    minutes, rest = divmod(round(total), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def _bars(run: TaskRun, origin: datetime) -> list[Bar]:
    moves = run.history.moves
    bars = [Bar(_since(origin, tried.start), _end(tried.end, origin), tried.state) for tried in run.attempts]
    for number, (state, since) in enumerate(moves):
        following = moves[number + 1] if number + 1 < len(moves) else None
        until = None if following is None else _since(origin, following[1])
        if state in _WAITING:
            bars.append(Bar(_since(origin, since), until, state))
        elif state is State.RUNNING and not run.attempts:  # a flowable: its children make the attempts
            outcome = following[0] if following is not None else state
            bars.append(Bar(_since(origin, since), until, outcome if outcome.is_terminal else state))
    if not bars and run.end is not None:
        at = _since(origin, run.end)
        bars.append(Bar(at, at, run.state))
    return bars


def _since(origin: datetime, moment: datetime) -> float:
    return round((moment - origin).total_seconds(), 3)


def _end(moment: datetime | None, origin: datetime) -> float | None:
    return None if moment is None else _since(origin, moment)


def _tree_order(task_runs: Iterable[TaskRun]) -> list[TaskRun]:
    """Parents, then what lies in them; siblings round by round of a loop, else in the order of their creation."""
    runs = list(task_runs)
    known = {run.id for run in runs}
    children: dict[str | None, list[TaskRun]] = {}
    for run in runs:
        parent = run.parent_task_run_id if run.parent_task_run_id in known else None
        children.setdefault(parent, []).append(run)
    for siblings in children.values():
        siblings.sort(key=lambda run: run.iteration or 0)
    ordered: list[TaskRun] = []
    waiting = list(reversed(children.get(None, [])))
    while waiting:
        run = waiting.pop()
        ordered.append(run)
        waiting.extend(reversed(children.get(run.id, [])))
    return ordered


def _kept(task_runs: Sequence[TaskRun], max_rows: int | None) -> Sequence[TaskRun]:
    if max_rows is None or len(task_runs) <= max_rows:
        return task_runs
    by_id = {run.id: run for run in task_runs}
    chosen: dict[str, None] = {}

    def choose(run: TaskRun | None) -> None:
        while run is not None and run.id not in chosen and len(chosen) < max_rows:
            chosen[run.id] = None
            run = by_id.get(run.parent_task_run_id or "")

    for wanted in (
        [run for run in task_runs if run.state.is_failure],
        [run for run in task_runs if not run.state.is_terminal],
        task_runs,
    ):
        for run in wanted:
            choose(run)
    return [run for run in task_runs if run.id in chosen]


def _facts(row: Row, now: float) -> str:
    attempts = f" ×{row.attempts}" if row.attempts > 1 else ""
    return f"{sign(row.state)} {row.state:<8}{attempts} {seconds(row.seconds(now)):>8}"


def _text_bar(row: Row, chart: Gantt, room: int) -> str:
    cells = [" "] * room
    for bar in row.bars:
        end = chart.now if bar.end is None else bar.end
        first = min(int(bar.start / chart.length * room), room - 1)
        last = max(first + 1, min(round(end / chart.length * room), room))
        mark = "░" if bar.is_waiting else "▒" if bar.state in (State.FAILED, State.KILLED) else "█"
        if end - bar.start < chart.length / room / 2:
            mark = "▏" if not bar.is_waiting else " "
        for cell in range(first, last):
            if not (mark in "▏ " and cells[cell] != " "):
                cells[cell] = mark
    return "".join(cells).rstrip()


def _fit(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"

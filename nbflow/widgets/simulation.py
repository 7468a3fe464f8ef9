"""What the schedules of a flow do, for people: a strip of dates, how many of each outcome, and why some do not fire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from html import escape

from nbflow.scheduler.simulate import Outcome, SimulatedDate, Simulation
from nbflow.widgets.calendar import Mark, legend_html, strip_html, strip_text
from nbflow.widgets.moments import local, zone_name

_MOST_ROWS = 60
_LOOKS = {
    Outcome.FIRES: ("fires", "#2196f3", "+", 0),
    Outcome.RAN: ("ran", "#43a047", "✓", 1),
    Outcome.CONDITION: ("held back", "#90a4ae", "·", 2),
    Outcome.DISABLED: ("switched off", "#b0bec5", "–", 3),
    Outcome.MISSED: ("missed", "#e53935", "!", 4),
}
"""Words, colour, letter and rank of an outcome."""


def simulation_html(found: Simulation) -> str:
    """Head, strip, legend, and a table of the dates."""
    marks = _marks(found)
    parts = [f"<div><b>{escape(_name(found))}</b> {escape(_span(found))}</div>"]
    if not marks:
        return parts[0] + "<div>No date of its schedules lies within that time.</div>"
    parts += [strip_html(marks), f"<div>{legend_html(marks)}</div>"]
    parts += [f"<div>⚠ {escape(line)}</div>" for line in _oddities(found)]
    shown, rest = _shown(found)
    heads = "".join(f'<th style="text-align:left">{head}</th>' for head in ("Date", "Trigger", "", "Why"))
    rows = "".join(_row(date) for date in shown)
    is_open = " open" if len(shown) <= 12 else ""
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    more = f"<div>{escape(_more(found, rest))}</div>" if rest or found.is_cut else ""
    parts.append(f"<details{is_open}><summary>Dates</summary>{table}{more}</details>")
    return "".join(parts)


def simulation_text(found: Simulation) -> str:
    """The same as text."""
    counts = Counter(date.outcome for date in found.dates)
    told = ", ".join(f"{counts[outcome]} {looks[0]}" for outcome, looks in _LOOKS.items() if counts[outcome])
    lines = [f"{_name(found)} {_span(found)}: {told or 'no date of its schedules'}"]
    if found.dates:
        lines.append(strip_text(_marks(found)))
    lines += [f"! {line}" for line in _oddities(found)]
    shown, rest = _shown(found)
    lines += [
        f"  {_clock(date)}  {date.trigger_id}  {_LOOKS[date.outcome][0]}  {_why(date)}".rstrip() for date in shown
    ]
    if rest or found.is_cut:
        lines.append(_more(found, rest))
    return "\n".join(lines)


def _name(found: Simulation) -> str:
    return f"{found.namespace}.{found.flow_id}"


def _span(found: Simulation) -> str:
    return f"from {local(found.start)} to {local(found.end)} {zone_name(found.end)}"


def _marks(found: Simulation) -> list[Mark]:
    return [
        Mark(f"{_clock(date)} {date.trigger_id}", _LOOKS[date.outcome][0], *_LOOKS[date.outcome][1:])
        for date in found.dates
    ]


def _oddities(found: Simulation) -> list[str]:
    return [f"{_clock(date)} {date.trigger_id}: {date.note}" for date in found.oddities[:10]]


def _shown(found: Simulation) -> tuple[Sequence[SimulatedDate], int]:
    return found.dates[:_MOST_ROWS], max(len(found.dates) - _MOST_ROWS, 0)


def _more(found: Simulation, rest: int) -> str:
    end = "; there are still more than could be looked at: ask for fewer days" if found.is_cut else ""
    return f"… and {rest} more dates{end}"


def _row(date: SimulatedDate) -> str:
    word, colour = _LOOKS[date.outcome][:2]
    cells = (
        escape(_clock(date)),
        escape(date.trigger_id),
        f'<span style="color:{colour}">■</span> {word}',
        escape(_why(date)),
    )
    return "<tr>" + "".join(f'<td style="text-align:left">{cell}</td>' for cell in cells) + "</tr>"


def _clock(date: SimulatedDate) -> str:
    """As the schedule's own clock shows it: `Sat 2026-11-21 09:00:00 +01:00`."""
    return datetime.fromisoformat(date.local).strftime("%a %Y-%m-%d %H:%M:%S %z")


def _why(date: SimulatedDate) -> str:
    return "; ".join(word for word in (date.reason, date.note) if word)

"""Simulations, backfills and what notebooks leave behind, as HTML and as text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nbflow.engine import Engine
from nbflow.model.backfill import Backfill, BackfillPlan, BackfillState
from nbflow.model.state import State
from nbflow.scheduler.simulate import Outcome, SimulatedDate, Simulation
from nbflow.types import JsonValue
from nbflow.widgets.backfill import BackfillLook, backfill_html, backfill_text, look_at
from nbflow.widgets.calendar import Mark, strip_html, strip_text
from nbflow.widgets.leftovers import leftovers_html, leftovers_of, leftovers_text
from nbflow.widgets.moments import away, span
from nbflow.widgets.simulation import simulation_html, simulation_text
from nbflow.widgets.twin import execution_html
from tests.widgets.run_records import execution, task_run

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
DATES = tuple(START + DAY * number for number in range(10))
EVIL = "<img src=x>"


def _backfill(**changes: object) -> Backfill:
    plan = BackfillPlan(DATES[0], DATES[-1])
    made = Backfill("b" * 22, "a.b", "flow", "daily", plan, 10, START, START)
    return replace(made, **changes)  # type: ignore[arg-type]  # the names are those of its fields


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=42), "42 s"),
        (timedelta(minutes=5, seconds=20), "5 min"),
        (timedelta(hours=3, minutes=20), "3 h 20 min"),
        (timedelta(hours=28), "1 d 4 h"),
        (timedelta(days=40, hours=3), "40 d"),
    ],
)
def test_lengths_of_time_are_short(length: timedelta, words: str) -> None:
    assert span(length) == words
    assert away(START + length, START) == f"in {words}"
    assert away(START - length, START) == f"{words} ago"


def test_many_dates_share_squares_and_the_worst_of_them_shows() -> None:
    marks = [Mark(str(number), "ran", "green", "✓") for number in range(10_000)]
    marks[5000] = Mark("5000", "missed", "red", "!", 9)
    html = strip_html(marks)
    assert html.count("<span") <= 366
    assert html.count("background:red") == 1
    assert strip_text(marks).count("!") == 1
    assert strip_html([]).count("<span") == 0


def test_a_simulation_tells_outcomes_reasons_and_oddities() -> None:
    dates = (
        SimulatedDate(
            "daily", DATES[0], "2026-01-01T01:00:00+01:00", Outcome.MISSED, "no execution was started for it"
        ),
        SimulatedDate("daily", DATES[1], "2026-01-02T01:00:00+01:00", Outcome.CONDITION, EVIL),
        SimulatedDate("daily", DATES[2], "2026-01-03T01:00:00+01:00", Outcome.FIRES, None, "the clock is put forward"),
    )
    found = Simulation("a.b", "flow", DATES[0], DATES[-1], dates)
    text, html = simulation_text(found), simulation_html(found)
    assert "1 fires, 1 held back, 1 missed" in text
    assert "!·+" in text
    assert "Thu 2026-01-01 01:00:00 +0100" in text
    assert "! Sat 2026-01-03 01:00:00 +0100 daily: the clock is put forward" in text
    assert EVIL not in html
    assert "&lt;img src=x&gt;" in html
    long = replace(found, dates=dates * 100)
    assert "… and 240 more dates" in simulation_html(long)
    assert "No date of its schedules" in simulation_html(replace(found, dates=()))


def test_a_backfill_shows_its_dates_by_state() -> None:
    going = _backfill(
        fired=4, succeeded=2, failed=1, position=DATES[3], running={"x": DATES[3]}, spent=timedelta(minutes=3)
    )
    states = {
        DATES[0]: State.SUCCESS,
        DATES[1]: State.FAILED,
        DATES[2]: State.SUCCESS,
        DATES[3]: State.RUNNING,
        DATES[9]: State.SUCCESS,  # of the schedule itself, not of this backfill
    }
    look = BackfillLook(going, DATES, states)
    text = backfill_text(look, "how to end it")
    assert "3 of 10 done · 1 failed · 1 running · about 7 min to go" in text
    assert "✓✗✓▶······" in text
    assert text.endswith("how to end it")
    html = backfill_html(look)
    assert html.count("not run yet") == 7  # six squares and the legend
    assert "width:20.0%" in html
    skipped = replace(look, states={date: states[date] for date in DATES[1:4]})
    assert "-✗✓▶······" in backfill_text(skipped)
    done = backfill_text(replace(look, backfill=replace(going, state=BackfillState.DONE, running={})))
    assert "to go" not in done


def test_a_backfill_whose_flow_is_gone_is_shown_all_the_same(tmp_path: Path) -> None:
    with Engine(tmp_path) as engine:
        look = look_at(engine, _backfill(succeeded=3))
    assert look.dates == ()
    assert "3 of 10 done" in backfill_text(look)


def test_kept_kernels_and_executed_notebooks_say_how_they_are_opened() -> None:
    uri = "kestra:///tests/nb/report.ipynb"
    outputs: dict[str, JsonValue] = {
        "notebook": uri,
        "kernel": "k12ab34",
        "outputFiles": {"a.ipynb": "kestra:///tests/a.ipynb", "b": "file:///b.ipynb"},
    }
    record, failed = execution(State.FAILED), task_run("report", 0, 1, State.FAILED, outputs=outputs)
    found = leftovers_of(record, [failed])
    assert [one.uri for one in found] == ["", uri, "kestra:///tests/a.ipynb"]
    html = leftovers_html(record, found)
    assert f'data-nbflow-notebook="{uri}" data-nbflow-execution="exec1"' in html
    assert 'data-nbflow-copy="%flow attach k12ab34"' in html
    assert leftovers_text(found) == [
        "report failed and kept its kernel: %flow attach k12ab34",
        "report: the executed notebook: %flow last exec1",
    ]
    succeeded = task_run("report", 0, 1, outputs=outputs)
    assert "" not in [one.uri for one in leftovers_of(record, [succeeded])]
    evil = task_run(EVIL, 0, 1, outputs={"notebook": 'kestra:///x"><img.ipynb', "kernel": "; rm -rf"})
    assert "<img" not in leftovers_html(record, leftovers_of(record, [evil]))
    assert "kestra:///tests/nb/report.ipynb" in execution_html(record, [failed], [])

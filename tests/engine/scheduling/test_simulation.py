"""Looking ahead, and back: the next dates, and what comes of each date of a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from nbflow.engine import Engine
from nbflow.errors import FlowNotFoundError, InputError, NotFoundError
from nbflow.scheduler.simulate import Outcome
from nbflow.testing import FakeClock
from tests.engine.scheduling.conftest import NOON, ended, schedule, settles

HOUR = timedelta(hours=1)


def test_the_next_dates_are_those_whose_conditions_hold(engine: Engine) -> None:
    text = schedule("0 9 * * *", "conditions: [{type: io.kestra.plugin.core.condition.Weekend}]")
    found = engine.next_dates(text, "s", 3)
    assert [f"{date:%a %d %H:%M}" for date in found] == ["Sat 10 09:00", "Sun 11 09:00", "Sat 17 09:00"]
    flow = engine.deploy(text)
    assert engine.next_dates(flow, n=3) == engine.next_dates("tests.job", n=3) == found
    with pytest.raises(NotFoundError, match=r"`other` of tests\.job is not there"):
        engine.next_dates(flow, "other")
    with pytest.raises(FlowNotFoundError):
        engine.next_dates("tests.nowhere")


def test_a_simulation_tells_of_the_changes_of_the_clock(engine: Engine) -> None:
    text = schedule("30 2 * * *", "timezone: Europe/Paris")
    spring = engine.simulate_flow(text, datetime(2026, 3, 28, tzinfo=UTC), days=3)
    assert [date.local for date in spring.firings] == [
        "2026-03-28T02:30:00+01:00",
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]
    (gap,) = spring.oddities
    assert gap.note == "02:30 is left out on 2026-03-29: the clock is put forward to 03:00"
    autumn = engine.simulate_flow(text, datetime(2026, 10, 24, 12, tzinfo=UTC), end=datetime(2026, 10, 26))
    assert ["comes twice" in (date.note or "") for date in autumn.dates] == [True]


def test_a_simulation_says_why_a_date_does_not_fire(engine: Engine) -> None:
    conditions = """
        conditions: [{type: io.kestra.plugin.core.condition.DayWeek, dayOfWeek: MONDAY}]
        when: "{{ trigger.date | date('HH') != '18' }}"
    """
    found = engine.simulate_flow(schedule("0 6,18 * * *", conditions), NOON, days=7)
    reasons = {f"{date.date:%a %H}": date.reason for date in found.dates}
    assert reasons["Mon 18"] == "`when` is not true: {{ trigger.date | date('HH') != '18' }}"
    assert reasons["Tue 06"] == "the condition DayWeek does not hold (dayOfWeek: MONDAY)"
    assert [date.outcome for date in found.dates if date.reason is None] == [Outcome.FIRES]


def test_a_simulation_of_the_past_tells_what_ran_and_what_was_missed(engine: Engine, clock: FakeClock) -> None:
    engine.deploy(schedule("0 * * * *"))
    clock.advance(HOUR)
    ended(engine, 1)
    settles(engine)
    found = engine.simulate("tests", "job", NOON - HOUR, end=NOON + 2 * HOUR)
    assert [date.outcome for date in found.dates] == [Outcome.MISSED, Outcome.MISSED, Outcome.RAN, Outcome.FIRES]
    assert found.to_dict()["counts"] == {"FIRES": 1, "RAN": 1, "MISSED": 2, "CONDITION": 0, "DISABLED": 0}
    engine.set_trigger("tests", "job", "s", disabled=True)
    assert {date.outcome for date in engine.simulate("tests", "job", NOON + 2 * HOUR, 1).dates} == {Outcome.DISABLED}


def test_a_simulation_that_ends_before_it_begins_is_refused(engine: Engine) -> None:
    with pytest.raises(InputError):
        engine.simulate_flow(schedule("0 * * * *"), NOON, end=NOON - HOUR)

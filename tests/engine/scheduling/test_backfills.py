"""Backfills: which dates, in which order, how many at once, and what becomes of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from nbflow.engine import Engine
from nbflow.errors import ConflictError, InputError, NotFoundError
from nbflow.model.backfill import Backfill, BackfillState
from nbflow.testing import FakeClock, eventually
from tests.engine.scheduling.conftest import NOON, WITHIN, dates, ended, schedule, scheduled

HOUR = timedelta(hours=1)
START, END = NOON - 5 * HOUR, NOON - HOUR


@pytest.fixture
def plain(tmp_path: Path, clock: FakeClock) -> Engine:
    """An engine that is no scheduler, in the home of `engine`."""
    return Engine(tmp_path / "home", clock=clock)


def done(engine: Engine, backfill: Backfill) -> Backfill:
    eventually(lambda: engine.get_backfill(backfill.id).state.is_over, within=WITHIN)
    return engine.get_backfill(backfill.id)


def test_it_runs_every_date_of_a_range_with_both_ends(engine: Engine) -> None:
    say = '- {id: say, type: return, format: "{{ trigger.date }} {{ inputs.who }}"}'
    inputs = "inputs:\n  - {id: who, type: STRING}\n"
    engine.deploy(schedule("0 * * * *", "disabled: true", tasks=say, more=inputs))
    dry = engine.create_backfill("tests", "job", "s", START, END, dry_run=True)
    assert dry.total == 5
    assert engine.backfill_dates(dry) == [START + n * HOUR for n in range(5)]
    assert engine.backfills() == []
    backfill = engine.create_backfill("tests", "job", "s", START, END, inputs={"who": "Ada"}, labels={"why": "test"})
    over = done(engine, backfill)
    assert (over.state, over.succeeded, over.failed, over.progress) == (BackfillState.DONE, 5, 0, 1.0)
    found = sorted(ended(engine, 5), key=lambda one: str(one.record.schedule_date))  # on this clock all began at once
    assert [one.record.schedule_date for one in found] == [START + n * HOUR for n in range(5)]
    assert found[0].task_runs["say"].outputs["value"] == "2026-01-05T07:00:00Z Ada"
    assert found[0].labels["backfill"] == "true"
    assert found[0].labels["why"] == "test"
    assert len(engine.executions(labels={"system.backfill": backfill.id})) == 5


def test_an_engine_runs_it_where_there_is_no_scheduler(plain: Engine) -> None:
    with plain:
        plain.deploy(schedule("0 * * * *"))
        done(plain, plain.backfill("tests", "job", "s", start=START, end=END))
        assert len(dates(plain)) == 5


def test_the_newest_first_and_no_more_at_once_than_allowed(engine: Engine) -> None:
    engine.deploy(schedule("0 * * * *", tasks="- {id: wait, type: pause}"))
    backfill = engine.create_backfill("tests", "job", "s", START, END, order="newest", parallelism=2)
    eventually(lambda: dates(engine) == ["05 10:00", "05 11:00"], within=WITHIN)
    assert len(engine.get_backfill(backfill.id).running) == 2
    for execution in engine.executions("tests", "job"):
        engine.wait(execution.id, "PAUSED", timeout=WITHIN)
        engine.resume(execution.id)
    eventually(lambda: dates(engine)[:2] == ["05 08:00", "05 09:00"], within=WITHIN)
    assert engine.get_backfill(backfill.id).eta is not None
    engine.cancel_backfill(backfill.id)
    assert engine.get_backfill(backfill.id).state == "CANCELLED"


def test_only_dates_that_are_missing_or_have_failed(engine: Engine) -> None:
    odd = "- {id: say, type: fail, condition: \"{{ trigger.date | date('H') | number % 2 == 1 and vars.broken }}\"}"
    engine.deploy(schedule("0 * * * *", tasks=odd, more="variables: {broken: true}"))
    first = done(engine, engine.create_backfill("tests", "job", "s", START, START + 2 * HOUR))
    assert (first.succeeded, first.failed) == (1, 2)
    missing = engine.create_backfill("tests", "job", "s", START, END, only="missing", dry_run=True)
    assert engine.backfill_dates(missing) == [START + 3 * HOUR, START + 4 * HOUR]
    engine.deploy(schedule("0 * * * *", tasks=odd, more="variables: {broken: false}"))
    again = done(engine, engine.create_backfill("tests", "job", "s", START, END, only="failed"))
    assert (again.total, again.succeeded) == (2, 2)
    assert engine.create_backfill("tests", "job", "s", START, END, only="failed", dry_run=True).total == 0


def test_it_can_be_paused_and_resumed_and_survives_its_engine(plain: Engine, clock: FakeClock) -> None:
    plain.deploy(schedule("0 * * * *", tasks="- {id: wait, type: pause}"))
    backfill = plain.create_backfill("tests", "job", "s", START, END)
    eventually(lambda: len(dates(plain)) == 1, within=WITHIN)
    plain.pause_backfill(backfill.id)
    with pytest.raises(ConflictError, match="PAUSED"):
        plain.pause_backfill(backfill.id)
    (first,) = plain.executions("tests", "job")
    plain.wait(first.id, "PAUSED", timeout=WITHIN)
    plain.resume(first.id)
    plain.wait(first.id, timeout=WITHIN)
    assert len(dates(plain)) == 1
    plain.resume_backfill(backfill.id)
    eventually(lambda: len(dates(plain)) == 2, within=WITHIN)
    plain.close()
    with Engine(plain.settings.home, clock=clock, scheduler=True) as other:
        other.deploy(schedule("0 * * * *"))
        for execution in other.executions("tests", "job", state=["PAUSED", "RUNNING", "CREATED"]):
            other.wait(execution.id, "PAUSED", timeout=WITHIN)
            other.resume(execution.id)
        assert done(other, backfill).succeeded == 5
        assert dates(other) == [f"05 {hour:02}:00" for hour in range(7, 12)]


def test_listed_dates_need_not_be_those_of_the_schedule(engine: Engine) -> None:
    engine.deploy(schedule("0 * * * *"))
    listed = [datetime(2025, 12, 24, 18, 30), NOON, NOON]
    assert done(engine, engine.create_backfill("tests", "job", "s", dates=listed)).succeeded == 2
    assert dates(engine) == ["05 12:00", "24 18:30"]


def test_dates_that_conditions_refuse_are_left_out(engine: Engine) -> None:
    engine.deploy(schedule("0 * * * *", "when: \"{{ trigger.date | date('H') == '8' }}\""))
    over = done(engine, engine.create_backfill("tests", "job", "s", START, END))
    assert (over.total, over.succeeded) == (1, 1)


def test_only_one_backfill_of_a_trigger_goes_on(engine: Engine) -> None:
    engine.deploy(schedule("0 * * * *", tasks="- {id: wait, type: pause}"))
    backfill = engine.create_backfill("tests", "job", "s", START, END)
    with pytest.raises(ConflictError, match=backfill.id):
        engine.create_backfill("tests", "job", "s", START, END)
    assert engine.trigger("tests", "job", "s").to_dict()["backfill"]["paused"] is False  # type: ignore[index,call-overload]
    engine.cancel_backfill(backfill.id)
    with pytest.raises(ConflictError, match="CANCELLED"):
        engine.resume_backfill(backfill.id)


def test_what_makes_no_sense_is_refused(engine: Engine) -> None:
    engine.deploy(schedule("0 * * * *"))
    with pytest.raises(InputError) as refused:
        engine.create_backfill("tests", "job", "s", END, START, order="random", parallelism=0)
    assert {problem.path for problem in refused.value.problems} == {"end", "order", "parallelism"}
    with pytest.raises(NotFoundError, match=r"`ss` of tests\.job is not there"):
        engine.create_backfill("tests", "job", "ss", START)
    with pytest.raises(NotFoundError, match="no backfill `x`"):
        engine.pause_backfill("x")


def test_a_backfill_in_the_text_of_a_flow_runs_once(engine: Engine) -> None:
    text = schedule("0 * * * *", "backfill:\n  start: 2026-01-05T09:00:00Z\n  labels: {why: text}")
    engine.deploy(text)
    eventually(lambda: dates(engine) == ["05 09:00", "05 10:00", "05 11:00", "05 12:00"], within=WITHIN)
    engine.deploy(text + "description: again\n")
    (backfill,) = engine.backfills("tests", "job")
    assert done(engine, backfill).succeeded == 4
    assert len(dates(engine)) == 4


def test_ten_thousand_dates_are_begun_at_once(engine: Engine) -> None:
    """The row of such a backfill stays small, and its dates are found as they are needed."""
    pause = scheduled(
        "type: io.kestra.plugin.core.trigger.Schedule\ncron: '* * * * *'", tasks="- {id: wait, type: pause}"
    )
    engine.deploy(pause)
    backfill = engine.create_backfill("tests", "job", "s", NOON - timedelta(minutes=9_999), NOON)
    assert backfill.total == 10_000
    eventually(lambda: len(engine.executions("tests", "job")) == 1, within=WITHIN)
    assert engine.store.backfills.get(backfill.id) is not None
    assert engine.get_backfill(backfill.id).plan.dates is None
    engine.cancel_backfill(backfill.id)

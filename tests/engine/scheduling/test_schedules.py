"""Schedules fire by the clock: when, what for, and what their executions see."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from nbflow.engine import Engine
from nbflow.engine.scheduling.service import TimeService
from nbflow.errors import ConflictError, NotFoundError
from nbflow.testing import FakeClock, eventually
from tests.engine.scheduling.conftest import NOON, WITHIN, dates, ended, schedule, scheduled, settles

HOUR = timedelta(hours=1)


def test_a_schedule_fires_at_its_dates_and_says_which(engine: Engine, clock: FakeClock) -> None:
    say = '- {id: say, type: return, format: "{{ trigger.date }} {{ trigger.next }} {{ trigger.previous }}"}'
    engine.deploy(schedule("0 * * * *", "timezone: Europe/Paris", tasks=say))
    clock.advance(HOUR - timedelta(seconds=1))
    assert not engine.executions("tests", "job")
    clock.advance(timedelta(seconds=1))
    (execution,) = ended(engine, 1)
    assert execution.record.schedule_date == NOON + HOUR
    assert execution.task_runs["say"].outputs["value"] == (
        "2026-01-05T14:00:00+01:00 2026-01-05T15:00:00+01:00 2026-01-05T13:00:00+01:00"
    )
    assert execution.trigger is not None
    assert execution.trigger["type"] == "io.kestra.plugin.core.trigger.Schedule"
    settles(engine)
    clock.advance(HOUR)
    ended(engine, 2)
    assert dates(engine) == ["05 13:00", "05 14:00"]


def test_inputs_and_labels_are_rendered_with_the_date(engine: Engine, clock: FakeClock) -> None:
    more = """
        inputs: {day: "{{ trigger.date | date('yyyy-MM-dd') }}"}
        labels: {hour: "{{ trigger.date | date('HH') }}"}
    """
    inputs = "inputs:\n  - {id: day, type: STRING}\n"
    engine.deploy(schedule("0 * * * *", more, more=inputs))
    clock.advance(HOUR)
    (execution,) = ended(engine, 1)
    assert execution.inputs == {"day": "2026-01-05"}
    assert execution.labels["hour"] == "13"


def test_an_execution_that_cannot_be_started_is_failed_and_says_why(engine: Engine, clock: FakeClock) -> None:
    engine.deploy(schedule("0 * * * *", more="inputs:\n  - {id: needed, type: STRING}\n"))
    clock.advance(HOUR)
    (execution,) = ended(engine, 1)
    assert execution.state == "FAILED"
    eventually(lambda: any("needed" in entry.message for entry in execution.logs()), within=WITHIN)
    settles(engine)


def test_only_dates_whose_conditions_hold_fire(engine: Engine, clock: FakeClock) -> None:
    more = """
        conditions:
          - {type: io.kestra.plugin.core.condition.DayWeek, dayOfWeek: WEDNESDAY}
        when: "{{ trigger.date | date('HH') == '06' }}"
    """
    say = '- {id: say, type: return, format: "{{ trigger.next }}"}'
    engine.deploy(schedule("0 6,18 * * *", more, tasks=say))
    for _ in range(6):
        clock.advance(timedelta(hours=12))
        settles(engine)
    (execution,) = ended(engine, 1)
    assert dates(engine) == ["07 06:00"]
    assert execution.task_runs["say"].outputs["value"] == "2026-01-14T06:00:00Z"


def test_it_waits_for_its_own_execution_unless_it_may_run_beside(engine: Engine, clock: FakeClock) -> None:
    pause = "- {id: wait, type: pause}"
    engine.deploy(schedule("0 * * * *", tasks=pause))
    engine.deploy(schedule("0 * * * *", "allowConcurrent: true", tasks=pause, flow_id="beside"))
    for _ in range(2):
        clock.advance(HOUR)
        eventually(lambda: dates(engine, "beside")[-1:] == [f"{clock.now():%d %H:%M}"], within=WITHIN)
    eventually(lambda: len(dates(engine, "beside")) == 2, within=WITHIN)
    assert dates(engine) == ["05 13:00"]
    assert engine.trigger("tests", "job", "s").is_locked
    (first,) = engine.executions("tests", "job")
    engine.wait(first.id, "PAUSED", timeout=WITHIN)
    engine.resume(first.id)
    eventually(lambda: dates(engine) == ["05 13:00", "05 14:00"], within=WITHIN)
    assert engine.trigger("tests", "job", "s").state.execution_id != first.id


def test_it_can_be_unlocked(engine: Engine, clock: FakeClock) -> None:
    engine.deploy(schedule("0 * * * *", tasks="- {id: wait, type: pause}"))
    with pytest.raises(ConflictError, match="not locked"):
        engine.unlock_trigger("tests", "job", "s")
    clock.advance(HOUR)
    eventually(lambda: engine.trigger("tests", "job", "s").is_locked, within=WITHIN)
    clock.advance(HOUR)
    engine.unlock_trigger("tests", "job", "s")
    eventually(lambda: len(dates(engine)) == 2, within=WITHIN)


def test_it_stops_after_a_state(engine: Engine, clock: FakeClock) -> None:
    engine.deploy(schedule("0 * * * *", "stopAfter: [FAILED]", tasks="- {id: no, type: fail}"))
    clock.advance(HOUR)
    ended(engine, 1)
    eventually(lambda: engine.trigger("tests", "job", "s").is_disabled, within=WITHIN)
    clock.advance(3 * HOUR)
    settles_never_fires(engine, 1)


def settles_never_fires(engine: Engine, number: int) -> None:
    """Let another flow fire: by then the one in question would have, too."""
    engine.deploy(schedule("* * * * *", "allowConcurrent: true", flow_id="other"))
    clock = engine._clock
    assert isinstance(clock, FakeClock)
    clock.advance(timedelta(minutes=1))
    eventually(lambda: len(dates(engine, "other")) == 1, within=WITHIN)
    assert len(dates(engine)) == number


def test_switching_it_off_and_on_moves_no_date_and_runs_none_of_those_between(engine: Engine, clock: FakeClock) -> None:
    engine.deploy(schedule("0 * * * *"))
    engine.set_trigger("tests", "job", "s", disabled=True)
    clock.advance(timedelta(hours=3, minutes=30))
    settles_never_fires(engine, 0)
    engine.set_trigger("tests", "job", "s", disabled=False)
    eventually(lambda: engine.trigger("tests", "job", "s").state.next_date == NOON + 4 * HOUR, within=WITHIN)
    clock.advance(HOUR)
    eventually(lambda: dates(engine) == ["05 16:00"], within=WITHIN)


def test_a_flow_that_is_deployed_again_keeps_its_dates_unless_they_change(engine: Engine, clock: FakeClock) -> None:
    engine.deploy(schedule("0 * * * *"))
    first = engine.trigger("tests", "job", "s").state
    clock.advance(timedelta(minutes=10))
    engine.deploy(schedule("0 * * * *", more="description: other words"))
    second = engine.trigger("tests", "job", "s").state
    assert (first.revision, second.revision) == (1, 2)
    assert second.next_date == first.next_date
    engine.deploy(schedule("30 * * * *"))
    assert engine.trigger("tests", "job", "s").state.next_date == NOON + timedelta(minutes=30)
    clock.advance(timedelta(minutes=20))
    eventually(lambda: dates(engine) == ["05 12:30"], within=WITHIN)


def test_a_disabled_flow_does_not_fire(engine: Engine, clock: FakeClock) -> None:
    engine.deploy(schedule("0 * * * *"))
    engine.store.flows.set_disabled("tests", "job", True)
    eventually(lambda: engine.trigger("tests", "job", "s").state.next_date is None, within=WITHIN)
    clock.advance(HOUR)
    settles_never_fires(engine, 0)
    engine.store.flows.set_disabled("tests", "job", False)
    eventually(lambda: engine.trigger("tests", "job", "s").state.next_date is not None, within=WITHIN)
    clock.advance(HOUR)
    eventually(lambda: dates(engine) == ["05 14:00"], within=WITHIN)


def test_a_trigger_that_its_flow_has_no_longer_is_forgotten(engine: Engine, clock: FakeClock) -> None:
    engine.deploy(schedule("0 * * * *"))
    with pytest.raises(ConflictError, match="has the trigger s"):
        engine.delete_trigger("tests", "job", "s")
    engine.deploy("id: job\nnamespace: tests\ntasks:\n  - {id: say, type: return, format: x}\n")
    assert engine.triggers("tests", "job") == []
    with pytest.raises(NotFoundError):
        engine.trigger("tests", "job", "s")
    clock.advance(HOUR)
    settles_never_fires(engine, 0)


def test_given_dates_fire(engine: Engine, clock: FakeClock) -> None:
    kind = "type: io.kestra.plugin.core.trigger.ScheduleOnDates\ntimezone: Europe/Paris\n"
    engine.deploy(scheduled(f"{kind}dates: [2026-01-05T14:30:00, 2026-01-06T00:00:00Z, 2020-01-01T00:00:00Z]"))
    clock.advance(timedelta(days=1))
    ended(engine, 2)
    assert dates(engine) == ["05 13:30", "06 00:00"]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("ALL", ["05 13:00", "05 14:00", "05 15:00"]),
        ("LAST", ["05 15:00"]),
        ("NONE", []),
    ],
)
def test_dates_that_passed_without_a_scheduler(
    tmp_path: Path, clock: FakeClock, policy: str, expected: list[str]
) -> None:
    with Engine(tmp_path / "home", clock=clock) as engine:
        engine.deploy(schedule("0 * * * *", f"recoverMissedSchedules: {policy}"))
        clock.advance(timedelta(hours=3, minutes=10))
        assert engine.scheduler_status().is_running is False
        assert [one.trigger_id for one in engine.scheduler_status().missed] == ["s"]
    with Engine(tmp_path / "home", clock=clock, scheduler=True) as engine:
        settles(engine)
        eventually(lambda: dates(engine) == expected, within=WITHIN)
        assert engine.scheduler_status().missed == ()
        clock.advance(timedelta(minutes=49, seconds=30))  # in one step more than a minute: as if the machine had slept
        eventually(lambda: seen(engine) == clock.now(), within=WITHIN)
        clock.advance(timedelta(seconds=30))
        eventually(lambda: dates(engine) == [*expected, "05 16:00"], within=WITHIN)


def seen(engine: Engine) -> datetime:
    """When the scheduler was seen last."""
    lease = engine.store.leases.get("scheduler")
    assert lease is not None
    return lease.seen


def test_late_dates_are_left_out(tmp_path: Path, clock: FakeClock) -> None:
    with Engine(tmp_path / "home", clock=clock) as engine:
        engine.deploy(schedule("0 * * * *", "lateMaximumDelay: PT30M"))
        clock.advance(timedelta(hours=3, minutes=10))
    with Engine(tmp_path / "home", clock=clock, scheduler=True) as engine:
        eventually(lambda: dates(engine) == ["05 15:00"], within=WITHIN)
        left = engine.trigger("tests", "job", "s").to_dict()["leftOut"]
        assert left == {"first": "2026-01-05T13:00:00+00:00", "last": "2026-01-05T14:00:00+00:00", "reason": "LATE"}


def test_flows_deployed_by_others_fire(engine: Engine, clock: FakeClock) -> None:
    with Engine(engine.settings.home, clock=clock, takes_over=False) as other:
        other.deploy(schedule("0 * * * *"))
        other.store.flows.save("tests", "unseen", schedule("0 * * * *", flow_id="unseen"), clock.now())
    eventually(lambda: len(engine.triggers("tests")) == 2, within=WITHIN)
    time = engine._time
    assert isinstance(time, TimeService)
    eventually(lambda: len(time.scheduler._agenda) == 2, within=WITHIN)
    clock.advance(HOUR)
    eventually(lambda: dates(engine) == dates(engine, "unseen") == ["05 13:00"], within=WITHIN)


def test_a_scheduler_says_where_it_is_and_another_stands_by(engine: Engine, clock: FakeClock) -> None:
    status = engine.scheduler_status()
    assert status.is_running
    assert status.is_here
    assert status.since == NOON
    with Engine(engine.settings.home, clock=clock) as other:
        second = other.start_scheduler()
        assert second.is_running
        assert not second.is_here
        assert second.pid == status.pid
        engine.deploy(schedule("0 * * * *"))
        engine.close()
        eventually(lambda: other.scheduler_status().is_here, within=WITHIN)
        clock.advance(HOUR)
        eventually(lambda: dates(other) == ["05 13:00"], within=WITHIN)

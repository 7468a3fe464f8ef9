"""Every option of a schedule, in one table: what is written, and which dates fire."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nbflow.engine import Engine
from nbflow.testing import FakeClock, eventually
from tests.engine.scheduling.conftest import WITHIN, scheduled, settles

SCHEDULE = "type: io.kestra.plugin.core.trigger.Schedule\n"
CONDITION = "io.kestra.plugin.core.condition"


@dataclass(frozen=True)
class Case:
    """A schedule, from when on, how far the clock goes in which steps, and the dates that fire."""

    trigger: str
    dates: list[str]
    begin: str = "2026-01-05T12:00"  # a Monday
    steps: tuple[timedelta, ...] = (timedelta(hours=1),) * 3
    tasks: str = ""


def of(cron: str, more: str = "", dates: str = "", **others: object) -> Case:
    """A Schedule; `dates` with blanks between them."""
    return Case(f'{SCHEDULE}cron: "{cron}"\n{more}', dates.split(), **others)  # type: ignore[arg-type]


def steps(number: int, **each: float) -> tuple[timedelta, ...]:
    return (timedelta(**each),) * number


HOURS = "05T13:00 05T14:00 05T15:00"
DAILY = "06T00:00 07T00:00 08T00:00"
AFTER_NOON = 'conditions: [{type: %s.TimeBetween, after: "13:30Z", before: "14:30Z"}]' % CONDITION  # noqa: UP031
CASES = {
    "plain": of("0 * * * *", "", HOURS),
    "@hourly": of("@hourly", "", HOURS),
    "@daily": of("@daily", "", DAILY, steps=steps(3, days=1)),
    "@midnight": of("@midnight", "", DAILY, steps=steps(3, days=1)),
    "@weekly": of("@weekly", "", "11T00:00 18T00:00", steps=steps(2, days=7)),
    "@monthly": of("@monthly", "", "01T00:00 01T00:00", steps=steps(2, days=31)),
    "@yearly": of("@yearly", "", "01T00:00", steps=steps(1, days=366)),
    "@annually": of("@annually", "", "01T00:00", steps=steps(1, days=366)),
    "withSeconds": of(
        "*/20 * * * * *", "withSeconds: true", "05T12:00:20 05T12:00:40 05T12:01", steps=steps(3, seconds=20)
    ),
    "timezone": of("0 8 * * *", "timezone: America/New_York", "05T13:00"),
    "a gap of the clock": of(
        "30 2 * * *", "timezone: Europe/Paris", "28T01:30 29T01:00 30T00:30", begin="2026-03-28T00:00",
        steps=steps(3, days=1),
    ),
    "an overlap of the clock": of(
        "30 2 * * *", "timezone: Europe/Paris", "24T00:30 25T00:30 26T01:30", begin="2026-10-24T00:00",
        steps=steps(3, days=1),
    ),
    "hourly over an overlap": of(
        "0 * * * *", "timezone: Europe/Paris", "24T23:00 25T00:00 25T02:00", begin="2026-10-24T22:30",
        steps=steps(4, hours=1),
    ),
    "disabled": of("0 * * * *", "disabled: true"),
    "when": of("0 * * * *", "when: \"{{ trigger.date | date('HH') == '14' }}\"", "05T14:00"),
    "conditions": of("0 * * * *", AFTER_NOON, "05T14:00"),
    "scheduleConditions": of("0 * * * *", AFTER_NOON.replace("conditions", "scheduleConditions"), "05T14:00"),
    "a condition that cannot be evaluated": of("0 * * * *", "when: \"{{ nobody.knows }}\""),
    "Not": of(
        "0 * * * *", f"conditions: [{{type: {CONDITION}.Not, conditions: [{{type: {CONDITION}.Weekend}}]}}]", HOURS
    ),
    "Or": of(
        "0 * * * *",
        f"conditions: [{{type: {CONDITION}.Or, conditions: [{{type: {CONDITION}.Weekend}}, "
        f"{{type: {CONDITION}.DayWeek, dayOfWeek: TUESDAY}}]}}]",
    ),
    "DayWeekInMonth": of(
        "0 0 * * *", f"conditions: [{{type: {CONDITION}.DayWeekInMonth, dayOfWeek: WEDNESDAY, dayInMonth: FIRST}}]",
        "07T00:00", steps=steps(4, days=1),
    ),
    "Weekend": of(
        "0 0 * * *", f"conditions: [{{type: {CONDITION}.Weekend}}]", "10T00:00 11T00:00", steps=steps(7, days=1)
    ),
    "PublicHoliday": of(
        "0 0 * * *", f"conditions: [{{type: {CONDITION}.PublicHoliday, country: DE, subDivision: BY}}]", "06T00:00",
        steps=steps(3, days=1),
    ),
    "DateTimeBetween": of(
        "0 * * * *", f'conditions: [{{type: {CONDITION}.DateTimeBetween, after: "2026-01-05T13:30:00Z"}}]',
        "05T14:00 05T15:00",
    ),
    "Expression": of("0 * * * *", f"conditions: [{{type: {CONDITION}.Expression, expression: '{{{{ false }}}}'}}]"),
    "stopAfter": of("0 * * * *", "stopAfter: [FAILED]", "05T13:00", tasks="- {id: no, type: fail}"),
    "stopAfter another state": of("0 * * * *", "stopAfter: [SUCCESS]", HOURS, tasks="- {id: no, type: fail}"),
    "no concurrency": of("0 * * * *", "", "05T13:00", tasks="- {id: wait, type: pause}"),
    "allowConcurrent": of("0 * * * *", "allowConcurrent: true", HOURS, tasks="- {id: wait, type: pause}"),
    "ScheduleOnDates": Case(
        'type: io.kestra.plugin.core.trigger.ScheduleOnDates\ntimezone: Europe/Paris\n'
        'dates: ["2026-01-05T14:30:00", "2026-01-05T15:00:00Z"]',
        ["05T13:30", "05T15:00"],
    ),
}  # fmt: skip


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[list[Engine]]:
    """Engines of the test, closed at its end."""
    found: list[Engine] = []
    yield found
    for engine in found:
        engine.close()


def begin(engines: list[Engine], home: Path, clock: FakeClock) -> Engine:
    engine = Engine(home, clock=clock, scheduler=True)
    engines.append(engine)
    eventually(lambda: engine.scheduler_status().is_here, within=WITHIN)
    return engine


def fired(engine: Engine) -> list[str]:
    """The dates that have started executions, oldest first."""
    found = [one.record.schedule_date for one in engine.executions("tests", "job", limit=1000)]
    return [f"{date:%dT%H:%M:%S}".removesuffix(":00") for date in sorted(date for date in found if date is not None)]


def is_done(engine: Engine, clock: FakeClock) -> bool:
    """Whether the schedule has nothing left to do now: its next date is to come, or it waits or is switched off."""
    row = engine.trigger("tests", "job", "s")
    is_past = row.state.next_date is not None and row.state.next_date <= clock.now()
    under_way = any(not one.record.state.is_terminal and one.state != "PAUSED" for one in engine.executions("tests"))
    waits = row.state.execution_id is not None and any(one.state == "PAUSED" for one in engine.executions("tests"))
    return not under_way and (row.is_disabled or waits or (not is_past and row.state.execution_id is None))


@pytest.mark.parametrize("name", CASES)
def test_dates_fire_as_written(name: str, engines: list[Engine], tmp_path: Path) -> None:
    case = CASES[name]
    clock = FakeClock(datetime.fromisoformat(case.begin).replace(tzinfo=UTC))
    engine = begin(engines, tmp_path / "home", clock)
    engine.deploy(scheduled(case.trigger, tasks=case.tasks))
    for step in case.steps:
        clock.advance(step)
        eventually(lambda: is_done(engine, clock), within=WITHIN)
    eventually(lambda: fired(engine) == case.dates, within=WITHIN)


@pytest.mark.parametrize(
    ("more", "dates"),
    [
        ("recoverMissedSchedules: ALL", ["05T13:00", "05T14:00", "05T15:00", "05T16:00"]),
        ("recoverMissedSchedules: LAST", ["05T15:00", "05T16:00"]),
        ("recoverMissedSchedules: NONE", ["05T16:00"]),
        ("lateMaximumDelay: PT1H45M", ["05T14:00", "05T15:00", "05T16:00"]),
        ("", ["05T13:00", "05T14:00", "05T15:00", "05T16:00"]),
    ],
)
def test_dates_that_were_missed_are_made_up_for_as_written(
    engines: list[Engine], tmp_path: Path, more: str, dates: list[str]
) -> None:
    clock = FakeClock(datetime(2026, 1, 5, 12, tzinfo=UTC))
    first = begin(engines, tmp_path / "home", clock)
    first.deploy(scheduled(f'{SCHEDULE}cron: "0 * * * *"\n{more}'))
    engines.pop().close()
    clock.advance(timedelta(hours=3, minutes=30))
    second = begin(engines, tmp_path / "home", clock)
    eventually(lambda: is_done(second, clock), within=WITHIN)
    settles(second)
    clock.advance(timedelta(minutes=30))
    eventually(lambda: fired(second) == dates, within=WITHIN)

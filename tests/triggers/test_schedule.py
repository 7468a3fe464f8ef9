"""Cron expressions and time zones are checked as a flow is read."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from nbflow.triggers.cron import check_cron, check_timezone
from nbflow.triggers.schedule import MissedSchedules, Schedule, ScheduleOnDates


@pytest.mark.parametrize(
    "cron",
    [
        "0 9 * * *",
        "*/15 * * * *",
        "0 0 * * MON",
        "0 9 1 * *",
        "0 0 29 2 *",
        "@daily",
        "@HOURLY",
        "0 9 * * 1-5",
        "0 0 * * 7",
        "*/59 */23 * MAR,APR THU,FRI",
    ],
)
def test_cron_expressions_are_accepted(cron: str) -> None:
    assert check_cron(cron) == (cron.lower() if cron.startswith("@") else cron)


@pytest.mark.parametrize(
    ("cron", "message"),
    [
        ("0 25 * * *", "field 2 (hour) of the cron expression `0 25 * * *` must be 0 to 23, got `25`"),
        ("a * * * *", "field 1 (minute) of the cron expression `a * * * *` must be 0 to 59, got `a`"),
        ("0 0 * * FUN", "must be 0 to 7 (0 and 7 are Sunday), or SUN to SAT, got `FUN`"),
        ("R * * * *", "field 1 (minute) of the cron expression `R * * * *` must be 0 to 59, got `R`"),
        ("0 h(1-5) * * *", "field 2 (hour) of the cron expression `0 h(1-5) * * *` must be 0 to 23, got `h(1-5)`"),
        ("*/70 * * * *", "field 1 (minute) of the cron expression `*/70 * * * *` must be 0 to 59, got `*/70`"),
        ("0 9 * *", "of 5 fields (minute, hour, day of month, month, day of week)"),
        ("0 9 * *", 'such as "0 9 * * *"; it has 4'),
        ("0 0 9 * * *", "it has 6 (six fields need `withSeconds: true`)"),
        ("0 0 31 2 *", "`0 0 31 2 *` names a date that never comes; change its day or its month"),
        ("@often", "`@often` is no cron expression; write one of @yearly"),
        ("", "it has 0"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_field_and_what_may_stand_there(cron: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        check_cron(cron)


def test_seconds_come_first() -> None:
    assert check_cron("*/10 0 9 * * *", with_seconds=True)
    with pytest.raises(ValueError, match=r"field 1 \(second\)"):
        check_cron("75 0 9 * * *", with_seconds=True)
    with pytest.raises(ValueError, match=r"of 6 fields"):
        check_cron("0 9 * * *", with_seconds=True)


def test_an_unknown_time_zone_names_the_nearest() -> None:
    assert check_timezone("Europe/Paris") == "Europe/Paris"
    with pytest.raises(ValueError, match=r"there is no time zone `Europe/Pariss`; did you mean `Europe/Paris`"):
        check_timezone("Europe/Pariss")


def test_a_schedule_as_in_the_lessons_is_read() -> None:
    schedule = Schedule.model_validate(
        {"id": "daily", "cron": "0 9 * * *", "backfill": {"start": "2024-01-01T00:00:00Z"},
         "recoverMissedSchedules": "NONE", "lateMaximumDelay": "PT1H", "inputs": {"a": 1}, "stopAfter": ["FAILED"]}
    )  # fmt: skip
    assert schedule.timezone == "UTC"
    assert schedule.recover_missed_schedules is MissedSchedules.NONE
    assert schedule.backfill is not None
    assert schedule.backfill.start.isoformat() == "2024-01-01T00:00:00+00:00"


def test_a_backfill_cannot_end_before_it_starts() -> None:
    with pytest.raises(ValidationError, match="must not be before"):
        Schedule.model_validate(
            {"id": "a", "cron": "@daily", "backfill": {"start": "2024-01-02T00:00:00Z", "end": "2024-01-01T00:00:00"}}
        )


def test_dates_to_fire_on_are_read() -> None:
    trigger = ScheduleOnDates.model_validate({"id": "a", "dates": ["2024-01-01T00:00:00+01:00", "2024-01-02T00:00:00"]})
    assert len(trigger.dates) == 2

"""What is decided about dates that have come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from nbflow.scheduler.dates import cron_table
from nbflow.scheduler.due import Decision, LeftOut, Reason, Rules, decide
from nbflow.triggers.schedule import MissedSchedules

HOURLY = cron_table("0 * * * *", False, "UTC")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 1, 5, hour, minute, tzinfo=UTC)


def test_nothing_is_done_before_the_date() -> None:
    assert decide(HOURLY, Rules(), at(9), at(8, 59), LONG_AGO) == Decision(None, at(9))


def test_a_date_fires_and_the_next_one_is_looked_at() -> None:
    assert decide(HOURLY, Rules(), at(9), at(9), LONG_AGO) == Decision(at(9), at(10))


def test_dates_that_came_while_somebody_watched_fire_one_after_another() -> None:
    none = Rules(MissedSchedules.NONE)
    assert decide(HOURLY, none, at(5), at(9, 30), LONG_AGO) == Decision(at(5), at(6))


def test_missed_dates_are_all_recovered_by_default() -> None:
    assert decide(HOURLY, Rules(), at(5), at(9, 30), at(9, 10)) == Decision(at(5), at(6))


def test_the_last_of_the_missed_dates_is_recovered() -> None:
    left = (LeftOut(at(5), at(8), Reason.MISSED),)
    decision = decide(HOURLY, Rules(MissedSchedules.LAST), at(5), at(9, 30), at(9, 10))
    assert decision == Decision(at(9), at(10), left)


def test_missed_dates_are_left_out() -> None:
    left = (LeftOut(at(5), at(9), Reason.MISSED),)
    assert decide(HOURLY, Rules(MissedSchedules.NONE), at(5), at(9, 30), at(9, 10)) == Decision(None, at(10), left)


def test_a_date_at_the_very_begin_of_the_watch_is_not_missed() -> None:
    assert decide(HOURLY, Rules(MissedSchedules.NONE), at(9), at(9), at(9)) == Decision(at(9), at(10))


def test_a_date_that_is_too_late_is_left_out() -> None:
    rules = Rules(late_maximum_delay=timedelta(minutes=10))
    left = (LeftOut(at(5), at(9), Reason.LATE),)
    assert decide(HOURLY, rules, at(5), at(9, 30), LONG_AGO) == Decision(None, at(10), left)
    assert decide(HOURLY, rules, at(9), at(9, 10), LONG_AGO).fire == at(9)


def test_a_schedule_waits_for_its_own_execution() -> None:
    waiting = decide(HOURLY, Rules(), at(9), at(9), LONG_AGO, is_running=True)
    assert waiting == Decision(None, at(9), waits=True)
    assert decide(HOURLY, Rules(allow_concurrent=True), at(9), at(9), LONG_AGO, is_running=True).fire == at(9)


def test_a_schedule_without_further_dates_does_nothing() -> None:
    assert decide(HOURLY, Rules(), None, at(9), LONG_AGO) == Decision(None, None)

"""The dates of schedules: those of croniter on the wall clock, each once where the clock is put forward or back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from hypothesis import given
from hypothesis import strategies as st

from nbflow.scheduler.cron import cron_dates
from nbflow.scheduler.dates import CronTable, DateTable, between, cron_table
from nbflow.triggers.cron import check_cron

PARIS = "Europe/Paris"
ZONES = ("UTC", PARIS, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "America/Sao_Paulo")


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}")
    few = st.lists(number, min_size=1, max_size=3).map(lambda found: ",".join(map(str, found)))
    return st.one_of(st.just("*"), st.integers(1, max(high // 2, 1)).map(lambda step: f"*/{step}"), span, few)


CRONS = st.tuples(_field(0, 59), _field(0, 23), _field(1, 28), _field(1, 12), _field(0, 7)).map(" ".join)
SOME_CRONS = st.one_of(
    CRONS, st.sampled_from(["30 4 * * 5#3", "0 0 L * *", "0 9 * * MON-FRI", "@monthly", "*/7 2 * * *"])
)
MOMENTS = st.datetimes(datetime(2011, 1, 1), datetime(2035, 1, 1)).map(lambda moment: moment.replace(microsecond=0))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@given(SOME_CRONS, MOMENTS)
def test_on_the_wall_clock_the_dates_are_those_of_croniter(cron: str, moment: datetime) -> None:
    check_cron(cron)
    dates = cron_dates(cron)
    assert dates.after(moment) == croniter(cron, moment, ret_type=datetime).get_next()
    assert dates.before(moment) == croniter(cron, moment, ret_type=datetime).get_prev()


@given(SOME_CRONS, MOMENTS, st.sampled_from(ZONES))
def test_dates_go_forward_in_every_zone_and_back_the_same_way(cron: str, moment: datetime, zone: str) -> None:
    table, now = cron_table(cron, False, zone), moment.replace(tzinfo=UTC)
    first = table.after(now)
    assert first is not None
    second = table.after(first)
    assert second is not None
    assert now < first < second
    assert table.before(second) == first
    assert table.after(first - timedelta(microseconds=1)) == first


@given(MOMENTS, st.sampled_from(ZONES))
def test_no_date_is_lost_between_two_others(moment: datetime, zone: str) -> None:
    """Each quarter of an hour that the clock shows is a date, once."""
    table, start = cron_table("*/15 * * * *", False, zone), moment.replace(tzinfo=UTC)
    place = ZoneInfo(zone)
    seen = [date.astimezone(place).replace(tzinfo=None) for date in between(table, start, start + timedelta(days=3))]
    assert len(seen) == len(set(seen))
    shown = {(start + timedelta(minutes=n)).astimezone(place) for n in range(1, 3 * 24 * 60)}
    quarters = {one.replace(tzinfo=None, fold=0, second=0) for one in shown if one.minute % 15 == 0 and not one.fold}
    assert quarters <= set(seen) | {start.astimezone(place).replace(tzinfo=None, second=0)}


def test_a_date_in_the_gap_fires_at_the_first_instant_after_it() -> None:
    table = cron_table("30 2 * * *", False, PARIS)
    date = table.after(utc("2026-03-28T12:00"))
    assert date == utc("2026-03-29T01:00")
    assert table.oddity(date) == "02:30 is left out on 2026-03-29: the clock is put forward to 03:00"
    assert table.after(date) == utc("2026-03-30T00:30")


def test_dates_in_the_gap_and_at_its_end_fire_once() -> None:
    table = cron_table("*/20 2,3 * * *", False, PARIS)
    found = list(between(table, utc("2026-03-29T00:00"), utc("2026-03-29T01:30")))
    assert found == [utc("2026-03-29T01:00"), utc("2026-03-29T01:20")]


def test_a_date_in_the_overlap_fires_the_first_time() -> None:
    table = cron_table("30 2 * * *", False, PARIS)
    date = table.after(utc("2026-10-24T12:00"))
    assert date == utc("2026-10-25T00:30")
    assert "comes twice" in (table.oddity(date) or "")
    assert table.after(date) == utc("2026-10-26T01:30")
    assert table.before(utc("2026-10-25T01:10")) == date  # the second pass of the hour: 02:30 is behind already


def test_ordinary_dates_are_not_odd() -> None:
    table = cron_table("30 2 * * *", False, PARIS)
    assert table.oddity(utc("2026-06-01T00:30")) is None


@pytest.mark.parametrize(
    ("cron", "first"), [("@yearly", "2027-01-01"), ("@weekly", "2026-11-22"), ("@daily", "2026-11-22")]
)
def test_nicknames_have_their_dates(cron: str, first: str) -> None:
    assert cron_table(cron, False, "UTC").after(utc("2026-11-21T15:00")) == utc(first)


def test_seconds_come_first() -> None:
    table = CronTable(cron_dates("*/20 0 9 * * *", True), ZoneInfo("UTC"))
    found = list(between(table, utc("2026-01-01T09:00"), utc("2026-01-01T10:00")))
    assert [date.second for date in found] == [0, 20, 40]


def test_given_dates_are_read_in_the_zone_and_come_once() -> None:
    table = DateTable([datetime(2026, 5, 17, 9), utc("2026-05-17T07:00"), utc("2026-05-16T00:00")], ZoneInfo(PARIS))
    assert table.after(utc("2026-01-01")) == utc("2026-05-16T00:00")
    assert table.after(utc("2026-05-16T00:00")) == utc("2026-05-17T07:00")
    assert table.after(utc("2026-05-17T07:00")) is None
    assert table.before(utc("2026-05-17T07:00")) == utc("2026-05-16T00:00")

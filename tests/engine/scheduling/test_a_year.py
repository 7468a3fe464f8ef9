"""A simulated year with restarts, crashes, leader changes and changes of the clock: each date fires, and once."""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from croniter import croniter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbflow.engine import Engine
from nbflow.settings import Settings
from nbflow.testing import FakeClock, eventually
from tests.engine.scheduling.conftest import schedule

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
SCHEDULES = {
    "paris": ("30 2 * * *", "Europe/Paris"),  # in the gap, and in the overlap
    "york": ("0 1,2 * * 0", "America/New_York"),
    "howe": ("15,45 1,2 * * 6,0", "Australia/Lord_Howe"),  # whose clock moves by half an hour
    "utc": ("0 6 */2 * *", "UTC"),
}
BESIDE = ("paris", "howe")
"""Schedules that do not wait for their own executions."""
WITHIN = 60.0
QUARTER = timedelta(minutes=15)

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["go on", "go on", "restart", "crash", "hand over", "nobody"]),
        st.integers(60 * 24 * 15, 60 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes)),
    ),
    min_size=6,
    max_size=10,
)


def expected(cron: str, zone: str) -> list[datetime]:
    """The dates of a year, found in another way: the clock of the place is read quarter by quarter."""
    place = ZoneInfo(zone)
    shown: dict[datetime, datetime] = {}
    minute = BEGIN - timedelta(days=1)
    while minute <= BEGIN + YEAR + timedelta(days=1):
        shown.setdefault(minute.astimezone(place).replace(tzinfo=None, fold=0), minute)
        minute += QUARTER
    wall = croniter(cron, datetime(2025, 12, 31), ret_type=datetime)
    found: set[datetime] = set()
    for date in iter(wall.get_next, None):
        if date.year > 2027 or date > datetime(2027, 1, 2):
            break
        while date not in shown:  # the clock never showed it: the first instant after the gap
            date += QUARTER
        found.add(shown[date])
    return sorted(date for date in found if BEGIN < date <= BEGIN + YEAR)


EXPECTED = {flow_id: expected(*timing) for flow_id, timing in SCHEDULES.items()}


def crash(engine: Engine) -> None:
    """Stop an engine without giving anything back, as when its machine loses power."""
    atexit.unregister(engine.close)
    engine.loop.stop(10)
    engine.store.close()


def dates(engine: Engine, flow_id: str) -> list[datetime]:
    found: list[datetime] = []
    before: str | None = None
    while page := engine.executions("tests", flow_id, limit=1000, before_id=before):
        found += [date for one in page if (date := one.record.schedule_date) is not None]
        before = page[-1].id
    return sorted(found)


def catch_up(engine: Engine, clock: FakeClock) -> None:
    """Wait until everything that is due has fired."""

    def is_quiet() -> bool:
        states = [state for state in engine.store.schedules.enrolled()]
        return all(state.next_date is not None and state.next_date > clock.now() for state in states)

    eventually(is_quiet, within=WITHIN)


def engines(home: Path, clock: FakeClock) -> Iterator[Engine]:
    settings_of_home = replace(Settings.load(home), durability="normal")
    while True:
        yield Engine(settings=settings_of_home, clock=clock, scheduler=True)


@settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(EVENTS)
def test_over_a_year_every_date_fires_once(events: list[tuple[str, timedelta]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clock = FakeClock(BEGIN)
        fresh = engines(Path(folder) / "home", clock)
        engine = next(fresh)
        for flow_id, (cron, zone) in SCHEDULES.items():
            beside = str(flow_id in BESIDE).lower()
            engine.deploy(schedule(cron, f"timezone: {zone}\nallowConcurrent: {beside}", flow_id=flow_id))
        catch_up(engine, clock)
        end = BEGIN + YEAR
        number = 0
        while clock.now() < end:
            event, length = events[number % len(events)]
            number += 1
            length = min(length, end - clock.now())
            if event == "restart":
                engine.close()
                engine = next(fresh)
            elif event == "crash":
                clock.advance(length / 2)  # it may be in the midst of firing
                length -= length / 2
                crash(engine)
                engine = next(fresh)
            elif event == "hand over":
                standby = next(fresh)
                engine.close()
                engine = standby
            elif event == "nobody":
                engine.close()
                clock.advance(length)
                length = timedelta()
                engine = next(fresh)
            clock.advance(length)
            if event == "go on":
                catch_up(engine, clock)
        catch_up(engine, clock)
        for flow_id, wanted in EXPECTED.items():
            assert dates(engine, flow_id) == wanted, flow_id
        engine.close()

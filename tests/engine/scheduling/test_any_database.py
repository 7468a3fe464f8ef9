"""What must hold wherever the history lies: each date once, a takeover, backfills. On SQLite, and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from nbflow.engine import Engine
from nbflow.model.backfill import BackfillState
from nbflow.settings import Settings
from nbflow.testing import FakeClock, eventually
from tests.engine.scheduling.conftest import NOON, WITHIN, dates, ended, schedule, settles
from tests.store.conftest import any_settings, postgres_database, postgres_server, postgres_url

__all__ = ["any_settings", "postgres_database", "postgres_server", "postgres_url"]  # fixtures
HOUR = timedelta(hours=1)


@pytest.fixture
def engines(any_settings: Settings, clock: FakeClock) -> Iterator[tuple[Engine, Engine]]:
    """Two engines of one home; the first one leads, the other stands by."""
    with Engine(settings=any_settings, clock=clock, scheduler=True) as first:
        eventually(lambda: first.scheduler_status().is_here, within=WITHIN)
        with Engine(settings=replace(any_settings), clock=clock, scheduler=True) as second:
            yield first, second


def test_each_date_starts_one_execution_though_two_wish_to_be_the_scheduler(
    engines: tuple[Engine, Engine], clock: FakeClock
) -> None:
    first, second = engines
    assert not second.scheduler_status().is_here
    second.deploy(schedule("0 * * * *"))
    for number in range(1, 5):
        clock.advance(HOUR)
        ended(first, number)
        settles(second)
    assert dates(second) == ["05 13:00", "05 14:00", "05 15:00", "05 16:00"]


def test_the_one_that_stands_by_goes_on_when_the_first_one_ends(
    engines: tuple[Engine, Engine], clock: FakeClock
) -> None:
    first, second = engines
    first.deploy(schedule("0 * * * *"))
    clock.advance(HOUR)
    ended(second, 1)
    settles(second)
    first.close()
    eventually(lambda: second.scheduler_status().is_here, within=WITHIN)
    clock.advance(HOUR)
    ended(second, 2)
    assert dates(second) == ["05 13:00", "05 14:00"]


def test_many_dates_of_one_second_start_one_execution_each(engines: tuple[Engine, Engine], clock: FakeClock) -> None:
    first, second = engines
    for number in range(70):
        second.deploy(schedule("0 * * * *", flow_id=f"job{number}"))
    settles(first, "job69")
    clock.advance(HOUR)
    for number in range(70):
        ended(second, 1, f"job{number}")
    for number in range(70):
        settles(second, f"job{number}")
    assert len(first.executions("tests", limit=1000)) == 70


def test_a_backfill_runs_every_date_once(engines: tuple[Engine, Engine]) -> None:
    _, second = engines
    second.deploy(schedule("0 * * * *", "disabled: true"))
    backfill = second.create_backfill("tests", "job", "s", NOON - 9 * HOUR, NOON, parallelism=3)
    eventually(lambda: second.get_backfill(backfill.id).state.is_over, within=WITHIN)
    over = second.get_backfill(backfill.id)
    assert (over.state, over.succeeded) == (BackfillState.DONE, 10)
    assert dates(second) == [f"05 {hour:02}:00" for hour in range(3, 13)]

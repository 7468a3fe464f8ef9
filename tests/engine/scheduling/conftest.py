"""Fixtures of the scheduler's tests: a clock moved by hand, and an engine that is the scheduler of its home."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent, indent

import pytest

from nbflow.engine import Engine, Execution
from nbflow.testing import FakeClock, eventually

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)  # a Monday
WITHIN = 30.0

Deploy = Callable[..., None]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
def engine(tmp_path: Path, clock: FakeClock) -> Iterator[Engine]:
    with Engine(tmp_path / "home", clock=clock, scheduler=True) as engine:
        yield engine


def scheduled(trigger: str, *, flow_id: str = "job", tasks: str = "", more: str = "") -> str:
    """A flow with one trigger `s`; its task says the date, unless others are given."""
    tasks = tasks or '- {id: say, type: return, format: "{{ trigger.date }}"}'
    return (
        f"id: {flow_id}\nnamespace: tests\n{dedent(more)}\ntasks:\n{indent(dedent(tasks), '  ')}\n"
        f"triggers:\n  - id: s\n{indent(dedent(trigger).strip(), '    ')}\n"
    )


def schedule(cron: str, properties: str = "", **others: str) -> str:
    """A flow with a Schedule."""
    return scheduled(f'type: io.kestra.plugin.core.trigger.Schedule\ncron: "{cron}"\n{dedent(properties)}', **others)


def dates(engine: Engine, flow_id: str = "job") -> list[str]:
    """The dates for which there are executions, oldest first: day and time."""
    found = [one.record.schedule_date for one in engine.executions("tests", flow_id, limit=10_000)]
    return sorted(f"{date:%d %H:%M}" for date in found if date is not None)


def ended(engine: Engine, number: int, flow_id: str = "job") -> list[Execution]:
    """The executions of a flow, oldest first, once there are so many and all of them have ended."""

    def are_there() -> bool:
        found = engine.executions("tests", flow_id, limit=10_000)
        return len(found) >= number and all(one.record.state.is_terminal for one in found)

    eventually(are_there, within=WITHIN)
    found = engine.executions("tests", flow_id, limit=10_000)
    assert len(found) == number, [str(one.record.schedule_date) for one in found]
    return list(reversed(found))


def settles(engine: Engine, flow_id: str = "job", trigger_id: str = "s") -> None:
    """Wait until the scheduler has nothing left to do about a trigger: its next date is to come and it is free."""

    def is_settled() -> bool:
        state = engine.trigger("tests", flow_id, trigger_id).state
        is_free = state.execution_id is None
        return is_free and (state.next_date is None or state.next_date > engine._clock.now())

    eventually(is_settled, within=WITHIN)

"""Answers are shared with those who asked before the work began; counts are believed for a moment; buckets fill."""

from __future__ import annotations

import asyncio

import pytest

from nbflow.server.counting import Counts
from nbflow.server.rates import Rates
from nbflow.server.sharing import SharedAnswers


async def test_those_who_ask_meanwhile_share_the_next_answer() -> None:
    shared, began, gate, started = SharedAnswers(), [], asyncio.Event(), asyncio.Event()

    async def work() -> str:
        number = len(began)
        began.append(number)
        started.set()
        await gate.wait()
        return f"answer {number}"

    first = asyncio.ensure_future(shared.get("key", work))
    await asyncio.wait_for(started.wait(), 30)
    later = [asyncio.ensure_future(shared.get("key", work)) for _ in range(20)]
    await asyncio.sleep(0)
    gate.set()
    assert await first == "answer 0"
    assert await asyncio.gather(*later) == ["answer 1"] * 20
    assert await shared.get("key", work) == "answer 2"


async def test_a_failure_is_shared_too_and_forgotten() -> None:
    shared = SharedAnswers()

    async def fail() -> str:
        raise ValueError("no")

    async def work() -> str:
        return "well"

    with pytest.raises(ValueError, match="no"):
        await shared.get("key", fail)
    assert await shared.get("key", work) == "well"


def test_a_count_that_was_quick_is_not_kept() -> None:
    counts, numbers = Counts(), iter(range(10))
    assert [counts.of("all", lambda: next(numbers)) for _ in range(3)] == [0, 1, 2]


def test_a_bucket_lets_a_burst_pass_and_fills_again() -> None:
    now = [0.0]
    rates = Rates(2, 3, most=2, now=lambda: now[0])
    assert [rates.take("a") for _ in range(4)] == [True, True, True, False]
    assert rates.seconds_until("a") >= 1
    now[0] = 0.5
    assert [rates.take("a"), rates.take("a")] == [True, False]
    assert rates.take("b")
    assert rates.take("c")  # the one who has not asked for longest is forgotten
    assert rates.left("a") == 3

"""What a task asks of a database, and doing so in a thread that can be told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from nbflow.tasks.sql.fetching import FetchType, StoreFormat
from nbflow.types import JsonValue

T = TypeVar("T")

_CANCEL_LOOK_SECONDS = 0.05
_CANCEL_LOOKS = 200


@dataclass(frozen=True, slots=True)
class Job:
    """What to run. `after` runs at the end, and gives no result; `portion` rows or so are in memory at once."""

    sql: str
    fetch: FetchType
    after: str | None = None
    parameters: dict[str, JsonValue] | list[JsonValue] | None = None
    transaction: bool = False
    time_zone: str | None = None
    portion: int = 10_000
    store_format: StoreFormat = StoreFormat.JSONL


async def in_thread(work: Callable[[], T], cancel: Callable[[], None]) -> T:
    """Do work that blocks; when the task is cancelled, `cancel` is called (from another thread) until it ends."""
    loop = asyncio.get_running_loop()
    running = loop.run_in_executor(None, work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        for _ in range(_CANCEL_LOOKS):  # an interrupt between two statements is lost: ask again
            await asyncio.gather(loop.run_in_executor(None, cancel), return_exceptions=True)
            done, _pending = await asyncio.wait([running], timeout=_CANCEL_LOOK_SECONDS)
            if done:
                running.exception()  # that of the cancelled work is expected
                break
        raise


def message_of(cause: Exception) -> str:
    """What a database said."""
    return str(cause).strip() or type(cause).__name__

"""Running what blocks in a thread, so that a kill or a timeout still ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_PATIENCE_SECONDS = 10.0
"""How long work that was told to stop may take to do so; then it is left behind."""


async def run_blocking(work: Callable[..., T], *arguments: object, stop: Callable[[], object]) -> T:
    """Do work that blocks in a thread. When the task is killed or times out, `stop` is called and the end awaited.

    `stop` runs on the engine's loop and must be quick: set an event, cancel a query, close a connection. Work that
    cannot be stopped needs no more than `asyncio.to_thread`.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        running.add_done_callback(_forget)  # what it ends with now, nobody asks for
        if not running.done():
            stop()
            await asyncio.wait([running], timeout=_PATIENCE_SECONDS)
        raise


def _forget(ended: asyncio.Future[T]) -> None:
    if not ended.cancelled():
        ended.exception()

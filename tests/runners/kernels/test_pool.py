"""Kernels that are started in advance: lent once, refilled, bounded, and gone without a trace."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nbflow.plugins.kernels import KernelDiedError, KernelKey, KernelStartError, kernels
from nbflow.runners.kernels import KernelPool
from nbflow.tasks.scripts.languages import base_environment

ENV = tuple(sorted(base_environment({}, sys.executable, stand_in=False).items()))
KEY = KernelKey(env=ENV)


def on_loop(work: Callable[[KernelPool], Awaitable[Any]], **options: Any) -> Any:
    """Await some work with a pool on a loop of its own, which ends afterwards."""

    async def main() -> Any:
        pool = KernelPool(**options)
        try:
            return await work(pool)
        finally:
            await pool.close()

    return asyncio.run(main())


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    async with asyncio.timeout(seconds):
        yield


async def until(holds: Callable[[], bool]) -> None:
    """Return once something holds; fails after half a minute."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def text_of(messages: list[Any]) -> str:
    return "".join(message["content"]["text"] for message in messages if message["header"]["msg_type"] == "stream")


def test_a_kernel_is_lent_once_and_ended() -> None:
    async def work(pool: KernelPool) -> list[int]:
        pids = []
        for _ in range(2):
            async with pool.lend(KEY) as kernel:
                pids.append(kernel.pid)
                reply = await kernel.execute("'left' in dir()", messages.append)
                assert reply["status"] == "ok"
                await kernel.execute("left = 1")
        return pids

    messages: list[Any] = []
    pids = on_loop(work)
    assert len(set(pids)) == 2
    assert not any(map(is_alive, pids))
    results = [message["content"]["data"] for message in messages if message["header"]["msg_type"] == "execute_result"]
    assert results == [{"text/plain": "False"}] * 2


def test_the_next_kernel_is_started_in_advance() -> None:
    async def work(pool: KernelPool) -> list[bool]:
        warm = []
        for _ in range(2):
            async with pool.lend(KEY) as kernel:
                warm.append(kernel.was_warm)
            await until(lambda: pool.ready(KEY) == 1)
        return warm

    assert on_loop(work) == [False, True]


def test_what_was_imported_in_advance_is_there_and_leaves_no_name() -> None:
    async def work(pool: KernelPool) -> list[Any]:
        messages: list[Any] = []
        async with pool.lend(KernelKey(env=ENV, preimports=("wave", "no_such_module"))) as kernel:
            await kernel.execute(
                "import sys; print('wave' in sys.modules, [name for name in dir() if 'nbf' in name or name == 'wave'])",
                messages.append,
            )
        return messages

    assert text_of(on_loop(work)) == "True []\n"


def test_many_kernels_at_once_all_start() -> None:
    async def one(pool: KernelPool, number: int) -> str:
        messages: list[Any] = []
        async with pool.lend(KEY) as kernel:
            await kernel.execute(f"print({number})", messages.append)
        return text_of(messages)

    async def work(pool: KernelPool) -> list[str]:
        return await asyncio.gather(*(one(pool, number) for number in range(12)))

    assert on_loop(work) == [f"{number}\n" for number in range(12)]


def test_many_in_a_row_leave_nothing_behind() -> None:
    folder = Path(tempfile.gettempdir())

    def traces() -> tuple[int, set[Path]]:
        return len(os.listdir("/proc/self/fd")), set(folder.glob("nbflow-k-*"))

    async def work(pool: KernelPool) -> None:
        async with pool.lend(KEY) as kernel:
            pids.append(kernel.pid)
        await until(lambda: pool.count == 0)
        await asyncio.sleep(0.05)
        before = traces()[0]
        for _ in range(15):
            async with pool.lend(KEY) as kernel:
                pids.append(kernel.pid)
                await kernel.execute("1")
        await until(lambda: pool.count == 0)
        await until(lambda: traces()[0] <= before)

    pids: list[int] = []
    known = traces()[1]
    on_loop(work, is_eager=False)
    assert len(set(pids)) == 16
    assert not any(map(is_alive, pids))
    assert traces()[1] <= known


def test_descendants_of_a_kernel_end_with_it() -> None:
    async def work(pool: KernelPool) -> int:
        messages: list[Any] = []
        async with pool.lend(KEY) as kernel:
            code = "import subprocess; print(subprocess.Popen(['sleep', '300'], start_new_session=True).pid)"
            await kernel.execute(code, messages.append)
        await until(lambda: pool.count == 0)
        pid = int(text_of(messages))
        await until(lambda: not is_alive(pid))
        return pid

    assert on_loop(work, is_eager=False)


def test_the_death_of_a_kernel_is_noticed_at_once() -> None:
    async def work(pool: KernelPool) -> KernelDiedError:
        messages: list[Any] = []
        async with within(20), pool.lend(KEY) as kernel:
            with pytest.raises(KernelDiedError) as died:
                await kernel.execute("import os; print('last', flush=True); os.kill(os.getpid(), 9)", messages.append)
            assert not kernel.is_alive
        return died.value

    assert on_loop(work).status == -signal.SIGKILL


def test_a_kernel_that_died_while_it_was_ready_is_not_lent() -> None:
    async def work(pool: KernelPool) -> int:
        await pool.warm_up(KEY)
        [waiting] = pool._alive
        os.kill(waiting.pid, signal.SIGKILL)
        await until(lambda: not waiting.is_alive)
        async with pool.lend(KEY) as kernel:
            reply = await kernel.execute("1")
            assert reply["status"] == "ok"
            return kernel.pid - waiting.pid

    assert on_loop(work) != 0


def test_a_crash_says_where_it_happened() -> None:
    async def work(pool: KernelPool) -> str:
        async with pool.lend(KEY) as kernel:
            with pytest.raises(KernelDiedError) as died:
                await kernel.execute("import ctypes; ctypes.string_at(0)")
        return died.value.said

    assert "Segmentation fault" in on_loop(work, is_eager=False)


def test_a_kernel_that_is_not_installed_is_told_with_the_nearest_name() -> None:
    async def work(pool: KernelPool) -> None:
        async with pool.lend(KernelKey("pyton3", env=ENV)):
            pass

    with pytest.raises(KernelStartError, match="no kernel is installed as `pyton3`") as error:
        on_loop(work)
    assert "`python3`" in error.value.hint


def test_a_program_that_is_no_kernel_is_told_at_once() -> None:
    async def work(pool: KernelPool) -> None:
        async with within(30), pool.lend(KernelKey(python="/bin/false", env=ENV)):
            pass

    with pytest.raises(KernelStartError, match="ended as it started"):
        on_loop(work)


def test_a_busy_kernel_can_be_interrupted() -> None:
    async def work(pool: KernelPool) -> str:
        async with within(30), pool.lend(KEY) as kernel:
            running = asyncio.ensure_future(kernel.execute("import time\ntime.sleep(60)"))
            await asyncio.sleep(0.3)
            await kernel.interrupt()
            return str((await running)["ename"])

    assert on_loop(work, is_eager=False) == "KeyboardInterrupt"


def test_a_parked_kernel_lives_until_its_time_is_up() -> None:
    async def work(pool: KernelPool) -> None:
        async with pool.lend(KEY) as kernel:
            kernel.park(timedelta(seconds=0.5))
        assert kernel.is_alive
        await until(lambda: not kernel.is_alive and not kernel.connection_file.exists())

    on_loop(work, is_eager=False)


@pytest.mark.parametrize("is_foreign", [False, True])
def test_a_parked_kernel_can_be_taken_again_with_what_it_holds(is_foreign: bool) -> None:
    async def work(pool: KernelPool) -> str:
        messages: list[Any] = []
        async with pool.lend(KEY) as kernel:
            await kernel.execute("held = 42")
            kernel.park(timedelta(minutes=1))
        taker = KernelPool() if is_foreign else pool
        async with taker.attach(kernel.connection_file, kernel.pid) as again:
            await again.execute("print(held)", messages.append)
        await until(lambda: not is_alive(kernel.pid) and not kernel.connection_file.exists())
        if is_foreign:
            await taker.close()
        return text_of(messages)

    assert on_loop(work, is_eager=False) == "42\n"


def test_the_pool_of_a_loop_ends_with_it() -> None:
    async def main() -> int:
        await kernels().warm_up(KEY)
        async with kernels().lend(KEY) as kernel:
            kernel.park(timedelta(minutes=1))
            return kernel.pid

    assert not is_alive(asyncio.run(main()))

"""Pythons that wait to become a command: as quick as one that runs already, as separate as one that starts anew."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import psutil

from nbflow.plugins import Ahead, Command
from nbflow.runners.process import Process
from nbflow.runners.pythons import PythonPool, pool_of_loop
from nbflow.tasks.scripts.languages import base_environment

ENV = base_environment({}, sys.executable, stand_in=False)


class Place:
    """A folder with scripts, run one after another by Pythons that have waited."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[tuple[str, bool]] = []

    async def run(self, text: str, modules: tuple[str, ...] = (), **more: Any) -> int:
        self.lines.clear()

        async def take(line: str, is_error: bool) -> None:
            self.lines.append((line, is_error))

        return await Process().execute(self.command(text, modules, **more), take)

    def command(self, text: str, modules: tuple[str, ...] = (), **more: Any) -> Command:
        script = self.folder / "script-test.py"
        script.write_text(dedent(text), encoding="utf-8")
        ahead = Ahead(modules, more.pop("folders", ()), follow=1)
        env = {**ENV, **more.pop("env", {})}
        return Command([sys.executable, str(script), "one"], self.folder, env, ahead=ahead, **more)

    @property
    def said(self) -> list[str]:
        return [line for line, _ in self.lines]


def on_loop(work: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await work()

    asyncio.run(main())


async def one_waits(pool: PythonPool) -> None:
    async with asyncio.timeout(30):
        while not pool.ready():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.02)


def test_a_command_finds_what_was_imported_and_else_a_fresh_python(tmp_path: Path) -> None:
    text = """
        import os, sys
        print("json" in sys.modules, "csv" in sys.modules, sys.argv, __name__, os.getcwd(), sys.path[0])
        print(os.environ["OUTPUT_DIR"], sys.stdin.read() == "", globals().get("left"))
        left = 1
        os.environ["LEFT"] = "1"
        print("LEFT" in os.environ)
        print(os.getpid())
    """
    place = Place(tmp_path)

    async def work() -> None:
        pids = set()
        for number in range(3):
            assert await place.run(text, ("csv",), env={"OUTPUT_DIR": f"/{number}"}) == 0
            first, second, _, pid = place.said
            begin = f"{number > 0} {number > 0} ['{tmp_path}/script-test.py', 'one'] __main__ "
            assert first == f"{begin}{tmp_path} {tmp_path}"
            assert second == f"/{number} True None"
            pids.add(pid)
            await one_waits(pool_of_loop())
        assert len(pids) == 3

    on_loop(work)


def test_what_was_imported_never_takes_the_place_of_the_tasks_own_modules(tmp_path: Path) -> None:
    place = Place(tmp_path)
    other = tmp_path / "other"
    other.mkdir()

    async def work() -> None:
        await place.run("import csv", ("csv", "colorsys"))
        await one_waits(pool_of_loop())
        (tmp_path / "csv.py").write_text("rows = 'mine'")
        assert await place.run("import csv; print(csv.rows)", ("csv",)) == 0
        assert place.said == ["mine"]
        (tmp_path / "csv.py").unlink()
        await one_waits(pool_of_loop())
        (other / "colorsys").mkdir()
        (other / "colorsys" / "__init__.py").write_text("rows = 'mine, too'")
        text = f"import sys; sys.path.insert(0, {str(other)!r}); import colorsys; print(colorsys.rows)"
        assert await place.run(text, folders=(str(other),)) == 0
        assert place.said == ["mine, too"]

    on_loop(work)


def test_a_module_that_has_changed_meanwhile_is_imported_anew(tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    module = library / "changing.py"
    module.write_text("value = 'old'")
    place = Place(tmp_path)
    env = {"PYTHONPATH": str(library), "PYTHONDONTWRITEBYTECODE": "1"}

    async def work() -> None:
        await place.run("", ("changing",), env=env)
        await one_waits(pool_of_loop())
        module.write_text("value = 'new'")
        os.utime(module, (time.time() + 5,) * 2)
        assert await place.run("import changing; print(changing.value)", ("changing",), env=env) == 0
        assert place.said == ["new"]

    on_loop(work)


def test_another_environment_is_another_python(tmp_path: Path) -> None:
    place = Place(tmp_path)

    async def work() -> None:
        await place.run("")
        await one_waits(pool_of_loop())
        await place.run("import os, sys; print(os.environ['X'], 'csv' in sys.modules)", ("csv",), env={"X": "1"})
        assert place.said == ["1 False"]

    on_loop(work)


def test_limits_begin_with_the_process(tmp_path: Path) -> None:
    place = Place(tmp_path)

    async def work() -> None:
        await place.run("")
        await one_waits(pool_of_loop())
        assert pool_of_loop().take(place.command("", memory=1 << 30)) is None
        assert pool_of_loop().take(place.command("", cpu_seconds=10)) is None

    on_loop(work)


def test_it_ends_as_python_does(tmp_path: Path) -> None:
    text = """
        import atexit, ctypes, sys, tempfile, threading, time
        atexit.register(print, "at exit")
        class Last:
            def __del__(self): print("gone")
        last = Last()
        last.itself = last
        file = open("left-open.txt", "w"); file.write("all of it")
        def late():
            time.sleep(0.2); print("thread")
        threading.Thread(target=late).start()
        ctypes.CDLL(None).printf(b"from C\\n")
        sys.exit(3)
    """
    place = Place(tmp_path)

    async def work() -> None:
        for _ in range(2):
            assert await place.run(text, ("ctypes",)) == 3
            assert sorted(place.said) == ["at exit", "from C", "gone", "thread"]
            assert (tmp_path / "left-open.txt").read_text() == "all of it"
            (tmp_path / "left-open.txt").unlink()
            await one_waits(pool_of_loop())
        assert await place.run("import sys; sys.exit('no data')") == 1
        assert place.lines == [("no data", True)]
        await one_waits(pool_of_loop())
        assert await place.run("1 / 0") == 1
        assert place.lines[-1] == ("ZeroDivisionError: division by zero", True)
        await one_waits(pool_of_loop())
        assert await place.run("import os; os.kill(os.getpid(), 11)") == -11

    on_loop(work)


def test_killing_it_takes_its_descendants_along(tmp_path: Path) -> None:
    text = """
        import subprocess, sys
        child = subprocess.Popen(["setsid", "sleep", "60"])
        print(child.pid, flush=True)
        child.wait()
    """
    place = Place(tmp_path)

    async def work() -> None:
        await place.run("")
        await one_waits(pool_of_loop())
        running = asyncio.create_task(place.run(text))
        async with asyncio.timeout(10):
            while not place.said:  # noqa: ASYNC110  # as above
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait([running])
        assert not psutil.pid_exists(int(place.said[0])) or psutil.Process(int(place.said[0])).status() == "zombie"

    on_loop(work)


def test_what_a_module_says_when_it_is_imported_is_not_the_commands_output(tmp_path: Path) -> None:
    place = Place(tmp_path)

    async def work() -> None:
        await place.run("", ("this",))
        await one_waits(pool_of_loop())
        await place.run("print('mine')", ("this",))
        assert place.said == ["mine"]

    on_loop(work)


def test_those_nobody_wants_end_and_all_end_with_the_loop(tmp_path: Path) -> None:
    place = Place(tmp_path)
    me = psutil.Process()

    async def idle() -> None:
        pool = PythonPool(idle_seconds=0.4)
        assert pool.take(place.command("")) is None
        await one_waits(pool)
        async with asyncio.timeout(10):
            while pool.count:  # noqa: ASYNC110  # as above
                await asyncio.sleep(0.05)
        await pool.close()

    async def full() -> None:
        pool = pool_of_loop()
        for _ in range(9):
            pool.take(place.command(""))
        async with asyncio.timeout(30):
            while pool.ready() < pool.size:  # noqa: ASYNC110  # as above
                await asyncio.sleep(0.05)
        await asyncio.sleep(0)
        assert pool.count == pool.size <= 6

    before = len(os.listdir("/proc/self/fd"))
    for work in (idle, full):
        on_loop(work)
        assert not [child for child in me.children() if "waiting.py" in " ".join(child.cmdline())]
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_one_that_has_died_is_not_handed_out(tmp_path: Path) -> None:
    place = Place(tmp_path)

    async def work() -> None:
        await place.run("")
        await one_waits(pool_of_loop())
        for child in psutil.Process().children():
            child.kill()
        async with asyncio.timeout(10):
            while any(child.status() != "zombie" for child in psutil.Process().children()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        assert await place.run("print('fine')") == 0

    on_loop(work)

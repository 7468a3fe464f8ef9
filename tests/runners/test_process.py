"""Commands run as processes, and end with everything they started."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest
from pydantic import ValidationError

from nbflow.errors import TaskFailedError
from nbflow.plugins import Command
from nbflow.runners.ending import MARK, descendants
from nbflow.runners.process import Process
from nbflow.testing import eventually


class Output:
    """Collects lines."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, bool]] = []
        self.came = asyncio.Event()

    async def __call__(self, line: str, is_error: bool) -> None:
        self.lines.append((line, is_error))
        self.came.set()


class QuickProcess(Process):
    """Waits less before it kills."""

    grace_seconds = 0.3


def sh(text: str, directory: Path, **limits: float) -> Command:
    return Command(["/bin/sh", "-c", text], directory, dict(os.environ), **limits)  # type: ignore[arg-type]


def run(command: Command, output: Output | None = None) -> int:
    async def main() -> int:
        return await Process().execute(command, output or Output())

    return asyncio.run(main())


def living(name: str) -> list[psutil.Process]:
    """Processes whose command line names this file."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and any(name in part for part in process.cmdline()):
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Path]:
    """A program that sleeps, with a name of its own to be found by; it never outlives its test."""
    program = tmp_path / f"sleeper-{os.getpid()}-{time.monotonic_ns()}.py"
    program.write_text("import time\ntime.sleep(600)\n")
    yield program
    for process in living(program.name):
        process.kill()


def test_status_and_output_come_back(tmp_path: Path) -> None:
    output = Output()
    assert run(sh("echo out; echo err >&2; exit 3", tmp_path), output) == 3
    assert sorted(output.lines) == [("err", True), ("out", False)]


def test_output_without_a_line_end_is_not_lost(tmp_path: Path) -> None:
    output = Output()
    run(sh("printf 'no end'", tmp_path), output)
    assert output.lines == [("no end", False)]


def test_a_signal_gives_a_negative_status(tmp_path: Path) -> None:
    assert run(sh("kill -9 $$", tmp_path)) == -9


def test_a_program_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(TaskFailedError, match=r"^`no-such-program` cannot be started: No such file or directory"):
        run(Command(["no-such-program"], tmp_path, dict(os.environ)))


def test_standard_input_is_empty(tmp_path: Path) -> None:
    assert run(sh("cat; exit 7", tmp_path)) == 7


def cancelled(command: Command, output: Output, lines: int = 1) -> None:
    """Run a command and cancel it once it has written so many lines."""

    async def main() -> None:
        task = asyncio.ensure_future(QuickProcess().execute(command, output))
        async with asyncio.timeout(20):
            while len(output.lines) < lines:
                output.came.clear()
                await output.came.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_cancelling_ends_grandchildren(tmp_path: Path, sleeper: Path) -> None:
    python = sys.executable
    output = Output()
    cancelled(sh(f"({python} {sleeper} & {python} {sleeper}) & echo started; wait", tmp_path), output)
    assert living(sleeper.name) == []
    assert ("started", False) in output.lines


def test_cancelling_ends_what_left_the_group_and_lost_its_parents(tmp_path: Path, sleeper: Path) -> None:
    daemon = f"""
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print("started", flush=True)
        os.execv(sys.executable, [sys.executable, {str(sleeper)!r}])
    os._exit(0)
os.wait()
import time; time.sleep(600)
"""
    cancelled(Command([sys.executable, "-c", daemon], tmp_path, dict(os.environ)), Output())
    assert living(sleeper.name) == []


def test_cancelling_kills_what_does_not_want_to_end(tmp_path: Path, sleeper: Path) -> None:
    stubborn = f"trap '' TERM; echo started; {sys.executable} {sleeper}; {sys.executable} {sleeper}"
    cancelled(sh(stubborn, tmp_path), Output())
    assert living(sleeper.name) == []


def test_what_a_script_says_as_it_ends_is_kept(tmp_path: Path) -> None:
    code = """
import signal, sys, time
def end(*_):
    print("cleaning up", flush=True)
    sys.exit(1)
signal.signal(signal.SIGTERM, end)
print("started", flush=True)
time.sleep(600)
"""
    output = Output()
    cancelled(Command([sys.executable, "-c", code], tmp_path, dict(os.environ)), output)
    assert output.lines == [("started", False), ("cleaning up", False)]


def test_what_a_script_leaves_running_ends_with_it(tmp_path: Path, sleeper: Path) -> None:
    start = time.monotonic()
    assert run(sh(f"{sys.executable} {sleeper} & echo done", tmp_path)) == 0
    assert time.monotonic() - start < 10
    assert living(sleeper.name) == []


def test_output_of_helpers_that_end_a_little_later_is_kept(tmp_path: Path) -> None:
    output = Output()
    run(sh("(sleep 0.2; echo late) & echo early", tmp_path), output)
    assert output.lines == [("early", False), ("late", False)]


def test_a_listener_that_fails_ends_the_command(tmp_path: Path, sleeper: Path) -> None:
    async def fail(line: str, is_error: bool) -> None:
        raise LookupError(line)

    with pytest.raises(LookupError, match="started"):
        asyncio.run(QuickProcess().execute(sh(f"echo started; {sys.executable} {sleeper}", tmp_path), fail))
    assert living(sleeper.name) == []


def test_memory_is_limited(tmp_path: Path) -> None:
    output = Output()
    command = Command(
        [sys.executable, "-c", "b = bytearray(2 * 1024**3)"], tmp_path, dict(os.environ), memory=512 * 1024**2
    )
    assert run(command, output) != 0
    assert ("MemoryError", True) in output.lines


def test_computing_time_is_limited(tmp_path: Path) -> None:
    command = Command([sys.executable, "-c", "while True: pass"], tmp_path, dict(os.environ), cpu_seconds=1)
    assert run(command) in (-9, -24)  # SIGKILL, or SIGXCPU before it


def test_much_output_is_flat_in_memory(tmp_path: Path) -> None:
    count = 0

    async def hear(line: str, is_error: bool) -> None:
        nonlocal count
        count += 1

    command = Command(
        [sys.executable, "-c", "import sys\nfor _ in range(200): sys.stdout.write(('x' * 99 + '\\n') * 1000)"],
        tmp_path,
        dict(os.environ),
    )
    tracemalloc.start()
    try:
        asyncio.run(Process().execute(command, hear))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 200_000
    assert peak < 5 * 1024**2, f"{peak} bytes for 20 MB of output"


def test_descendants_are_known_by_their_mark(tmp_path: Path, sleeper: Path) -> None:
    process = psutil.Popen([sys.executable, str(sleeper)], env={**os.environ, MARK: "this-one"}, start_new_session=True)
    try:
        assert eventually(lambda: descendants(999_999_999, "this-one")) == {process.pid}  # its environment comes late
        assert descendants(999_999_999, "another") == set()
    finally:
        process.kill()
        process.wait()


class Portions(Output):
    """Takes lines as they come together."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    async def many(self, lines: Sequence[str], is_error: bool) -> None:
        self.sizes.append(len(lines))
        self.lines += [(line, is_error) for line in lines]


def test_lines_that_come_together_are_handed_on_together(tmp_path: Path) -> None:
    output = Portions()
    assert run(sh("seq 20000; seq 3 >&2", tmp_path), output) == 0
    assert [line for line, is_error in output.lines if not is_error] == [str(number) for number in range(1, 20001)]
    assert [line for line, is_error in output.lines if is_error] == ["1", "2", "3"]
    assert len(output.sizes) < 200


class Slow(Output):
    """Takes long over its first line, as when the history is behind."""

    async def __call__(self, line: str, is_error: bool) -> None:
        if not self.lines:
            await asyncio.sleep(2.5)
        await super().__call__(line, is_error)


@pytest.mark.slow
def test_nothing_is_lost_when_the_reader_is_slower_than_the_command(tmp_path: Path) -> None:
    output = Slow()
    assert run(sh("seq 10000", tmp_path), output) == 0
    assert len(output.lines) == 10_000


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are enforced by Linux alone")
@pytest.mark.parametrize(
    ("command", "fits"),
    [
        (f"{sys.executable} -c 'b = bytearray(100 * 1024**2)'", True),
        (f"{sys.executable} -c 'b = bytearray(2 * 1024**3)'", False),
        ("node -e 'console.log(1)'", True),
        ("node -e 'const all = []; for (;;) all.push(Buffer.alloc(10_000_000, 1))'", False),
    ],
)
def test_a_runner_limits_memory(command: str, fits: bool, tmp_path: Path) -> None:
    if command.startswith("node") and shutil.which("node") is None:
        pytest.skip("Node.js is not installed")
    process = Process.model_validate({"memory": "512Mi"})
    status = asyncio.run(process.execute(sh(command, tmp_path), Output()))
    assert (status == 0) is fits


def test_a_runner_limits_the_time_of_its_processors(tmp_path: Path) -> None:
    process = Process.model_validate({"cpuTime": "PT1S", "memory": {"memory": "1GB"}})
    assert process.memory == 1024**3
    began = time.monotonic()
    status = asyncio.run(process.execute(sh("exec 2>&1; while :; do :; done", tmp_path), Output()))
    assert status == -signal.SIGXCPU
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("limits", [{"memory": "much"}, {"memory": 0}, {"cpuTime": "PT0S"}])
def test_limits_that_make_no_sense_are_refused(limits: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Process.model_validate(limits)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="descendants are found by /proc")
def test_daemons_with_a_session_of_their_own_end_too(tmp_path: Path) -> None:
    """Twice forked, in a session and group of its own, its parent gone: what is left is the mark it has inherited."""
    daemon = tmp_path / "daemon.py"
    daemon.write_text(
        "import os, sys, time\n"
        "if os.fork(): os._exit(0)\n"
        "os.setsid()\n"
        "if os.fork(): os._exit(0)\n"
        "print('up', flush=True)\n"
        "time.sleep(600)\n"
    )

    async def main() -> None:
        output = Output()
        work = asyncio.ensure_future(
            QuickProcess().execute(sh(f"{sys.executable} {daemon}; sleep 600", tmp_path), output)
        )
        await asyncio.wait_for(output.came.wait(), 10)
        work.cancel()
        await asyncio.wait([work])

    asyncio.run(main())
    assert living("daemon.py") == []

"""Python environments with a task's `dependencies`: built once, kept, found again by what is in them.

`~/.cache/nbflow/environments/<hash>` (or `$NBFLOW_CACHE/environments/<hash>`) is whole once it holds the file
`whole`; whoever builds one holds its lock, so that of several tasks, in one process or many, one builds and the
others wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import platform
import re
import shutil
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from nbflow.errors import TaskFailedError
from nbflow.plugins import Command, RunContext, TaskRunner
from nbflow.tasks.scripts.languages import base_environment

_WHOLE = "whole"
_PYTHON = "Scripts/python.exe" if os.name == "nt" else "bin/python"
_VERSION = re.compile(r"\d+\.\d+(\.\d+)?")
_SAY_VERSION = "import platform; print(platform.python_version())"
_LOOK_SECONDS = 0.1
_LINES_SHOWN = 5


async def environment_with(
    ctx: RunContext,
    runner: TaskRunner,
    dependencies: Sequence[str],
    python: str,
    *,
    uses_uv: bool = True,
    place: Path | None = None,
) -> str:
    """The interpreter of an environment that has these packages, built at a `place` of its own or kept for all.

    Raises: TaskFailedError when they cannot be had.
    """
    wanted = sorted({dependency.strip() for dependency in dependencies if dependency.strip()})
    home = place or _home() / _key(python, wanted)
    program = home / _PYTHON
    if (home / _WHOLE).exists():
        return str(program)
    async with _locked(home.with_suffix(".lock")):
        if not (home / _WHOLE).exists():
            ctx.log.info("installing %s", ", ".join(wanted))
            await asyncio.to_thread(shutil.rmtree, home, True)  # what somebody left half built
            await _build(ctx, runner, home, wanted, python, uses_uv)
            (home / _WHOLE).touch()
    return str(program)


async def python_of_version(ctx: RunContext, runner: TaskRunner, version: str) -> str:
    """An interpreter of a version, `3.12` or `3.12.1`. Raises: TaskFailedError when there is none.

    uv knows where it keeps Pythons of its own, and fetches one where it may.
    """
    if not _VERSION.fullmatch(version):
        raise TaskFailedError(f"`pythonVersion: {version}` is no version", hint="write it as 3.12 or 3.12.1")
    if f"{platform.python_version()}.".startswith(f"{version}."):
        return sys.executable
    environment = base_environment({}, sys.executable, stand_in=False)
    uv = shutil.which("uv", path=environment["PATH"])
    if uv:
        for step in ([uv, "python", "find", version], [uv, "python", "install", "--quiet", version]):
            status, said = await _said(ctx, runner, step, environment)
            if status == 0 and "find" in step and said:
                return said[-1]
        status, said = await _said(ctx, runner, [uv, "python", "find", version], environment)
        if status == 0 and said:
            return said[-1]
    found = shutil.which(f"python{'.'.join(version.split('.')[:2])}", path=environment["PATH"])
    if found:
        _, said = await _said(ctx, runner, [found, "-c", _SAY_VERSION], environment)
        if said and f"{said[0]}.".startswith(f"{version}."):
            return found
    raise TaskFailedError(f"Python {version} is not installed here", hint="install it, or uv, which can fetch it")


async def _said(
    ctx: RunContext, runner: TaskRunner, step: Sequence[str], environment: Mapping[str, str]
) -> tuple[int, list[str]]:
    """How a command ended, and its lines."""
    lines: list[str] = []

    async def keep(line: str, is_error: bool) -> None:
        if is_error:
            ctx.log.debug("%s", line)
        else:
            lines.append(line)

    return await runner.execute(Command(step, ctx.working_dir, environment), keep), lines


def _home() -> Path:
    own, cache = os.environ.get("NBFLOW_CACHE"), os.environ.get("XDG_CACHE_HOME")
    if own:
        return Path(own).expanduser().absolute() / "environments"
    return (Path(cache) if cache else Path.home() / ".cache") / "nbflow" / "environments"


def _key(python: str, wanted: Sequence[str]) -> str:
    """The same packages for the same interpreter; a local file counts as another one once it has changed."""
    parts = [os.path.realpath(python), sys.version if python == sys.executable else "", *wanted]
    for item in wanted:
        with contextlib.suppress(OSError):
            parts.append(str(os.stat(item).st_mtime_ns))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


async def _build(
    ctx: RunContext, runner: TaskRunner, home: Path, wanted: Sequence[str], python: str, uses_uv: bool
) -> None:
    program = home / _PYTHON
    environment = base_environment({}, python, stand_in=False)
    uv = shutil.which("uv", path=environment["PATH"]) if uses_uv else None
    if uv:
        steps = [
            [uv, "venv", "--quiet", "--python", python, str(home)],
            [uv, "pip", "install", "--quiet", "--python", str(program), *wanted],
        ]
    else:
        steps = [
            [python, "-m", "venv", str(home)],
            [str(program), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted],
        ]
    for step in steps:
        lines: list[str] = []

        async def keep(line: str, is_error: bool, lines: list[str] = lines) -> None:
            lines.append(line)
            ctx.log.debug("%s", line)

        status = await runner.execute(Command(step, home.parent, environment), keep)
        if status:
            said = "\n".join(lines[-_LINES_SHOWN:])
            raise TaskFailedError(
                f"the dependencies {', '.join(wanted)} cannot be installed:\n{said}", hint="check their names"
            )


@contextlib.asynccontextmanager
async def _locked(path: Path) -> AsyncIterator[None]:
    """Hold a lock that all processes of this machine share; it falls when its holder ends, however that is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        while not _try_lock(file):  # noqa: ASYNC110  # other processes hold it, too: nothing tells when it is free
            await asyncio.sleep(_LOOK_SECONDS)
        yield


def _try_lock(file: IO[bytes]) -> bool:
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

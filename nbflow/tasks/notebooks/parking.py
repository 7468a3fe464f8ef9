"""Kernels of notebooks that failed, kept to be looked at or to be resumed; what is known of each is in the home.

failed ─ park ─► home/kernels/ID/ (parked.json, notebook.ipynb, files) ─┬─ attach ─► jupyter console --existing …
                                                                       └─ ask_to_resume + restart ─► goes on, or anew
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from nbflow.errors import ConflictError, NotFoundError
from nbflow.nearest import did_you_mean
from nbflow.plugins import RunContext
from nbflow.plugins.kernels import KernelDiedError, Kernels, KernelStartError, WarmKernel
from nbflow.tasks.notebooks.execution import cells_to_run
from nbflow.tasks.notebooks.job import Job
from nbflow.tasks.notebooks.loading import Notebook, Place, read_notebook
from nbflow.types import JsonValue

_RECORD = "parked.json"
_NOTEBOOK = "notebook.ipynb"
_FILES = "files"
_MOVE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Parked:
    """A kernel that was kept: whose it was, the cell that failed, how it is reached, and until when it lives.

    `from_cell` and `edited` are what somebody asked for who wants it resumed: 0 stands for the first cell that is to
    be run by what has changed, "" for the notebook as the task finds it.
    """

    id: str
    namespace: str
    flow_id: str
    execution_id: str
    task_id: str
    task_run_id: str
    value: str | None
    cell: int
    cells: int
    pid: int
    connection_file: str
    until: str
    directory: str
    folder: str = ""
    vars: dict[str, JsonValue] | None = None
    from_cell: int | None = None
    edited: str = ""

    @property
    def is_alive(self) -> bool:
        """Whether the kernel still runs."""
        return _is_kernel(self.pid, self.connection_file)

    @property
    def command(self) -> str:
        """The command that opens a console on it."""
        return f"jupyter console --existing {self.connection_file}"

    @property
    def notebook(self) -> Path:
        """The notebook as it was when it failed; what is edited here is taken when it is resumed."""
        return Path(self.folder) / _NOTEBOOK


def parked_kernels(home: Path) -> list[Parked]:
    """All that are known in a home, those included that have ended since; the newest first."""
    found = [record for file in (home / "kernels").glob(f"*/{_RECORD}") if (record := _read(file)) is not None]
    return sorted(found, key=lambda record: record.until, reverse=True)


def find_parked(home: Path, kernel_id: str) -> Parked:
    """What is known of a kernel that was kept. Raises: NotFoundError."""
    known = {record.id: record for record in parked_kernels(home)}
    if kernel_id not in known:
        hint = did_you_mean(kernel_id, known) or (f"kept are {', '.join(known)}" if known else "no kernel is kept now")
        raise NotFoundError(f"there is no kept kernel `{kernel_id}`", hint=hint)
    return known[kernel_id]


def attach(home: Path, kernel_id: str) -> Parked:
    """A kept kernel that lives: its `command` opens a console on it. Raises: NotFoundError; ConflictError."""
    record = find_parked(home, kernel_id)
    if not record.is_alive:
        raise ConflictError(
            f"the kernel `{kernel_id}` has ended", hint=f"`%flow resume {kernel_id}` runs its notebook again"
        )
    return record


def ask_to_resume(home: Path, kernel_id: str, *, from_cell: int = 0, notebook: Path | None = None) -> Parked:
    """Say that a notebook is to go on in its kept kernel with the next attempt of its task.

    Restart its execution then: `engine.restart(record.execution_id)`. `from_cell` 0 means the cell that failed, or the
    first one that was edited; `notebook` is an edited copy. Raises: NotFoundError; ConflictError.
    """
    record = find_parked(home, kernel_id)
    if from_cell < 0 or from_cell > record.cells:
        raise ConflictError(f"there is no cell {from_cell}: the notebook has {record.cells}", hint="give 1 or more")
    if notebook is not None and not notebook.is_file():
        raise NotFoundError(f"there is no notebook {notebook}")
    asked = replace(record, from_cell=from_cell, edited=str(notebook.absolute()) if notebook is not None else "")
    _write(asked)
    return asked


def end_parked(home: Path, kernel_id: str) -> None:
    """End a kept kernel and forget it. Raises: NotFoundError."""
    _end(find_parked(home, kernel_id))


async def park(job: Job, kernel: WarmKernel, cell: int, limit: timedelta) -> str:
    """Keep the kernel of a job that failed, for a while; its id."""
    ctx, home = job.ctx, job.ctx.settings.home
    kernel_id = job.kernel_id or f"k{secrets.token_hex(3)}"
    folder = home / "kernels" / kernel_id
    until = ctx.now() + limit
    directory = await asyncio.to_thread(_fill, job, folder)
    if job.language == "python" and directory != job.place.directory:
        with contextlib.suppress(TimeoutError, KernelDiedError):  # a kernel that is busy stays where it is
            async with asyncio.timeout(_MOVE_SECONDS):
                await kernel.execute(f"__import__('os').chdir({str(directory)!r})", silent=True, store_history=False)
    scrubber = job.saver.scrubber()
    record = Parked(
        id=kernel_id,
        namespace=ctx.namespace,
        flow_id=ctx.flow_id,
        execution_id=ctx.execution_id,
        task_id=ctx.task_id,
        task_run_id=ctx.task_run_id,
        value=_value(ctx),
        cell=cell,
        cells=job.count,
        pid=kernel.pid,
        connection_file=str(kernel.connection_file),
        until=until.isoformat(),
        directory=str(directory),
        folder=str(folder),
        vars={name: value for name, value in job.shared.vars.items() if not scrubber.hides(value)},
    )
    for other in parked_kernels(home):
        is_same = (other.execution_id, other.task_id, other.value) == (
            record.execution_id,
            record.task_id,
            record.value,
        )
        if (is_same and other.id != kernel_id) or (not other.is_alive and _is_past(other, ctx.now())):
            await asyncio.to_thread(_end, other)
    await asyncio.to_thread(_write, record)
    kernel.park(limit)
    ctx.log.warning(
        "%s",
        f"the kernel is kept as `{kernel_id}` until {until:%H:%M} UTC: `%flow attach {kernel_id}` opens it, "
        f"`%flow resume {kernel_id}` goes on from cell {cell}",
    )
    return kernel_id


class Resume:
    """Somebody's wish that this attempt goes on in a kept kernel."""

    def __init__(self, record: Parked) -> None:
        self.record = record
        self.found = Place("", "", Path())
        """The notebook as the task finds it."""
        self.before = read_notebook(record.notebook.read_text(encoding="utf-8"))

    def place(self, found: Place) -> Place:
        """The notebook to go on with: an edited copy, the one in the folder if it was edited, else that of the task."""
        record, self.found = self.record, found
        text, is_python = found.text, found.is_python
        if record.edited:
            text, is_python = Path(record.edited).read_text(encoding="utf-8"), record.edited.endswith(".py")
        elif _texts(self.before) != self._texts_when_parked():
            text, is_python = json.dumps(self.before), False
        return Place(text, found.name, Path(record.directory), is_python)

    def gone(self) -> str:
        """Why it cannot go on, in words."""
        return f"the kept kernel `{self.record.id}` is gone (it was kept until {self.record.until[11:16]} UTC)"

    def forget(self) -> None:
        """Remove what is known of the kernel. Blocks."""
        _end(self.record)

    def take_over(self, job: Job) -> int:
        """Give a job what earlier cells put out, say what will be done, and return the cell to go on from."""
        old, new = self._before_cells(), cells_to_run(job.notebook)
        changed = [
            number
            for number in range(1, len(new) + 1)
            if number > len(old) or old[number - 1]["source"] != new[number - 1]["source"]
        ]
        record = self.record
        first = record.from_cell or min([record.cell, *changed])
        first = min(first, len(new))
        for number in range(1, min(first, len(old) + 1)):
            for part in ("outputs", "execution_count"):
                new[number - 1][part] = old[number - 1].get(part)
        job.shared.vars.update(record.vars or {})
        job.kernel_id = record.id
        job.forget = self.forget
        edited = " (edited)" if first in changed else ""
        kept = f"cells 1 to {first - 1} are not run again" if first > 2 else "cell 1 is not run again"
        job.ctx.log.info(
            "%s",
            f"goes on in the kept kernel `{record.id}` from cell {first} of {len(new)}{edited}"
            + (f"; {kept}" if first > 1 else ""),
        )
        stale = [number for number in changed if number < first]
        if stale:
            cells = ", ".join(map(str, stale))
            job.ctx.log.warning("%s", f"edited, but not run again: cell {cells}; the kernel holds what it did before")
        if first > record.cell:
            job.ctx.log.warning("%s", f"cell {record.cell}, which failed, is left out")
        return first

    def _before_cells(self) -> list[Notebook]:
        """The cells that were run, as they were then."""
        cells = cells_to_run(self.before)
        for cell, text in zip(cells, self._texts_when_parked(), strict=False):
            cell["source"] = text
        return cells

    def _texts_when_parked(self) -> list[str]:
        texts: list[str] = json.loads((Path(self.record.folder) / "sources.json").read_text(encoding="utf-8"))
        return texts


def take_resume(ctx: RunContext) -> Resume | None:
    """The wish that this attempt resumes a kernel, if there is one; it holds for this attempt alone. Blocks."""
    for record in parked_kernels(ctx.settings.home):
        is_mine = record.execution_id == ctx.execution_id and record.task_id == ctx.task_id
        if is_mine and record.value == _value(ctx) and record.from_cell is not None:
            _write(replace(record, from_cell=None, edited=""))
            with contextlib.suppress(OSError):
                return Resume(record)
    return None


@contextlib.asynccontextmanager
async def resumed(pool: Kernels, resume: Resume) -> AsyncIterator[WarmKernel | None]:
    """The kept kernel, to be used; None when it is gone."""
    async with contextlib.AsyncExitStack() as stack:
        kernel = None
        if resume.record.is_alive:
            with contextlib.suppress(KernelStartError, KernelDiedError):
                held = pool.attach(Path(resume.record.connection_file), resume.record.pid)
                kernel = await stack.enter_async_context(held)
        yield kernel


def _fill(job: Job, folder: Path) -> Path:
    """Put what is worth keeping into the folder of a kernel; the folder that it shall work in."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / _NOTEBOOK).write_text(job.saver.text(), encoding="utf-8")
    scrubber = job.saver.scrubber()
    texts = [scrubber.text(text) for text in _texts(job.notebook)]
    (folder / "sources.json").write_text(json.dumps(texts), encoding="utf-8")
    if job.place.directory.resolve() != job.ctx.working_dir.resolve():
        return job.place.directory
    shutil.copytree(job.ctx.working_dir, folder / _FILES, dirs_exist_ok=True, symlinks=True)
    return folder / _FILES


def _texts(notebook: Notebook) -> list[str]:
    return [cell["source"] for cell in cells_to_run(notebook)]


def _value(ctx: RunContext) -> str | None:
    run = ctx.variables.get("taskrun")
    value = run.get("value") if isinstance(run, dict) else None
    return None if value is None else str(value)


def _is_past(record: Parked, now: datetime) -> bool:
    return datetime.fromisoformat(record.until) < now


def _read(file: Path) -> Parked | None:
    try:
        return Parked(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _write(record: Parked) -> None:
    file = Path(record.folder) / _RECORD
    whole = file.with_suffix(f".{os.getpid()}")
    whole.write_text(json.dumps(asdict(record)), encoding="utf-8")
    whole.replace(file)


def _end(record: Parked) -> None:
    if record.is_alive:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(record.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    shutil.rmtree(record.folder, ignore_errors=True)


def _is_kernel(pid: int, connection_file: str) -> bool:
    """Whether a process is that kernel still, and not another one that was given its number."""
    if not Path(connection_file).is_file():
        return False
    try:
        return connection_file.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        pass
    if Path("/proc/self").exists():
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True

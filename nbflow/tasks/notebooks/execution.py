"""Runs the cells of a notebook in a kernel, one after another, and says how it ended.

cell begins ─► output streams to its log, memory is looked at ─► reply ─► next cell
   ├─► an exception ─► FAILED         ├─► the kernel is gone ─► FAILED, with what it said last
   └─► `nbflow.stop` ─► SUCCESS…      └─► longer than `cellTimeout` ─► interrupted, FAILED
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from nbflow.model.durations import format_duration
from nbflow.plugins import RunContext, State
from nbflow.plugins.kernels import KernelDiedError, WarmKernel
from nbflow.tasks.notebooks.loading import Notebook, tags_of
from nbflow.tasks.notebooks.outputs import CellOutputs, Shared
from nbflow.tasks.notebooks.parameters import INJECTED
from nbflow.tasks.notebooks.progress import CellRun, Times, titles_of
from nbflow.tasks.notebooks.saving import Saver
from nbflow.tasks.notebooks.scrubbing import ANSI

_LOOK_SECONDS = 0.25
_GRACE_SECONDS = 5.0
"""How long an interrupted cell may take to end."""
_SKIPPED = "skip-execution"
_MAY_RAISE = "raises-exception"
_SOURCE_LINES = 40
_TRACEBACK_LINES = 60


@dataclass(frozen=True, slots=True)
class Ending:
    """How a notebook ended: the state, what there is to say of it, and the number of the cell that it ended in."""

    state: State
    message: str = ""
    cell: int = 0
    is_alive: bool = True
    """Whether its kernel lives."""


@dataclass(slots=True)
class NotebookRun:
    """One run of a notebook's cells in one kernel."""

    ctx: RunContext
    kernel: WarmKernel
    notebook: Notebook
    shared: Shared
    saver: Saver
    times: Times
    cell_timeout: timedelta | None = None
    secret_code: str = field(default="", repr=False)
    """Code that is run silently before the cell with the parameters, and written nowhere."""

    @property
    def cells(self) -> list[Notebook]:
        """The cells that are run, the first is number 1."""
        return cells_to_run(self.notebook)

    async def run(self, first: int = 1) -> Ending:
        """Run the cells from one on. Raises: asyncio.CancelledError, when its cell has been shown as killed."""
        cells, titles = self.cells, titles_of(self.notebook["cells"])
        for number, cell in enumerate(cells, 1):
            if number < first:
                continue
            ahead = self.times.left(cells[number - 1 :])
            self.ctx.log.info("%s", f"cell {number}/{len(cells)}{ahead}")
            ending = await self._run_cell(cell, number, titles.get(cell["id"], ""))
            if ending is not None:
                return ending
        return Ending(State.SUCCESS)

    async def _run_cell(self, cell: Notebook, number: int, title: str) -> Ending | None:
        """Run one cell; how the notebook ended, or None when it goes on."""
        outputs = CellOutputs(cell, self.shared)
        run = CellRun(self.ctx, number, self.saver.scrubber().text(title))
        began = datetime.now(UTC).isoformat()
        run.begin()
        watch = _Watch(self, run, outputs)
        state = State.FAILED
        try:
            reply = await self._execute(cell, outputs, number)
            ending = self._judge(cell, number, outputs, reply)
            state = State.SUCCESS if ending is None else ending.state
            cell["execution_count"] = reply.get("execution_count")
        except KernelDiedError as died:
            outputs.settle()
            ending = Ending(
                State.FAILED, _obituary(died, number, run.memory, outputs.last_line), number, is_alive=False
            )
        except _TooLongError as late:
            ending = Ending(State.FAILED, str(late), number)
        except asyncio.CancelledError:
            state = State.KILLED
            raise
        finally:
            watch.stop()
            outputs.settle()
            run.note_memory(self.kernel.memory())
            run.say(outputs.taken_lines(), self.saver.scrubber())
            cell["metadata"]["execution"] = {
                "iopub.execute_input": began,
                "shell.execute_reply": datetime.now(UTC).isoformat(),
            }
            self.times.note(cell, run.end(state))
        self.saver.begin(self.shared.changed)
        await self.ctx.log.room()
        return ending

    async def _execute(
        self, cell: Notebook, outputs: CellOutputs, number: int
    ) -> Mapping[str, Any]:  # Any: a reply's JSON
        if self.secret_code and INJECTED in tags_of(cell):
            reply = await self.kernel.execute(self.secret_code, silent=True, store_history=False)
            if reply.get("status") != "ok":
                return reply
        source = cell["source"]
        if self.cell_timeout is None:
            return await self.kernel.execute(source, outputs.take)
        work = asyncio.ensure_future(self.kernel.execute(source, outputs.take))
        try:
            done, _ = await asyncio.wait([work], timeout=self.cell_timeout.total_seconds())
            if done:
                return work.result()
            await self.kernel.interrupt()  # it may say where it was
            done, _ = await asyncio.wait([work], timeout=_GRACE_SECONDS)
            limit = format_duration(self.cell_timeout)
            if done:
                work.result()
            raise _TooLongError(f"cell {number} was interrupted: it took longer than its `cellTimeout` of {limit}")
        finally:
            if not work.done():
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)

    def _judge(self, cell: Notebook, number: int, outputs: CellOutputs, reply: Mapping[str, Any]) -> Ending | None:
        if reply.get("status") == "ok":
            return None
        if outputs.stop is not None:
            message, state = outputs.stop
            return Ending(State(state), f"stopped: {message}" if message else "stopped", number)
        if _MAY_RAISE in tags_of(cell):
            return None
        name, text, traceback = outputs.error or (
            str(reply.get("ename", reply.get("status"))),
            str(reply.get("evalue", "")),
            [str(line) for line in reply.get("traceback", ())],
        )
        lines = ANSI.sub("", "\n".join(traceback)).splitlines()
        if len(lines) > _TRACEBACK_LINES:
            lines = [*lines[: _TRACEBACK_LINES // 2], "…", *lines[-_TRACEBACK_LINES // 2 :]]
        what = f"{name}: {text}" if text else name
        parts = [f"cell {number} failed: {what}", _numbered(cell["source"]), *lines]
        return Ending(State.FAILED, "\n".join(parts), number)


class _TooLongError(Exception):
    """A cell did not end in time."""


class _Watch:
    """Looks after a cell now and then while it runs: hands its lines to the log, and looks at the kernel's memory."""

    def __init__(self, run: NotebookRun, cell_run: CellRun, outputs: CellOutputs) -> None:
        self._run, self._cell_run, self._outputs = run, cell_run, outputs
        self._loop = asyncio.get_running_loop()
        self._handle = self._loop.call_later(_LOOK_SECONDS, self._look)

    def stop(self) -> None:
        self._handle.cancel()

    def _look(self) -> None:
        self._cell_run.note_memory(self._run.kernel.memory())
        self._cell_run.say(self._outputs.taken_lines(), self._run.saver.scrubber())
        self._handle = self._loop.call_later(_LOOK_SECONDS, self._look)


def cells_to_run(notebook: Notebook) -> list[Notebook]:
    """The code cells that hold something and are not tagged `skip-execution`."""
    return [
        cell
        for cell in notebook["cells"]
        if cell["cell_type"] == "code" and cell["source"].strip() and _SKIPPED not in tags_of(cell)
    ]


def _numbered(source: str) -> str:
    lines = source.splitlines()
    shown = [f"{number:4} | {line}" for number, line in enumerate(lines[:_SOURCE_LINES], 1)]
    return "\n".join([*shown, *(["     | …"] if len(lines) > _SOURCE_LINES else [])])


def _obituary(died: KernelDiedError, number: int, memory: int, last_line: str) -> str:
    """What is known of a kernel that died."""
    how = f"with exit status {died.status}"
    if died.status < 0:
        names = {int(each): each.name for each in signal.Signals}
        how = f"by {names.get(-died.status, f'signal {-died.status}')}"
    if died.status == -getattr(signal, "SIGKILL", 9):
        how += ", as the system ends what takes too much memory"
    parts = [f"the kernel died {how} in cell {number}"]
    if memory:
        parts[0] += f"; it held {memory / 2**20:,.0f} MiB"
    if last_line:
        parts.append(f"last output: {last_line}")
    return "\n".join([*parts, died.said]) if died.said else "\n".join(parts)

"""What the tasks that run a cell share: values in from earlier tasks, values out through the internal storage."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, model_validator

from nbflow.plugins import Ahead, Command, Dynamic, RunContext, RunnableTask, TaskRunner, Text
from nbflow.tasks.cells.ahead import WATCHED, learn, wanted
from nbflow.tasks.scripts.command_line import CommandLine
from nbflow.tasks.scripts.python import PythonTask
from nbflow.types import JsonValue

_STORED = ("kestra:///", "nbflow:///")
_PARTS = ("displays.py", "frames.py")
"""Modules that `child.py` loads from files when it needs them."""

_INPUT = re.compile(r"/executions/[^/]+/inputs/")


class CellOutput(RunnableTask.Output):
    """What a cell leaves behind."""

    vars: dict[str, JsonValue] = Field(
        default_factory=dict, description="Name → value: a plain one itself, anything else as the URI of its file."
    )
    values: dict[str, str] = Field(default_factory=dict, description="Name → type, shape and size of what it is.")
    output_files: dict[str, str] | None = Field(
        default=None, description="Name → URI of further stored files: `outputFiles`, and what it put into OUTPUT_DIR."
    )
    display: list[dict[str, str]] | None = Field(
        default=None,
        description="What it showed besides text, in order: `mime` and `uri` of figures, tables and the like.",
    )


class CellTask(PythonTask):
    """Runs a cell in a process of its own, which starts with nothing but its preamble and its values."""

    Output: ClassVar[type[CellOutput]] = CellOutput  # type: ignore[assignment]  # less than what a script leaves
    written_in: ClassVar[str] = "python"
    libraries: ClassVar[tuple[str, ...]] = ()
    """What such a cell needs, whatever it is."""

    in_: dict[str, JsonValue] | Text = Field(
        default_factory=dict,
        description="Values to start with: name → value, most often `{{ outputs.task.vars.name }}` of an earlier cell.",
    )
    out: list[Text] = Field(
        default_factory=list, description="Names whose values to hand on; one with `?` behind it may be missing."
    )
    preamble: Text | None = Field(
        default=None, description="Imports, functions and constants of other cells that this one needs."
    )
    directory: Dynamic[Text] | None = Field(
        default=None,
        description="Folder that relative paths start from, and imports find modules in; seen from where nbflow runs. "
        "Unless said, the working directory of the task.",
    )
    warning_on_std_err: Dynamic[bool] = Field(
        default=False, description="End in WARNING when it wrote to standard error, as libraries do that warn."
    )

    @model_validator(mode="after")
    def _is_a_cell(self) -> Self:
        if self.script is None or self.commands is not None:
            raise ValueError("a cell has a `script`, and no `commands`")
        return self

    async def run(self, ctx: RunContext) -> CellOutput:  # type: ignore[override]  # as above
        place = self._place(ctx)
        await asyncio.to_thread(place.mkdir, exist_ok=True)
        try:
            done = await super().run(ctx)
            report = json.loads(await asyncio.to_thread((place / "report.json").read_text, encoding="utf-8"))
        finally:
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
        output = CellOutput(vars=dict(done.vars))
        files = dict(done.output_files)
        shown = [{"mime": one["mime"], "uri": files.pop(one["file"])} for one in report["display"]]
        output.display = shown or None
        learn(ctx, report["loaded"])
        for name, entry in report["values"].items():
            if "file" in entry:
                output.vars[name] = uri = files.pop(entry["file"])
                size = await asyncio.to_thread(ctx.storage.size, uri)
            else:
                output.vars[name] = entry["value"]
                size = entry["size"]
            output.values[name] = describe(entry, size)
            ctx.metric("value.size", size, type="gauge", tags={"name": name})
            ctx.log.info("out: %s, %s", name, output.values[name])
            if "note" in entry:
                ctx.log.warning("%s was pickled: %s", name, entry["note"])
        output.output_files = files or None
        return output.ending_in(done._final_state)

    async def _command(self, ctx: RunContext, place: object, runner: TaskRunner) -> Command:
        await asyncio.to_thread(self._write_request, ctx, runner)
        command = await super()._command(ctx, place, runner)  # type: ignore[arg-type]  # the base's private record
        if not runner.runs_here or self._interpreter() or self.before_commands:
            return command
        texts = [self.preamble or "", self.script or ""]
        modules, follow = await asyncio.to_thread(wanted, ctx, texts, self.libraries)
        return replace(command, ahead=Ahead(modules, self._folders(), follow))

    def _arguments(self, ctx: RunContext, place: object, program: list[str], before: list[str]) -> list[str]:
        def write(text: str, suffix: str) -> Path:
            return self._write(ctx, place, text, suffix)  # type: ignore[arg-type]  # as above

        names: Mapping[str, object] = place.names  # type: ignore[attr-defined]  # as above
        before = [*before, *(ctx.render(line, names) for line in self.before_commands)]
        line = CommandLine(self.language, self._interpreter(), self.fail_fast, write)
        source = files("nbflow.tasks.cells").joinpath("child.py").read_text(encoding="utf-8")
        return line.of_script(source, program, before, [str(self._place(ctx) / "request.json")], ".py")

    def _place(self, ctx: RunContext) -> Path:
        return ctx.working_dir / f".nbflow-cell-{ctx.task_run_id}"

    def _write_request(self, ctx: RunContext, runner: TaskRunner) -> None:
        place = self._place(ctx)
        parts = Path(__file__).parent
        if not runner.runs_here:  # a container sees the working directory alone
            for name in _PARTS:
                shutil.copyfile(parts / name, place / name)
            parts = place
        request = {
            "name": ctx.task_id,
            "type": self.written_in,
            "preamble": ctx.render(self.preamble or ""),
            "code": self._code(ctx),
            "in": self._values(ctx, runner),
            "out": [ctx.render(name) for name in self.out],
            "result": self._result(ctx),
            "directory": next(iter(self._folders()), ""),
            "target": str(ctx.working_dir / f".nbflow-out-{ctx.task_run_id}"),
            "parts": str(parts),
            "watched": WATCHED,
            "report": str(place / "report.json"),
        }
        (place / "request.json").write_text(json.dumps(request), encoding="utf-8")

    def _folders(self) -> list[str]:
        return [str(Path(self.directory).expanduser().absolute())] if self.directory else []

    def _code(self, ctx: RunContext) -> str:
        return ctx.render(self.script or "")

    def _result(self, ctx: RunContext) -> str:
        return ""

    def _values(self, ctx: RunContext, runner: TaskRunner) -> dict[str, dict[str, object]]:
        """The values it takes: themselves, or the local file that holds one."""
        given = ctx.render_value(self.in_)
        if isinstance(given, str):
            given = json.loads(given)
        values: dict[str, dict[str, object]] = {}
        for name, value in dict(given).items() if isinstance(given, Mapping) else ():
            if not (isinstance(value, str) and value.startswith(_STORED)):
                values[str(name)] = {"value": value}
                continue
            path = ctx.file(value)
            if _INPUT.search(value) and runner.runs_here:  # a FILE of the flow: the cell reads it itself
                values[str(name)] = {"value": str(path)}
                continue
            size = path.stat().st_size
            if not runner.runs_here:
                path = Path(shutil.copyfile(path, self._place(ctx) / f"{name}-{path.name}"))
            values[str(name)] = {"file": str(path)}
            ctx.log.info("in: %s, %s", name, size_text(size))
        return values


def describe(entry: Mapping[str, object], size: int) -> str:
    """How a value was handed on: `pandas.DataFrame 3 × 2, 1.9 kB of Parquet`."""
    shape = entry.get("shape")
    extent = " " + " × ".join(str(length) for length in shape) if isinstance(shape, list) and shape else ""
    file = str(entry.get("file", ""))
    ways = {"parquet": "Parquet", "json": "JSON", "npy": "NumPy's format", "pickle": "pickle"}
    way = ways.get(file.rpartition(".")[2], "JSON")
    return f"{entry['type']}{extent}, {size_text(size)} of {way}"


def size_text(size: int) -> str:
    """Bytes in words: `1.9 kB`."""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            break
        amount /= 1000
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"

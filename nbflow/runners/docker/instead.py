"""Runs as a process what was meant for a container, and says which of the image's contents were missing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import PrivateAttr

from nbflow.plugins import Command, RunContext
from nbflow.plugins.runner import OnLine, TakesLines
from nbflow.runners.process import Process

_MODULE = re.compile(r"(?:ModuleNotFoundError: )?No module named '?([\w.]+)'?|Cannot find module '([^']+)'")
_PROGRAM = re.compile(r"(?:^|: )([\w./+-]+): (?:command )?not found$")
_PIP_NAMES = {
    "sklearn": "scikit-learn",
    "cv2": "opencv-python",
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "yaml": "pyyaml",
}


class Instead(Process):
    """The process that stands in for a container of an image."""

    _ctx: RunContext | None = PrivateAttr(default=None)
    _image: str = PrivateAttr(default="")

    def of(self, ctx: RunContext, image: str | None) -> Instead:
        """This runner, for one task run."""
        self._ctx, self._image = ctx, image or ""
        return self

    async def execute(self, command: Command, on_line: OnLine) -> int:
        """Run it; when it fails for want of a module or a program, a warning says where they would have been."""
        listener = _Listener(on_line)
        status = await super().execute(command, listener)
        if status and self._ctx is not None and listener.missing:
            kind, name = listener.missing
            self._ctx.log.warning("%s", _advice(kind, name, self._image))
        return status


class _Listener:
    """Hands lines on, and keeps in mind what was missing."""

    def __init__(self, on_line: OnLine) -> None:
        self._on_line = on_line
        self.missing: tuple[str, str] | None = None

    async def __call__(self, line: str, is_error: bool) -> None:
        await self.many([line], is_error)

    async def many(self, lines: Sequence[str], is_error: bool) -> None:
        if is_error:
            for line in lines:
                self.missing = _missing(line) or self.missing
        if isinstance(self._on_line, TakesLines):
            await self._on_line.many(lines, is_error)
        else:
            for line in lines:
                await self._on_line(line, is_error)


def _missing(line: str) -> tuple[str, str] | None:
    """The module or the program that an interpreter or a shell did not find."""
    if len(line) > 500:
        return None
    module = _MODULE.search(line)
    if module is not None:
        return "module", next(name for name in module.groups() if name)
    program = _PROGRAM.search(line.strip())
    return ("program", program[1]) if program is not None else None


def _advice(kind: str, name: str, image: str) -> str:
    whose = f"the image {image}" if image else "the image"
    if kind == "module":
        first = name.partition(".")[0]
        package = _PIP_NAMES.get(first, first)
        return (
            f"the module `{name}` is not installed here; {whose} may have had it: add `{package}` to the task's "
            "`dependencies`, or start a Docker engine"
        )
    return f"there is no program `{name}` here; {whose} may have had it: install it, or start a Docker engine"

"""Saves a notebook while it runs: into the internal storage after each cell, whole or not at all, without its secrets.

cell ends ─► a copy of its state ─► (in a thread) scrubbed, written to the working directory, stored under one URI
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from pathlib import Path

from nbflow.plugins import RunContext
from nbflow.tasks.notebooks.loading import Notebook
from nbflow.tasks.notebooks.scrubbing import Scrubber
from nbflow.types import JsonValue

_APART_SECONDS = 0.5
"""Saves are at least so far apart, and the first is so late: a notebook that is quick is saved once."""


class Saver:
    """Writes one notebook again and again. Saves never overlap: one that is asked for meanwhile comes after."""

    def __init__(self, ctx: RunContext, notebook: Notebook, name: str) -> None:
        self._ctx = ctx
        self._notebook = notebook
        self._scrubber = Scrubber(())
        self._hidden: frozenset[str] = frozenset()
        self._cells: dict[str, str] = {}
        self._under_way: asyncio.Task[None] | None = None
        self._is_wanted = False
        self._is_last = asyncio.Event()
        self._next = time.monotonic() + _APART_SECONDS
        self.name = f"{self.scrubber().text(name)}.ipynb"
        self.uri = ""

    def scrubber(self) -> Scrubber:
        """Hides what is secret by now."""
        hidden = frozenset(self._ctx.hidden)
        if hidden != self._hidden:
            self._hidden, self._scrubber = hidden, Scrubber(hidden)
            self._cells.clear()
        return self._scrubber

    def begin(self, changed: set[str]) -> None:
        """Save soon, and go on meanwhile; `changed` are the ids of cells that are not as they were."""
        for identity in changed:
            self._cells.pop(identity, None)
        changed.clear()
        self._is_wanted = True
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._save())

    async def finish(self) -> str:
        """Save as it is now; the URI."""
        self._is_wanted = False
        self._is_last.set()
        if self._under_way is not None:
            await asyncio.gather(self._under_way, return_exceptions=True)
        self.uri = await asyncio.to_thread(self._store, self.text())
        return self.uri

    def text(self) -> str:
        """The whole notebook as it is now, as text."""
        scrubber = self.scrubber()
        cells = [scrubber.cell(cell) for cell in self._notebook["cells"]]
        rest = scrubber.value({key: value for key, value in self._notebook.items() if key != "cells"})
        assert isinstance(rest, dict)
        return json.dumps({"cells": cells, **rest}, indent=1, ensure_ascii=False) + "\n"

    async def _save(self) -> None:
        while self._is_wanted and not await self._is_over(self._next - time.monotonic()):
            self._is_wanted = False
            self._next = time.monotonic() + _APART_SECONDS
            scrubber = self.scrubber()
            cells = [(cell["id"], _copied(cell)) for cell in self._notebook["cells"]]
            rest: Notebook = {**self._notebook, "cells": []}
            self.uri = await asyncio.to_thread(self._write, scrubber, cells, rest, self._cells)

    async def _is_over(self, seconds: float) -> bool:
        """Whether the notebook has ended before so many seconds have passed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0)):
                await self._is_last.wait()
        return self._is_last.is_set()

    def _write(
        self, scrubber: Scrubber, cells: list[tuple[str, Notebook]], rest: Notebook, known: dict[str, str]
    ) -> str:
        texts = []
        for identity, cell in cells:
            text = known.get(identity)
            if text is None:
                text = _dumped(scrubber.cell(cell))
                if cell["cell_type"] != "code" or cell.get("execution_count") is not None:
                    known[identity] = text  # it has run: it stays as it is
            texts.append(text)
        others = _dumped(scrubber.value({key: value for key, value in rest.items() if key != "cells"}))
        return self._store('{"cells": [' + ",\n".join(texts) + "],\n" + others[1:])

    def _store(self, text: str) -> str:
        return self._ctx.store_bytes(text.encode("utf-8", "replace"), self.name)


def to_html(text: str, name: str) -> str:
    """A notebook's text as a page. Blocks for a second or so."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of nbconvert's own parts
        import nbformat
        from nbconvert.exporters import HTMLExporter

        notebook = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
        exporter = HTMLExporter()  # type: ignore[no-untyped-call]
        page, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": Path(name).stem}})
    return str(page)


def _dumped(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)


def _copied(cell: Notebook) -> Notebook:
    """A cell as it is now: the kernel goes on while it is written."""
    return {**cell, "outputs": list(cell["outputs"])} if "outputs" in cell else dict(cell)

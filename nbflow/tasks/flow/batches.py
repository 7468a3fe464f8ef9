"""Splitting a stored file into batches: so many items, so many bytes, or so many batches. No file is read whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated, BinaryIO
from urllib.parse import urlsplit

from pydantic import Field, PositiveInt

from nbflow.plugins import Dynamic, Model, RunContext, Text
from nbflow.tasks.scripts.settings import Size

_PORTION = 1 << 20
_SUFFIX = re.compile(r"\.\w{1,20}", re.ASCII)


_Size = Annotated[Size, Field(gt=0)]
_Separator = Annotated[Text, Field(min_length=1)]


class Batch(Model):
    """How a file is split: by `bytes` when they are given, else into `partitions`, else by `rows`."""

    rows: Dynamic[PositiveInt] = Field(default=1, description="Items in a batch.")
    partitions: Dynamic[PositiveInt] | None = Field(
        default=None, description="Number of batches; the items are dealt out to them in turn."
    )
    bytes: Dynamic[_Size] | None = Field(
        default=None, description="Size after which a batch is full, such as 10MB; no item is cut."
    )
    separator: Dynamic[_Separator] = Field(default="\n", description="What ends an item.")


class Splitter:
    """Stores the batches of a file, one each time it is asked; every item ends in the separator there."""

    def __init__(self, ctx: RunContext, uri: str, batch: Batch) -> None:
        suffix = PurePosixPath(urlsplit(uri).path).suffix
        self.suffix = suffix if _SUFFIX.fullmatch(suffix) else ""
        self.count = 0
        self._ctx = ctx
        self._batch = batch
        self._uri = uri
        self._files: Iterator[Path] | None = None
        self._scratch = f".nbflow-batches-{ctx.task_run_id}"  # the directory may be one that others work in as well
        self._list = ctx.path(f"{self._scratch}.txt")
        self._list.write_bytes(b"")

    def store_next(self) -> bool:
        """Store one batch more; False when there is none."""
        if self._files is None:
            self._files = self._dealt_out() if self._by_partitions else self._filled()
        file = next(self._files, None)
        if file is None:
            return False
        uri = self._ctx.store_file(file, f"batches/{self.count}{self.suffix}")
        file.unlink()
        with self._list.open("a", encoding="utf-8") as lines:
            lines.write(f"{uri}\n")
        self.count += 1
        return True

    def store_list(self, name: str) -> str:
        """Store a file with the URIs of the batches; its URI."""
        return self._ctx.store_file(self._list, name)

    def take_list(self) -> list[str]:
        """The URIs of the batches; nothing is left behind in the working directory."""
        uris = self._list.read_text(encoding="utf-8").splitlines()
        self._list.unlink()
        return uris

    @property
    def _by_partitions(self) -> bool:
        return self._batch.bytes is None and self._batch.partitions is not None

    def _items(self) -> Iterator[bytes]:
        """The items, each with its separator."""
        separator = self._batch.separator.encode()
        with self._ctx.file(self._uri).open("rb") as file:
            for item in _items(file, separator):
                yield item + separator

    def _filled(self) -> Iterator[Path]:
        """Batches one after another, a new one as soon as one is full."""
        path = self._ctx.path(self._scratch)
        batch: BinaryIO | None = None
        size = rows = 0
        try:
            for item in self._items():
                if batch is None:
                    batch, size, rows = path.open("wb"), 0, 0
                batch.write(item)
                size, rows = size + len(item), rows + 1
                if rows >= self._batch.rows if self._batch.bytes is None else size >= self._batch.bytes:
                    batch.close()
                    batch = None
                    yield path
            if batch is not None:
                batch.close()
                yield path
        finally:
            if batch is not None:
                batch.close()

    def _dealt_out(self) -> Iterator[Path]:
        """A fixed number of batches, the items dealt out in turn; those that get none are left out."""
        count = self._batch.partitions or 1
        pending: dict[int, bytearray] = {}
        held = 0
        for number, item in enumerate(self._items()):
            pending.setdefault(number % count, bytearray()).extend(item)
            held += len(item)
            if held >= _PORTION:
                self._write(pending)
                held = 0
        self._write(pending)
        yield from (path for number in range(count) if (path := self._part(number)).exists())

    def _part(self, number: int) -> Path:
        return self._ctx.path(f"{self._scratch}-{number}")

    def _write(self, pending: dict[int, bytearray]) -> None:
        """Add to the batches what was held back for them: to open each for every item would be slow."""
        for number, items in pending.items():
            with self._part(number).open("ab") as batch:
                batch.write(items)
        pending.clear()


def _items(file: BinaryIO, separator: bytes) -> Iterator[bytes]:
    """The items of a file without the separators; what follows the last one is an item if it is not empty."""
    rest = b""
    while portion := file.read(_PORTION):
        *whole, rest = (rest + portion).split(separator)
        yield from whole
    if rest:
        yield rest

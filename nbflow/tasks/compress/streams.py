"""Compressed streams: how each format is opened, and bounds on what comes out of one."""

from __future__ import annotations

import importlib
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from nbflow.errors import MissingExtraError, TaskFailedError
from nbflow.tasks.stopping import Stop

_PORTION = 1 << 18


class Compression(StrEnum):
    """How a stream of bytes is compressed."""

    BROTLI = "BROTLI"
    BZIP2 = "BZIP2"
    DEFLATE = "DEFLATE"
    GZIP = "GZIP"
    LZ4FRAME = "LZ4FRAME"
    LZMA = "LZMA"
    XZ = "XZ"
    ZSTD = "ZSTD"


SUFFIXES = {
    Compression.BROTLI: ".br",
    Compression.BZIP2: ".bz2",
    Compression.DEFLATE: ".zz",
    Compression.GZIP: ".gz",
    Compression.LZ4FRAME: ".lz4",
    Compression.LZMA: ".lzma",
    Compression.XZ: ".xz",
    Compression.ZSTD: ".zst",
}


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int = -1, /) -> bytes: ...


@contextmanager
def compressing(path: Path, compression: Compression | None) -> Iterator[BinaryIO]:
    """A file to write to, compressed on its way. Raises: MissingExtraError."""
    with ExitStack() as stack:
        target = stack.enter_context(path.open("wb"))
        if compression is None:
            yield target
        elif compression in _INCREMENTAL:
            writer = _Writer(target, _INCREMENTAL[compression][0]())
            yield cast("BinaryIO", writer)
            writer.finish()
        else:
            yield stack.enter_context(_opened(compression, target, "wb"))


@contextmanager
def decompressing(path: Path, compression: Compression | None) -> Iterator[Readable]:
    """What is in a compressed file, to be read once. Raises: MissingExtraError; TaskFailedError for a broken file."""
    with ExitStack() as stack:
        source = stack.enter_context(path.open("rb"))
        if compression is None:
            yield source
            return
        try:
            if compression in _INCREMENTAL:
                yield _Reader(source, _INCREMENTAL[compression][1]())
            else:
                yield stack.enter_context(_opened(compression, source, "rb"))
        except _broken(compression) as cause:
            raise TaskFailedError(
                f"the file is not compressed with {compression}, or damaged: {cause}", hint="check `compression`"
            ) from cause


class Limit:
    """Bounds on what is unpacked: a small file can stand for terabytes."""

    def __init__(self, max_bytes: int, max_files: int) -> None:
        self._max_bytes = max_bytes
        self._max_files = max_files
        self.size = 0
        self.count = 0

    def file(self) -> None:
        """Count a file. Raises: TaskFailedError when there are too many."""
        self.count += 1
        if self.count > self._max_files:
            raise TaskFailedError(f"there are more than {self._max_files} files in it", hint="raise `maxFiles`")

    def copy(self, source: Readable, target: BinaryIO, stop: Stop) -> None:
        """Copy all that is left of a stream. Raises: TaskFailedError when it is too much."""
        while portion := source.read(_PORTION):
            stop.check()
            self.size += len(portion)
            if self.size > self._max_bytes:
                raise TaskFailedError(
                    f"unpacked, it is larger than {self._max_bytes} bytes",
                    hint="raise `maxSize`",
                )
            target.write(portion)


class _Writer:
    """A file that is compressed portion by portion."""

    def __init__(self, target: BinaryIO, codec: Any) -> None:  # Any: an object with `compress` and `flush`
        self._target = target
        self._codec = codec
        self._position = 0

    def write(self, content: bytes) -> int:
        self._target.write(self._codec.compress(content))
        self._position += len(content)
        return len(content)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        self._target.flush()

    def finish(self) -> None:
        self._target.write(self._codec.flush())


class _Reader:
    """What is in a stream that is decompressed portion by portion; a portion may be larger than was asked for."""

    def __init__(self, source: BinaryIO, codec: Any) -> None:  # Any: an object with `decompress` and `is_finished`
        self._source = source
        self._codec = codec
        self._kept = b""

    def read(self, size: int = -1, /) -> bytes:
        wanted = size if size >= 0 else _PORTION
        pieces = [self._kept]
        have = len(self._kept)
        while have < wanted or size < 0:
            piece = self._codec.read(self._source, _PORTION)
            if not piece:
                break
            pieces.append(piece)
            have += len(piece)
        content = b"".join(pieces)
        end = len(content) if size < 0 else size
        self._kept = content[end:]
        return content[:end]


class _Inflate:
    """Reads zlib streams without letting one portion grow beyond its bound."""

    def __init__(self) -> None:
        self._codec = zlib.decompressobj()

    def read(self, source: BinaryIO, size: int) -> bytes:
        while not self._codec.eof:
            piece = self._codec.decompress(self._codec.unconsumed_tail or source.read(size), size)
            if piece:
                return piece
            if not self._codec.unconsumed_tail and not self._codec.eof:
                more = source.read(size)
                if not more:
                    raise EOFError("it ends too early")
                piece = self._codec.decompress(more, size)
                if piece:
                    return piece
        return b""


class _Unbrotli:
    """Reads Brotli streams; a portion of it may grow, but not beyond what the format packs into one."""

    def __init__(self) -> None:
        self._codec = _library("brotli", "compress").Decompressor()

    def read(self, source: BinaryIO, size: int) -> bytes:
        while not self._codec.is_finished():
            if self._codec.can_accept_more_data():
                content = source.read(4096)
                is_over = not content
            else:
                content, is_over = b"", False
            piece: bytes = self._codec.process(content, output_buffer_limit=size)
            if piece:
                return piece
            if is_over and not self._codec.is_finished():
                raise EOFError("it ends too early")
        return b""


class _Brotli:
    def __init__(self) -> None:
        self._codec = _library("brotli", "compress").Compressor()

    def compress(self, content: bytes) -> bytes:
        return cast("bytes", self._codec.process(content))

    def flush(self) -> bytes:
        return cast("bytes", self._codec.finish())


_INCREMENTAL: dict[Compression, tuple[Any, Any]] = {  # Any: makers of codecs, which share no type
    Compression.DEFLATE: (zlib.compressobj, _Inflate),
    Compression.BROTLI: (_Brotli, _Unbrotli),
}


def _opened(compression: Compression, file: BinaryIO, mode: str) -> Any:  # Any: libraries type their files as they like
    if compression is Compression.GZIP:
        import gzip

        return gzip.GzipFile(filename="", fileobj=file, mode=cast("Any", mode))
    if compression is Compression.BZIP2:
        import bz2

        return bz2.BZ2File(file, cast("Any", mode))
    if compression in (Compression.XZ, Compression.LZMA):
        import lzma

        kind = lzma.FORMAT_XZ if compression is Compression.XZ else lzma.FORMAT_ALONE
        return lzma.LZMAFile(file, cast("Any", mode), format=kind if mode == "wb" else lzma.FORMAT_AUTO)
    if compression is Compression.ZSTD:
        return _zstd().open(file, mode)
    return _library("lz4.frame", "compress").open(file, mode)


def _broken(compression: Compression) -> tuple[type[Exception], ...]:
    """The errors that reading a damaged file ends with; TaskFailedError is none of them."""
    import lzma

    errors: list[type[Exception]] = [EOFError, zlib.error, lzma.LZMAError]
    if compression in (Compression.GZIP, Compression.BZIP2):
        errors.append(OSError)
    elif compression is Compression.ZSTD:
        errors.append(_zstd().ZstdError)
    elif compression is Compression.BROTLI:
        errors.append(_library("brotli", "compress").error)
    elif compression is Compression.LZ4FRAME:
        errors.append(RuntimeError)
    return tuple(errors)


def _zstd() -> Any:  # Any: Python's own from 3.14 on
    return _library("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd", "compress")


def _library(name: str, extra: str) -> Any:  # Any: a library without types
    try:
        return importlib.import_module(name)
    except ImportError as missing:
        package = name if name.startswith("backports") else name.partition(".")[0]
        raise MissingExtraError(
            f"this needs the package `{package}`", hint=f"pip install 'jupyter-nbflow[{extra}]'"
        ) from missing

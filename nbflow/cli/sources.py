"""Where flows come from on the command line: files, directories of them, standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from nbflow.cli.options import UsageError

SUFFIXES = (".yml", ".yaml")


def is_file_name(target: str) -> bool:
    """Whether a text means a file, not `namespace.id`."""
    return target == "-" or target.endswith(SUFFIXES) or "/" in target or "\\" in target or Path(target).is_file()


def read_source(path: str) -> str:
    """The text of a file, of standard input for `-`. Raises: UsageError."""
    try:
        content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return content.decode("utf-8")
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}") from None
    except OSError as cause:
        raise UsageError(f"{path} cannot be read: {cause.strerror}") from cause
    except UnicodeDecodeError as cause:
        raise UsageError(f"{path} is not UTF-8 text: {cause.reason} at byte {cause.start}") from cause


def find_sources(paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Name and text of each file; of a directory all YAML files below it, hidden ones left out. Raises: UsageError."""
    for path in paths:
        if path == "-" or not Path(path).is_dir():
            yield ("<stdin>" if path == "-" else path), read_source(path)
            continue
        found = [file for file in sorted(Path(path).rglob("*")) if file.suffix in SUFFIXES and file.is_file()]
        visible = [file for file in found if not any(part.startswith(".") for part in file.relative_to(path).parts)]
        if not visible:
            raise UsageError(f"there is no YAML file in {path}")
        for file in visible:
            yield str(file), read_source(str(file))

"""Writes what came from elsewhere into a directory, and never outside of it: names are not ours to trust."""

from __future__ import annotations

from pathlib import Path

from nbflow.cli.options import UsageError


def save_below(folder: Path, parts: tuple[str, ...], content: bytes) -> Path:
    """Write a file under these names, one a level; returns where it is. Raises: UsageError for what is no name."""
    for part in parts:
        if part in ("", ".", "..") or any(sign in part for sign in "/\\\0"):
            raise UsageError(f"{part!r} can be no name of a file: it is not written")
    target = folder.joinpath(*parts)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    except OSError as cause:
        raise UsageError(f"{target} cannot be written: {cause.strerror}") from cause
    return target

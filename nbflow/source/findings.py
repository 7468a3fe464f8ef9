"""Collects the problems of one flow and gives each its place in the text."""

from __future__ import annotations

from collections.abc import Sequence

from nbflow.errors import Problem
from nbflow.source.document import Document, Path, Place, format_path


class Findings:
    """The problems of a flow; knows values that came by plugin defaults or under an older name."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = list(document.problems)
        self._taken = {(problem.line, problem.column) for problem in document.problems}
        self._origins: dict[Path, Path | None] = {}
        self._copies: dict[int, int | Path] = {}
        self._kept: list[object] = []  # ids are only unique while their objects live

    def came_from(self, path: Path, origin: Path | None) -> None:
        """Say that what is found at `path` was written at `origin`; None when it is not in this text."""
        self._origins[path] = origin

    def stands_for(self, copy: object, path: Path) -> None:
        """Say that a dict or list made while loading stands for the value at `path`."""
        self._kept.append(copy)
        self._copies[id(copy)] = path

    def path_of(self, value: object) -> Path | None:
        """The path of a dict or list of the document, or of a copy that stands for one."""
        path = self._copies.get(id(value))
        if isinstance(path, tuple):
            return path
        return self.document.path_of(value)

    def error(
        self, path: Path, message: str, hint: str = "", *, at_key: bool = False, place: Place | None = None
    ) -> None:
        self._add(path, message, hint, "error", at_key, place)

    def error_at_run(self, path: Path, message: str, hint: str = "", *, place: Place | None = None) -> None:
        """Note what fails only when a run gets there."""
        self._add(path, message, hint, "error", False, place, at_run=True)

    def warning(
        self, path: Path, message: str, hint: str = "", *, at_key: bool = False, place: Place | None = None
    ) -> None:
        self._add(path, message, hint, "warning", at_key, place)

    def info(self, path: Path, message: str, hint: str = "", *, place: Place | None = None) -> None:
        self._add(path, message, hint, "info", False, place)

    def place_in(self, path: Path, line: int, column: int) -> Place:
        """Where line and column of the text at `path` stand."""
        written, _ = self._written(path)
        return self.document.position_in(written, line, column)

    @property
    def has_errors(self) -> bool:
        return any(problem.is_error for problem in self.problems)

    def in_order(self) -> list[Problem]:
        """All problems in the order of the text, each once."""
        return sorted(dict.fromkeys(self.problems), key=lambda problem: (problem.line, problem.column, problem.path))

    def _add(
        self,
        path: Path,
        message: str,
        hint: str,
        severity: str,
        at_key: bool,
        place: Place | None,
        at_run: bool = False,
    ) -> None:
        written, is_here = self._written(path)
        if place is None:
            place = self.document.key_position(written) if at_key and is_here else self.document.position(written)
        if (place.line, place.column) in self._taken:
            return  # what follows from a fault of the YAML at this very place is no news
        if not is_here:
            hint = (
                f"{hint}; it comes from defaults outside of the flow"
                if hint
                else ("it comes from defaults outside of the flow")
            )
        self.problems.append(
            Problem(
                message,
                place.line,
                place.column,
                format_path(written if is_here else path),
                hint,
                severity,
                place.length,
                at_run,
            )
        )

    def _written(self, path: Path) -> tuple[Path, bool]:
        """The path under which a value was written, and whether that is in this text."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._origins:
                origin = self._origins[path[:length]]
                if origin is None:
                    return path[: length - 1], False
                written, is_here = self._written(origin) if origin != path[:length] else (origin, True)
                return (*written, *path[length:]), is_here
        return path, True


def join(path: Sequence[str | int], *steps: str | int) -> Path:
    """A path with more steps at its end."""
    return (*path, *steps)

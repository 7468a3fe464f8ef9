"""What an execution put out, reached by name: attributes are opened, items are as they were put out.

    ex.outputs.extract.df            the object: a data frame, an array, a value
    ex.outputs.extract["df"]         the URI of its file, a `StoredFile` that can read it
    ex["extract"]["df"]              the object again; `ex["extract"].outputs` has the URI

Names that dictionaries use themselves (`items`, `values`, `get` …) are reached as items: `ex["items"]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from nbflow.engine.live.files import CannotOpenError, StoredFile, is_uri
from nbflow.engine.live.shown import as_html
from nbflow.errors import NotFoundError
from nbflow.model.execution import TaskRun
from nbflow.nearest import did_you_mean
from nbflow.plugins import FileStorage

Owns = Callable[[TaskRun, str], bool]
"""Whether nbflow itself wrote the pickle of a name that a task run handed on."""


@dataclass(frozen=True, slots=True)
class Reader:
    """What views need to open files."""

    files: FileStorage
    owns: Owns

    def of(self, run: TaskRun) -> View:
        """What a task run put out."""
        handed_on = run.outputs.get("vars")
        view = _view(run.outputs, self.files)
        if not isinstance(handed_on, Mapping):
            return view
        for name, value in handed_on.items():
            if is_uri(value) and str(value).endswith(".pickle") and self.owns(run, name):
                view["vars"][name] = StoredFile(str(value), self.files, is_own=True)
        return view


class View(dict[str, Any]):
    """Outputs: a dictionary whose attributes are its values opened, those of `vars` and `outputFiles` included."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return opened(self._find(name))
        except KeyError:
            pass
        if name == "df":
            return self._table()
        raise AttributeError(self._missing(name))

    def __dir__(self) -> Iterable[str]:
        return [*(name for name in self._names() if name.isidentifier()), "keys", "items", "get"]

    def _names(self) -> list[str]:
        handed_on = self.get("vars")
        return list(dict.fromkeys([*self, *(handed_on if isinstance(handed_on, dict) else ())]))

    def _find(self, name: str) -> Any:
        if name in self:
            return self[name]
        handed_on = self.get("vars")
        if isinstance(handed_on, dict) and name in handed_on:
            return handed_on[name]
        raise KeyError(name)

    def _table(self) -> Any:
        """The one table among the outputs, as `ex.outputs.query.df` wants it of a query."""
        from nbflow.engine.live.opening import library

        if is_uri(self.get("uri")):
            return self["uri"].df()
        for name in ("rows", "row"):
            value = self.get(name)
            if isinstance(value, list | dict):
                return library("pandas", "pandas").DataFrame(value if isinstance(value, list) else [value])
        found = [file for name in ("outputFiles", "vars") for file in _files_in(self.get(name)) if file.is_table]
        if len(found) == 1:
            return found[0].df()
        among = f"there are {len(found)} tables: {', '.join(file.name for file in found)}" if found else "there is none"
        raise CannotOpenError(
            f"there is no table to take for `df`; {among}", hint=f"there is {', '.join(self) or 'no output'}"
        )

    def _missing(self, name: str) -> str:
        known = self._names()
        return f"there is no output `{name}`; " + (
            did_you_mean(name, known) or f"there are {', '.join(known) or 'none'}"
        )

    def _repr_html_(self) -> str | None:
        """The figures and tables that a cell showed, if this is what one put out."""
        return as_html(self)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)


class Outputs(View):
    """The flow's outputs, as a dictionary; its attributes are these too, and the tasks by their ids."""

    def __init__(self, outputs: Mapping[str, Any], reader: Reader, runs: Callable[[], list[TaskRun]]) -> None:
        super().__init__(_view(outputs, reader.files))
        self._reader = reader
        self._runs = runs

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)

    def _names(self) -> list[str]:
        return list(dict.fromkeys([*self, *(run.task_id for run in self._runs())]))

    def _find(self, name: str) -> Any:
        if name in self:
            return self[name]
        by_id = {run.id: run for run in self._runs()}
        runs = [run for run in by_id.values() if run.task_id == name]
        if not runs:
            raise KeyError(name)
        found = View()
        for run in runs:
            values = _loop_values(run, by_id)
            if not values:
                found = self._reader.of(run)
                continue
            branch = found  # as expressions see it: the values of loops lead to the outputs of each round
            for value in values[:-1]:
                branch = branch.setdefault(value, View())
            branch[values[-1]] = self._reader.of(run)
        return found

    def _table(self) -> Any:
        raise AttributeError(self._missing("df"))


@dataclass(frozen=True, slots=True, eq=False)
class TaskResult(TaskRun):
    """A task run whose outputs are at hand: `ex["extract"]["df"]` is the object, `.outputs` what the history says."""

    _reader: Reader | None = field(default=None, repr=False)

    @classmethod
    def of(cls, run: TaskRun, reader: Reader) -> TaskResult:
        return cls(**{each.name: getattr(run, each.name) for each in fields(TaskRun)}, _reader=reader)

    def __getitem__(self, name: str) -> Any:
        view = self._view()
        try:
            return opened(view._find(name))
        except KeyError:
            if name == "df":
                return view._table()
            raise NotFoundError(f"the task `{self.task_id}` has no output `{name}`", hint=view._missing(name)) from None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TaskRun):
            return NotImplemented
        return all(getattr(self, each.name) == getattr(other, each.name) for each in fields(TaskRun))

    __hash__ = None  # type: ignore[assignment]  # as for every task run: its outputs are a dictionary

    def __repr__(self) -> str:
        return f"<TaskResult {self.task_id} {self.state}: {', '.join(self._view()._names()) or 'no outputs'}>"

    def _view(self) -> View:
        assert self._reader is not None
        return self._reader.of(self)

    def _ipython_key_completions_(self) -> list[str]:
        return self._view()._names()


def opened(value: Any) -> Any:
    """The object that a value stands for."""
    return value.value if isinstance(value, StoredFile) else value


def _view(outputs: Mapping[str, Any], files: FileStorage) -> View:
    return View({name: _live(value, files) for name, value in outputs.items()})


def _live(value: Any, files: FileStorage) -> Any:
    if isinstance(value, str):
        return StoredFile(value, files) if is_uri(value) else value
    if isinstance(value, Mapping):
        return _view(value, files)
    return [_live(item, files) for item in value] if isinstance(value, list) else value


def _files_in(value: Any) -> list[StoredFile]:
    return [file for file in value.values() if isinstance(file, StoredFile)] if isinstance(value, Mapping) else []


def _loop_values(run: TaskRun, by_id: Mapping[str, TaskRun]) -> list[str]:
    """The values of the loops around a task run, from the outside in."""
    values: list[str] = []
    around: TaskRun | None = run
    while around is not None:
        if around.value is not None:
            values.insert(0, around.value)
        around = by_id.get(around.parent_task_run_id or "")
    return values

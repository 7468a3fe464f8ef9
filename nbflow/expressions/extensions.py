"""Filters and functions that plugins and notebooks add to the language, beside its own."""

from __future__ import annotations

import functools
import inspect
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

from nbflow.errors import TemplateError
from nbflow.expressions.catalog import Definition, Function, define
from nbflow.expressions.installed import InstalledFunctions

FunctionT = TypeVar("FunctionT", bound=Callable[..., object])


class Source(Protocol):
    """Where more filters and functions come from: installed packages. Looked through when a name is not known."""

    def find(self, kind: str, name: str) -> Function | None:
        """A filter or function of this name, imported."""
        ...

    def names(self, kind: str) -> Iterable[str]:
        """The names there are."""
        ...


class Forgetful(Protocol):
    """What keeps something that a new filter or function makes stale."""

    def forget(self) -> None: ...


class Extensions:
    """What was added in this process, and what packages bring. Threads may share one."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._added: dict[tuple[str, str], Definition] = {}
        self._users: weakref.WeakSet[Forgetful] = weakref.WeakSet()
        self._lock = threading.Lock()

    def add(self, kind: str, name: str, function: Function) -> None:
        """Add a filter or function, in place of one of the same name that was added before."""
        definition = define(kind, name, _safe(function))
        with self._lock:
            self._added[kind, name] = definition
            users = list(self._users)
        for user in users:
            user.forget()

    def find(self, kind: str, name: str) -> Definition | None:
        """A filter or function that was added, or that a package brings."""
        found = self._added.get((kind, name))
        if found is None:
            function = self._source.find(kind, name)
            if function is not None:
                found = self._added.setdefault((kind, name), define(kind, name, _safe(function)))
        return found

    def names(self, kind: str) -> set[str]:
        """The names of all there are."""
        added = {name for of_kind, name in list(self._added) if of_kind == kind}
        return added.union(self._source.names(kind))

    def tell(self, user: Forgetful) -> None:
        """Let a user know of every change, as long as it lives."""
        with self._lock:
            self._users.add(user)


EXTENSIONS = Extensions(InstalledFunctions())
"""What the whole process shares."""


class Extended(Mapping[str, Definition]):
    """A table of the language with what was added behind it; names of the language itself always win."""

    def __init__(self, kind: str, own: Mapping[str, Definition], extensions: Extensions) -> None:
        self._kind = kind
        self._own = own
        self._extensions = extensions

    def __getitem__(self, name: str) -> Definition:
        found = self._own.get(name) or self._extensions.find(self._kind, name)
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        yield from self._own
        yield from sorted(self._extensions.names(self._kind) - self._own.keys())

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _safe(function: Function) -> Function:
    """A function of others, whose failures are the expression's, whatever they are."""

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:  # Any: what the function takes and gives is its own
        try:
            return function(*arguments, **named)
        except TemplateError:
            raise
        except Exception as failure:
            raise TemplateError(f"{type(failure).__name__}: {failure}") from failure

    return call


class Adder:
    """The decorator that adds filters, or functions."""

    def __init__(self, kind: str, own: Mapping[str, Definition]) -> None:
        self._kind = kind
        self._own = own

    def __call__(self, name: str) -> Callable[[FunctionT], FunctionT]:
        kind = self._kind
        if name in self._own:
            raise ValueError(f"the language has a {kind} `{name}`: choose another name")

        def add(function: FunctionT) -> FunctionT:
            if not inspect.isfunction(function):
                raise TypeError(f"a {kind} is a plain function, got {function!r}")
            EXTENSIONS.add(kind, name, function)
            return function

        return add

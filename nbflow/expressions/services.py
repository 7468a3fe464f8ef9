"""What functions of expressions need from the engine: secrets, stored values, files, logs, the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from nbflow.errors import TemplateError


class Services(Protocol):
    """What an engine offers to the expressions of one execution. Every method may raise `TemplateError`."""

    def kv(self, key: str, namespace: str | None = None, error_on_missing: bool = True) -> object:
        """The value stored under a key; None when there is none and `error_on_missing` is false."""
        ...

    def secret(self, key: str, namespace: str | None = None, subkey: str | None = None) -> str:
        """The secret of a name."""
        ...

    def read_file(self, uri: str) -> str:
        """The text of a file in the internal storage, or of a namespace file given by its path."""
        ...

    def file_size(self, uri: str) -> int:
        """The size of a file in bytes."""
        ...

    def file_exists(self, uri: str) -> bool:
        """Whether there is such a file."""
        ...

    def error_logs(self) -> list[dict[str, object]]:
        """Log entries of the failed task runs of this execution."""
        ...

    def fetch(self, uri: str, method: str = "GET", **options: object) -> object:
        """The body of an HTTP response, parsed when it is JSON."""
        ...

    def tasks_with_state(self, state: str) -> list[dict[str, object]]:
        """Task runs of this execution that are in a state."""
        ...


class NoServices:
    """Services where there are none: each refuses with a clear error."""

    def _refuse(self, name: str) -> TemplateError:
        return TemplateError(
            f"`{name}` is not available here", hint="it works in the expressions of a flow while the flow runs"
        )

    def kv(self, key: str, namespace: str | None = None, error_on_missing: bool = True) -> object:
        raise self._refuse("kv()")

    def secret(self, key: str, namespace: str | None = None, subkey: str | None = None) -> str:
        raise self._refuse("secret()")

    def read_file(self, uri: str) -> str:
        raise self._refuse("read()")

    def file_size(self, uri: str) -> int:
        raise self._refuse("fileSize()")

    def file_exists(self, uri: str) -> bool:
        raise self._refuse("fileExists()")

    def error_logs(self) -> list[dict[str, object]]:
        raise self._refuse("errorLogs()")

    def fetch(self, uri: str, method: str = "GET", **options: object) -> object:
        raise self._refuse("http()")

    def tasks_with_state(self, state: str) -> list[dict[str, object]]:
        raise self._refuse("tasksWithState()")


def variable_of(variables: Mapping[str, object], *path: str) -> object:
    """A nested variable, or None where a step is missing."""
    value: object = variables
    for step in path:
        if not isinstance(value, Mapping) or step not in value:
            return None
        value = value[step]
    return value

"""Every error that nbflow raises on purpose, in one tree.

An error says what is wrong (`message`), where (`where`) and how to mend it (`hint`). `code` is a stable
slug that programs may match on; a face maps the class to an exit status, an HTTP status or a cell message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a text: `line` and `column` count from 1; `path` is the property path, such as `tasks[2].retry`."""

    line: int = 0
    column: int = 0
    path: str = ""
    file: str = ""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line or "", self.column or "") if part != "")
        return "  ".join(part for part in (place, self.path) if part)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a text: what, where, and how to mend it.

    `severity` is `"error"` (the flow is refused), `"warning"` (it works, and may do something else than meant) or
    `"info"` (it works, and is worth knowing).
    `length` is the number of characters to underline from `column` on; 0 when it is not known. An error `at_run`, as
    a wrong expression is, shows only when a run gets there: such a flow may be deployed all the same.
    """

    message: str
    line: int = 1
    column: int = 1
    path: str = ""
    hint: str = ""
    severity: str = "error"
    length: int = 0
    at_run: bool = False

    @property
    def is_error(self) -> bool:
        return self.severity == "error"

    @property
    def is_warning(self) -> bool:
        return self.severity == "warning"

    def __str__(self) -> str:
        path = f"  {self.path}:" if self.path else ""
        mend = f" ({self.hint})" if self.hint else ""
        return f"{self.line}:{self.column}{path} {self.message}{mend}"


class NbflowError(Exception):
    """Root of all errors of nbflow.

    Survives `pickle`, so that it can cross from a worker process to the engine.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str = "", where: Location | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        place = str(self.where) if self.where else ""
        text = f"{place}: {self.message}" if place else self.message
        return f"{text} ({self.hint})" if self.hint else text

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(cls: type[NbflowError], args: tuple[object, ...], state: dict[str, object]) -> NbflowError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ProblemsError(NbflowError):
    """Several problems found at once; `.problems` lists them in the order of the text."""

    def __init__(self, message: str, problems: list[Problem], *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join([self.message, *(f"  {problem}" for problem in self.problems)])


class FlowValidationError(ProblemsError):
    """A flow is not valid; nothing was deployed."""

    code = "flow-invalid"


class InputError(ProblemsError):
    """Inputs of an execution are missing or not valid; nothing was started."""

    code = "inputs-invalid"


class TemplateError(NbflowError):
    """An expression could not be parsed or rendered.

    `text` is the whole text that holds the expression; `where` counts in it, or in the flow once its place is known.
    """

    code = "template"
    text: str = ""


class TemplateSyntaxError(TemplateError):
    """The text of an expression is not valid."""

    code = "template-syntax"


class UndefinedNameError(TemplateError):
    """An expression names something that does not exist."""

    code = "template-undefined"


class UnsafeTemplateError(TemplateError):
    """An expression reached for what the sandbox refuses, or went over a limit."""

    code = "template-unsafe"


class TaskFailedError(NbflowError):
    """A task did its work and the outcome is failure.

    `outputs` holds what the task produced before it failed (JSON values), such as an exit code.
    """

    code = "task-failed"

    def __init__(self, message: str, *, hint: str = "", outputs: dict[str, object] | None = None) -> None:
        super().__init__(message, hint=hint)
        self.outputs = outputs or {}


class TaskTimeoutError(TaskFailedError):
    """A task did not end within its `timeout`."""

    code = "task-timeout"


class PluginError(NbflowError):
    """Something is wrong with a plugin."""

    code = "plugin"


class UnknownTypeError(PluginError):
    """No plugin provides this type."""

    code = "type-unknown"


class MissingExtraError(PluginError):
    """A type needs a package that is not installed."""

    code = "extra-missing"


class NotFoundError(NbflowError):
    """What was asked for does not exist."""

    code = "not-found"


class FlowNotFoundError(NotFoundError):
    """There is no such flow, or no such revision of it."""

    code = "flow-not-found"


class ExecutionNotFoundError(NotFoundError):
    """There is no such execution."""

    code = "execution-not-found"


class StoredFileNotFoundError(NotFoundError):
    """There is no such file in the internal storage."""

    code = "file-not-found"


class ConflictError(NbflowError):
    """What was asked for does not go with the present state of things."""

    code = "conflict"


class BulkError(ProblemsError):
    """Something was asked of many executions, and some of them cannot do it; nothing was done."""

    code = "bulk"


class LeaseLostError(ConflictError):
    """Another engine owns this execution now."""

    code = "lease-lost"


class IllegalMoveError(ConflictError):
    """A state cannot follow another; `.history` lists the states so far."""

    code = "illegal-move"

    def __init__(self, message: str, *, history: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.history = history


class WaitTimeoutError(NbflowError):
    """An execution did not reach the state within the time the caller would wait; it goes on."""

    code = "wait-timeout"


class SettingsError(NbflowError):
    """The home or the settings cannot be used as they are."""

    code = "settings"


class StoreError(NbflowError):
    """The history could not be read or written; what was committed before is untouched."""

    code = "store"

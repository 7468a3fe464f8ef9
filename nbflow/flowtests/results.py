"""How tests ended: of each assertion what was expected and what was found, of each case its state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from nbflow.flowtests.suite import UNIT_TEST
from nbflow.model.execution import instant
from nbflow.types import JsonValue


class CaseState(StrEnum):
    """How a case, or a suite, ended."""

    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    ERROR = "ERROR"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True)
class Checked:
    """One operator of an assertion: what it expected and found, and where it is written."""

    operator: str
    expected: JsonValue
    actual: JsonValue
    is_success: bool
    subject: str = ""
    message: str = ""
    description: str = ""
    task_id: str | None = None
    line: int = 1
    column: int = 1

    def to_dict(self) -> dict[str, JsonValue]:
        """Kestra's `AssertionResult`, with the place."""
        return {
            "operator": self.operator,
            "expected": self.expected,
            "actual": self.actual,
            "isSuccess": self.is_success,
            "taskId": self.task_id,
            "description": self.description or None,
            "errorMessage": self.message or None,
            "value": self.subject or None,
            "line": self.line,
            "column": self.column,
        }


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one case ended. `errors` are why it could not be judged, `logs` the last lines of a run that went wrong."""

    id: str
    state: CaseState
    start: datetime
    end: datetime
    description: str = ""
    line: int = 1
    column: int = 1
    execution_id: str | None = None
    execution_state: str | None = None
    checked: Sequence[Checked] = ()
    errors: Sequence[str] = ()
    warnings: Sequence[str] = ()
    mocked: Sequence[str] = ()
    logs: Sequence[str] = ()

    @property
    def duration(self) -> timedelta:
        return self.end - self.start

    @property
    def failed(self) -> list[Checked]:
        """The assertions that do not hold."""
        return [one for one in self.checked if not one.is_success]

    def to_dict(self) -> dict[str, JsonValue]:
        """Kestra's `UnitTestResult`, with more."""
        return {
            "testId": self.id,
            "testType": UNIT_TEST,
            "description": self.description or None,
            "executionId": self.execution_id,
            "executionState": self.execution_state,
            "state": str(self.state),
            "duration": self.duration.total_seconds(),
            "line": self.line,
            "column": self.column,
            "assertionResults": [one.to_dict() for one in self.checked],
            "errors": [{"message": message} for message in self.errors],
            "warnings": list(self.warnings),
            "mocked": list(self.mocked),
            "logs": list(self.logs),
        }


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """How the cases of a suite ended; `origin` is where its flow is from."""

    id: str
    namespace: str
    flow_id: str
    file: str = ""
    origin: str = ""
    cases: Sequence[CaseResult] = field(default_factory=list)

    @property
    def state(self) -> CaseState:
        """The worst of its cases'."""
        states = {case.state for case in self.cases}
        for state in (CaseState.ERROR, CaseState.FAILED, CaseState.SUCCESS):
            if state in states:
                return state
        return CaseState.SKIPPED

    @property
    def is_failure(self) -> bool:
        return self.state in (CaseState.ERROR, CaseState.FAILED)

    def count(self, *states: CaseState) -> int:
        """How many cases ended in one of these states."""
        return sum(case.state in states for case in self.cases)

    def to_dict(self) -> dict[str, JsonValue]:
        """Kestra's `TestSuiteRunResult`, with more."""
        start, end = min(case.start for case in self.cases), max(case.end for case in self.cases)
        return {
            "id": self.id,
            "namespace": self.namespace,
            "flowId": self.flow_id,
            "file": self.file or None,
            "flow": self.origin,
            "state": str(self.state),
            "startDate": instant(start),
            "endDate": instant(end),
            "results": [case.to_dict() for case in self.cases],
        }

"""Text → suite: every problem of a suite at once, each with its place and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, cast

from pydantic import ValidationError

from nbflow.errors import Problem, ProblemsError, TemplateError
from nbflow.expressions import default_environment
from nbflow.flowtests.suite import CaseFixtures, Suite
from nbflow.model.base import yaml_name
from nbflow.model.dynamic import holds_expression
from nbflow.source import Document, read_document
from nbflow.source.document import Path, Place
from nbflow.source.findings import Findings
from nbflow.source.wording import findings as worded
from nbflow.types import JsonValue

_LEFT_OUT = ("tenantId", "deleted", "source", "updated")
"""Written by exports of Kestra."""
_LOOKS_SO = re.compile(r"^[\"']?testCases[\"']?\s*:", re.MULTILINE)
_PLAIN = {"id", "description", "type"}
"""Properties whose text is never rendered."""


class SuiteError(ProblemsError):
    """A test suite, or a flow that it needs, is not valid; nothing was run. `file` and `text` are what to mend."""

    code: ClassVar[str] = "suite-invalid"

    def __init__(
        self, message: str, problems: list[Problem], *, hint: str = "", file: str = "", text: str = ""
    ) -> None:
        super().__init__(message, problems, hint=hint)
        self.file = file
        self.text = text


@dataclass(frozen=True, slots=True)
class LoadedSuite:
    """A suite with where it stands: its file, the whole text of that, and the lines before it there."""

    suite: Suite
    document: Document
    file: str = ""
    whole: str = ""
    skipped: int = 0

    def place(self, path: Path, *, at_key: bool = False) -> Place:
        """Where something stands in the file."""
        found = self.document.key_position(path) if at_key else self.document.position(path)
        return replace(found, line=found.line + self.skipped)

    def refuse(self, problems: list[Problem]) -> SuiteError:
        """The error of problems that are placed in the suite's own document."""
        moved = [replace(problem, line=problem.line + self.skipped) for problem in problems]
        return _error(moved, self.file, self.whole)

    def findings(self) -> Findings:
        """Collects problems of the suite."""
        return Findings(self.document)


def is_suite(text: str) -> bool:
    """Whether a text is meant as a test suite, be it valid or not."""
    document = read_document(text)
    value = document.value
    if document.problems and _LOOKS_SO.search(text):
        return True
    return isinstance(value, dict) and ("testCases" in value or ("flowId" in value and "tasks" not in value))


def read_suite(
    text: str, *, file: str = "", whole: str = "", skipped: int = 0, of: tuple[str, str] | None = None
) -> LoadedSuite:
    """The suite that a text defines; `of` is the flow (namespace, id) of one that names none.

    Raises: SuiteError with every problem.
    """
    document = read_document(text)
    found = Findings(document)
    suite = _suite(document, found, of)
    if suite is not None:
        _check_names(suite, found)
    if isinstance(document.value, dict):
        _check_expressions(document.value, found)
    problems = [replace(problem, line=problem.line + skipped) for problem in found.in_order()]
    if suite is None or any(problem.is_error for problem in problems):
        raise _error(problems, file, whole or text)
    return LoadedSuite(suite, document, file, whole or text, skipped)


def _error(problems: list[Problem], file: str, text: str) -> SuiteError:
    count = sum(problem.is_error for problem in problems)
    message = f"the test suite is not valid: {count} problem{'' if count == 1 else 's'}"
    return SuiteError(message, problems, hint=problems[0].hint if problems else "", file=file, text=text)


def _suite(document: Document, found: Findings, of: tuple[str, str] | None) -> Suite | None:
    if not isinstance(document.value, dict):
        if not found.problems:
            found.error((), "a test suite is a mapping with `id`, `namespace`, `flowId` and `testCases`")
        return None
    raw = {name: value for name, value in document.value.items() if name not in _LEFT_OUT}
    if of is not None and not raw.get("flow") and not raw.get("flowId"):
        raw = {**raw, "namespace": of[0], "flowId": of[1]}
    suite = None
    try:
        suite = Suite.model_validate(raw)
    except ValidationError as refused:
        for finding in worded(refused.errors(), Suite, raw):
            found.error(finding.path, finding.message, finding.hint, at_key=finding.at_key)
    if not raw.get("flow"):
        for name, hint in (("namespace", "that of the flow"), ("flowId", "the id of the flow to test")):
            if not raw.get(name):
                found.error((name,), f"`{name}` is missing", f"add `{name}: …` ({hint}), or `flow: ./FILE.yaml`")
    return suite


def _check_names(suite: Suite, found: Findings) -> None:
    seen: set[str] = set()
    for number, case in enumerate(suite.test_cases):
        if case.id in seen:
            found.error(("testCases", number, "id"), f"there is a case `{case.id}` already", "give it another name")
        seen.add(case.id)
        _check_fixtures(case.fixtures, found, ("testCases", number, "fixtures"))
        for place, assertion in enumerate(case.assertions):
            for name in ("in_", "not_in"):
                expected = getattr(assertion, name)
                if name in assertion.asked and not isinstance(expected, list) and not holds_expression(expected):
                    spelled = yaml_name(name)
                    path: Path = ("testCases", number, "assertions", place, spelled)
                    found.error(path, f"`{spelled}` must be a list", "such as [200, 201]")


def _check_fixtures(fixtures: CaseFixtures, found: Findings, path: Path) -> None:
    taken: set[tuple[str, str | None]] = set()
    for place, fixture in enumerate(fixtures.tasks):
        key = (fixture.id, fixture.value)
        if key in taken:
            message = f"there is a fixture of `{fixture.id}` already"
            found.error((*path, "tasks", place, "id"), message, "merge the two, or name a `value`")
        taken.add(key)
    for name in fixtures.files:
        if name.startswith("/") or ".." in name.split("/") or not name.strip():
            hint = "one such as data/rows.csv"
            found.error((*path, "files", name), f"`{name}` is no name of a file", hint, at_key=True)


def _check_expressions(value: Mapping[str, JsonValue], found: Findings) -> None:
    """Note what is wrong with the syntax of expressions, and the filters and functions that there are not."""
    environment = default_environment()
    for path, text in _texts(cast("JsonValue", value), ()):
        try:
            inspection = environment.inspect(text)
        except TemplateError as refused:
            where = refused.where
            line, column = (where.line or 1, where.column or 1) if where is not None else (1, 1)
            found.error(path, refused.message, refused.hint, place=found.place_in(path, line, column))
            continue
        for call in inspection.calls:
            if call.problem:
                place = found.place_in(path, call.line, call.column)
                found.error(path, call.problem, call.hint, place=Place(place.line, place.column, len(call.name)))


def _texts(value: JsonValue, path: Path) -> Iterator[tuple[Path, str]]:
    """The texts that are rendered: not those of names, and not the content of files."""
    if isinstance(value, str):
        if holds_expression(value):
            yield path, value
    elif isinstance(value, dict):
        for name, item in value.items():
            if not (isinstance(item, str) and name in _PLAIN) and (name != "files" or "fixtures" not in path[-1:]):
                yield from _texts(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))

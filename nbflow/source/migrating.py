"""A flow's text in the present spellings: each older name is replaced where it stands, all else stays as it was."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from nbflow.errors import Problem
from nbflow.source.document import LINE_BREAK
from nbflow.source.loader import validate
from nbflow.source.parts import parts_of

_OLDER = re.compile(r"`([^`]+)` is an older (?:spelling|name)")
_WRITE = re.compile(r"write `([^`]+)`")
_MOST_ROUNDS = 5
"""A name that was replaced may show another one: a type that was older has properties that are older still."""


@dataclass(frozen=True, slots=True)
class Change:
    """One name that was replaced; `line` and `column` count from 1 in the text as it was."""

    line: int
    column: int
    path: str
    older: str
    newer: str


@dataclass(slots=True)
class Migration:
    """A text in the present spellings; `left` are older ones that must be replaced by hand, as their shape differs."""

    text: str
    changes: list[Change] = field(default_factory=list)
    left: list[Problem] = field(default_factory=list)


def migrate(text: str) -> Migration:
    """Replace the older names that the validator knows. What was valid stays valid: else nothing is changed."""
    whole = Migration(text)
    for _ in range(_MOST_ROUNDS):
        problems = _older_of(whole.text)
        edited, changes, left = _edit(whole.text, problems)
        if not changes:
            whole.left = left
            break
        whole.text, whole.left = edited, left
        whole.changes += changes
    if _errors(whole.text) > _errors(text):
        return Migration(text, left=_older_of(text))
    return whole


def _older_of(text: str) -> list[Problem]:
    found = [part.in_whole(problem) for part in parts_of(text) for problem in validate(part.text)]
    return [problem for problem in found if problem.is_warning and _OLDER.search(problem.message)]


def _errors(text: str) -> int:
    return sum(problem.is_error for part in parts_of(text) for problem in validate(part.text))


def _edit(text: str, problems: list[Problem]) -> tuple[str, list[Change], list[Problem]]:
    """The text with the names replaced, from its end to its beginning so that no place moves."""
    starts = [0, *(found.end() for found in LINE_BREAK.finditer(text))]
    changes, left = [], []
    for problem in sorted(problems, key=lambda one: (one.line, one.column), reverse=True):
        older, newer = _OLDER.search(problem.message), _WRITE.search(problem.hint)
        if older is None or newer is None or problem.line > len(starts):
            left.append(problem)
            continue
        begin = starts[problem.line - 1] + problem.column - 1
        end = begin + problem.length
        written = text[begin:end]
        if older[1] not in written or _changes_shape(problem, text[end:]):
            left.append(problem)
            continue
        text = text[:begin] + written.replace(older[1], newer[1], 1) + text[end:]
        changes.append(Change(problem.line, problem.column, problem.path, older[1], newer[1]))
    return text, changes[::-1], left[::-1]


def _changes_shape(problem: Problem, rest: str) -> bool:
    """Whether a new name alone will not do: `taskDefaults` may be a mapping, `pluginDefaults` is a list."""
    if problem.path != "taskDefaults":
        return False
    value = re.match(r"[\"']?\s*:(?:\s|#[^\n]*\n)*(.?)", rest)
    return value is None or value[1] not in ("-", "[")

"""Expressions are checked before a flow runs: syntax, filters and functions, what they refer to, and where."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nbflow.errors import Problem
from nbflow.plugins.registry import Registry
from nbflow.source import validate

HEAD = """id: f
namespace: company.team
inputs:
  - {id: name, type: STRING}
  - {id: nested.one, type: INT}
variables: {table: t}
tasks:
  - {id: extract, type: log, message: m}
  - id: set-vars
    type: log
    message: m
"""


@pytest.fixture
def check(registry: Registry) -> Callable[[str], list[Problem]]:
    """The problems of a flow whose last task logs a message."""

    def check(message: str) -> list[Problem]:
        return validate(f"{HEAD}  - id: last\n    type: log\n    message: {message}\n", registry=registry)

    return check


@pytest.mark.parametrize(
    "message",
    [
        '"{{ inputs.name }} {{ inputs.nested.one }} {{ vars.table }} {{ outputs.extract.x }}"',
        "\"{{ outputs['set-vars'].x }}\"",
        '"{{ outputs.nowhere.x ?? 1 }} {{ inputs.nope is defined }} {{ vars.nope | default(1) }}"',
        '"{{ outputs[taskrun.value].x }}"',
        '"{{ execution.id }} {{ flow.namespace }} {{ unheard.of }}"',
        "\"{{ now() | date('yyyy') | upper }}\"",
        '"{% raw %}{{ inputs.nope | nope }}{% endraw %}"',
    ],
)
def test_what_may_well_be_right_passes(check: Callable[[str], list[Problem]], message: str) -> None:
    assert check(message) == []


@pytest.mark.parametrize(
    ("message", "line", "column", "length", "said", "hint"),
    [
        ('"{{ outputs.extrct.x }}"', 14, 26, 6, "there is no task `extrct`", "did you mean `extract`?"),
        ('"{{ inputs.nam }}"', 14, 25, 3, "there is no input `nam`", "did you mean `name`?"),
        ('"{{ vars.tabel }}"', 14, 23, 5, "there is no variable `tabel`", "did you mean `table`?"),
        ('"{{ inputs.zzz }}"', 14, 25, 3, "there is no input `zzz`", "the flow has name, nested"),
        ('"{{ flow.id | uper }}"', 14, 28, 4, "there is no filter `uper`", "did you mean `upper`?"),
        ('"{{ noww() }}"', 14, 18, 4, "there is no function `noww`", "did you mean `now`?"),
        ("|\n      one\n        {{ flow.id | uper }}", 16, 22, 4, "there is no filter `uper`", "did you mean `upper`?"),
        (">-\n      one\n      two {{ inputs.nam }}", 16, 21, 3, "there is no input `nam`", "did you mean `name`?"),
    ],
)
def test_a_wrong_name_is_found_where_it_stands(
    check: Callable[[str], list[Problem]], message: str, line: int, column: int, length: int, said: str, hint: str
) -> None:
    [problem] = check(message)
    assert (problem.line, problem.column, problem.length) == (line, column, length)
    assert (problem.message, problem.hint) == (said, hint)
    assert (problem.path, problem.is_error) == ("tasks[2].message", True)


def test_a_fault_of_the_syntax_is_found_inside_a_block_of_text(check: Callable[[str], list[Problem]]) -> None:
    [problem] = check("|\n      fine {{ 1 }}\n        {{ inputs.name | }}")
    assert (problem.path, problem.line, problem.is_error) == ("tasks[2].message", 16, True)
    assert 9 <= problem.column <= 28


def test_a_hyphen_is_a_warning_that_says_how_to_write_it(check: Callable[[str], list[Problem]]) -> None:
    [problem] = check('"{{ outputs.set-vars.x }}"')
    assert problem.severity == "warning"
    assert problem.message == "`outputs.set-vars` reads as a subtraction"
    assert problem.hint == "write `outputs['set-vars']`"


def test_an_excerpt_of_a_flow_is_only_warned_about(registry: Registry) -> None:
    text = """id: f
namespace: n
tasks:
  - {id: only, type: log, message: "{{ inputs.URL }} {{ outputs.before.x }} {{ vars.x }}"}
"""
    found = validate(text, registry=registry)
    assert [(problem.severity, problem.message) for problem in found] == [
        ("warning", "there is no input `URL` in this flow"),
        ("warning", "there is no task `before` in this flow"),
        ("warning", "there is no variable `x` in this flow"),
    ]


def test_texts_that_are_never_rendered_are_left_alone(registry: Registry) -> None:
    text = HEAD.replace("id: f\n", "id: f\ndescription: 'broken {{ here'\n")
    assert validate(text, registry=registry) == []


def test_tasks_of_a_part_that_is_not_known_may_be_referred_to(registry: Registry) -> None:
    text = (
        HEAD
        + """  - id: group
    type: test.core.Unheard
    tasks: [{id: inner, type: log, message: m}]
  - {id: last, type: log, message: "{{ outputs.inner.x }}"}
"""
    )
    assert [problem.path for problem in validate(text, registry=registry)] == ["tasks[2].type"]

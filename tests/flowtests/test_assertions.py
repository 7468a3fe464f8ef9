"""What assertions ask, and what is told when they do not hold."""

from __future__ import annotations

import pytest

from nbflow.flowtests import CaseState
from nbflow.flowtests.comparing import CHECKS, equal
from nbflow.types import JsonValue
from tests.flowtests.suites import flow, run_case

VALUES = flow(
    """
    - id: out
      type: io.kestra.plugin.core.output.OutputValues
      values: {n: 5, text: hello.json, list: [1, 2], map: {a: 1}, nothing: null, flag: true}
    - {id: told, type: log, message: five rows}
    """,
    """
    outputs:
      - {id: total, type: INT, value: "{{ outputs.out.values.n }}"}
    """,
)

HOLDS = [
    ("{{ outputs.out.values.n }}", "equalTo: 5"),
    ("{{ outputs.out.values.n }}", "equalsTo: '5'"),
    ("{{ outputs.out.values.n }}", "notEqualTo: 6"),
    ("{{ outputs.out.values.n }}", "notEqualsTo: six"),
    ("{{ outputs.out.values.n }}", "greaterThan: 4.5"),
    ("{{ outputs.out.values.n }}", "greaterThanOrEqualTo: 5"),
    ("{{ outputs.out.values.n }}", "lessThan: 6"),
    ("{{ outputs.out.values.n }}", "lessThanOrEqualTo: 5"),
    ("{{ outputs.out.values.n }}", "greaterThan: '{{ outputs.out.values.list | length }}'"),
    ("{{ outputs.out.values.n }}", "in: [4, 5]"),
    ("{{ outputs.out.values.n }}", "notIn: [1, 2]"),
    ("{{ outputs.out.values.n }}", "isNotNull: true"),
    ("{{ outputs.out.values.text }}", "startsWith: hello"),
    ("{{ outputs.out.values.text }}", "endsWith: .json"),
    ("{{ outputs.out.values.text }}", "contains: lo.j"),
    ("{{ outputs.out.values.list }}", "contains: 2"),
    ("{{ outputs.out.values.list }}", "equalTo: [1, 2]"),
    ("{{ outputs.out.values.map }}", "contains: a"),
    ("{{ outputs.out.values.map }}", "equalTo: {a: 1}"),
    ("{{ outputs.out.values.flag }}", "equalTo: true"),
    ("{{ outputs.out.values.missing }}", "isNull: true"),
    ("{{ outputs.out.values.missing }}", "isNotNull: false"),
    ("{{ execution.outputs.total }}", "equalTo: 5"),
    ("{{ execution.state }}", "equalTo: SUCCESS"),
    ("{{ states.told }}", "equalTo: SUCCESS"),
    ("{{ taskruns | length }}", "equalTo: 2"),
    ("{{ taskRuns[1].taskId }}", "equalTo: told"),
    ("{{ logs[0].message }}", "contains: five"),
    ("{{ flow.id }}", "equalTo: etl"),
    ("five", "equalTo: five"),
]


def test_every_operator_holds_where_it_should() -> None:
    assertions = "\n".join(f"    - {{value: {value!r}, {asked}}}" for value, asked in HOLDS)
    result = run_case(f"- id: one\n  assertions:\n{assertions}", VALUES)
    assert [(one.subject, one.operator, one.message) for one in result.failed] == []
    assert len(result.checked) == len(HOLDS)


FAILS = [
    ("equalTo: 6", 6, 5),
    ("notEqualTo: 5", 5, 5),
    ("greaterThan: 5", 5, 5),
    ("lessThan: 5", 5, 5),
    ("startsWith: 6", 6, 5),
    ("endsWith: 6", 6, 5),
    ("contains: 6", 6, 5),
    ("in: [6]", [6], 5),
    ("notIn: [5]", [5], 5),
    ("isNull: true", True, 5),
    ("isNotNull: false", False, 5),
]


def test_every_operator_fails_where_it_should_and_tells_both_sides() -> None:
    assertions = "\n".join(f"    - {{value: '{{{{ outputs.out.values.n }}}}', {asked}}}" for asked, _, _ in FAILS)
    result = run_case(f"- id: one\n  assertions:\n{assertions}", VALUES)
    assert result.state is CaseState.FAILED
    assert [(one.expected, one.actual) for one in result.failed] == [(expected, found) for _, expected, found in FAILS]
    assert result.failed[0].message == "expected {{ outputs.out.values.n }} to be 6, it is 5"
    assert [one.line for one in result.failed] == list(range(7, 7 + len(FAILS)))


def test_an_assertion_may_ask_several_things() -> None:
    result = run_case(
        "- {id: one, assertions: [{value: '{{ outputs.out.values.n }}', greaterThan: 1, lessThan: 3}]}", VALUES
    )
    assert [(one.operator, one.is_success) for one in result.checked] == [("greaterThan", True), ("lessThan", False)]


def test_the_author_says_what_is_told() -> None:
    result = run_case(
        """
        - id: one
          assertions:
            - value: "{{ outputs.out.values.n }}"
              equalTo: 6
              taskId: out
              description: the count
              errorMessage: "got {{ outputs.out.values.n }} rows"
        """,
        VALUES,
    )
    (failed,) = result.failed
    assert (failed.message, failed.description, failed.task_id) == ("got 5 rows", "the count", "out")


def test_a_value_that_cannot_be_rendered_fails_its_assertion_alone() -> None:
    result = run_case(
        """
        - id: one
          assertions:
            - {value: "{{ outputs.gone.x }}", equalTo: 1}
            - {value: "{{ outputs.out.values.text }}", greaterThan: 1}
            - {state: SUCCESS}
        """,
        VALUES,
    )
    assert [one.is_success for one in result.checked] == [False, False, True]
    assert result.checked[0].message.startswith("cannot be rendered: ")
    assert result.checked[1].message == "hello.json is no number"


def test_short_forms_tell_what_is_there() -> None:
    result = run_case(
        """
        - id: one
          assertions:
            - {state: [FAILED, WARNING]}
            - {taskRuns: 9}
            - {log: six rows, taskId: told}
            - {noLog: five}
        """,
        VALUES,
    )
    assert [one.message for one in result.failed] == [
        "expected FAILED or WARNING, it ended as SUCCESS",
        "expected 9 task runs, there are 2",
        "expected a line of the log of told with 'six rows', there are 1 others",
        "expected no line of the log with 'five', there are 1",
    ]


def test_a_failed_execution_that_nobody_asked_about_is_a_warning() -> None:
    text = flow("- {id: broken, type: io.kestra.plugin.core.execution.Fail}")
    result = run_case("- {id: one, assertions: [{taskRuns: 1}]}", text)
    assert result.state is CaseState.SUCCESS
    assert list(result.warnings) == ["the execution ended as FAILED; `- state: FAILED` would expect it"]


@pytest.mark.parametrize(
    ("actual", "expected", "is_so"),
    [
        (1, 1.0, True),
        ("1.0", 1, True),
        ("true", True, True),
        (True, 1, False),
        ("null", None, False),
        (None, None, True),
        ('{"a": [1]}', {"a": [1]}, True),
        ({"a": "1"}, {"a": 1}, True),
        ([1], [1, 2], False),
        ("x", ["x"], False),
    ],
)
def test_equal_means_the_same_or_its_text(actual: JsonValue, expected: JsonValue, is_so: bool) -> None:
    assert equal(actual, expected) is is_so
    assert equal(expected, actual) is is_so


def test_nothing_has_no_beginning() -> None:
    assert not CHECKS["starts_with"](None, "")
    assert not CHECKS["contains"](None, "None")

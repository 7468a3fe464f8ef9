"""What expressions refer to is checked: outputs by the type of the task, the order of tasks, triggers, near misses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nbflow.errors import Problem
from nbflow.plugins.registry import Registry
from nbflow.source import validate

Check = Callable[[str], list[Problem]]


@pytest.fixture
def check(registry: Registry) -> Check:
    """The problems of a flow with these tasks, or these properties when the text begins at the margin."""

    def check(text: str) -> list[Problem]:
        return validate("id: f\nnamespace: n\n" + text, registry=registry)

    return check


def told(problems: list[Problem]) -> list[tuple[str, str, str]]:
    return [(problem.severity, problem.message, problem.hint) for problem in problems]


def test_an_output_that_the_type_does_not_have(check: Check) -> None:
    [problem] = check("""tasks:
  - {id: a, type: log, message: m}
  - {id: b, type: log, message: "{{ outputs.a.linecount }}"}
""")
    assert told([problem]) == [("error", "the task `a` has no output `linecount`", "did you mean `lineCount`?")]
    assert (problem.line, problem.column, problem.length) == (5, 47, 9)


def test_a_type_without_outputs(check: Check) -> None:
    found = check("""tasks:
  - {id: a, type: test.core.Script, script: s}
  - {id: b, type: log, message: "{{ outputs.a.uri }}"}
""")
    assert told(found) == [("error", "the task `a` has no output `uri`", "tasks of its type have none")]


LATER = "move one of the two, or write `??` and a default"


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        (
            "{id: a, type: log, message: '{{ outputs.b.x }}'}|{id: b, type: log, message: m}",
            "`b` runs only after this task",
        ),
        ("{id: a, type: log, message: '{{ outputs.a.x }}'}", "`a` has no outputs before it has run"),
        (
            "{id: g, type: test.core.Group, tasks: [{id: a, type: log, message: '{{ outputs.b.x }}'}]}"
            "|{id: b, type: log, message: m}",
            "`b` runs only after this task",
        ),
        (
            "{id: g, type: test.core.Dag, tasks: ["
            "{task: {id: a, type: log, message: '{{ outputs.b.x }}'}}, "
            "{task: {id: b, type: log, message: m}, dependsOn: [a]}]}",
            "`b` runs only after this task",
        ),
    ],
)
def test_a_task_that_cannot_have_run_before(check: Check, tasks: str, expected: str) -> None:
    found = check("tasks:\n" + "".join(f"  - {task}\n" for task in tasks.split("|")))
    assert [(problem.severity, problem.message) for problem in found] == [("error", expected)]


@pytest.mark.parametrize(
    ("tasks", "message", "hint"),
    [
        (
            "{id: g, type: test.core.Together, tasks: [{id: a, type: log, message: m}, "
            "{id: b, type: log, message: '{{ outputs.a.x }}'}]}",
            "`a` runs at the same time as this task",
            "run them one after another",
        ),
        (
            "{id: g, type: test.core.Dag, tasks: [{task: {id: a, type: log, message: m}}, "
            "{task: {id: b, type: log, message: '{{ outputs.a.x }}'}}]}",
            "nothing says that `a` runs before `b`",
            "add `dependsOn: [a]`",
        ),
        (
            "{id: g, type: test.core.Switch, value: v, cases: {one: [{id: a, type: log, message: m}], "
            "two: [{id: b, type: log, message: '{{ outputs.a.x }}'}]}}",
            "`a` lies in another branch of `g`",
            "write `??` and a default",
        ),
    ],
)
def test_a_task_that_may_not_have_run_before(check: Check, tasks: str, message: str, hint: str) -> None:
    assert told(check(f"tasks:\n  - {tasks}\n")) == [("warning", message, hint)]


@pytest.mark.parametrize(
    "text",
    [
        "tasks: [{id: g, type: test.core.Loop, tasks: [{id: a, type: log, message: '{{ outputs.b.v ~ outputs.a.v }}'},"
        " {id: b, type: log, message: m}]}]",
        "tasks: [{id: g, type: test.core.Dag, tasks: [{task: {id: a, type: log, message: m}},"
        " {task: {id: b, type: log, message: m}, dependsOn: [a]},"
        " {task: {id: c, type: log, message: '{{ outputs.a.x }}'}, dependsOn: [b]}]}]",
        "tasks: [{id: a, type: log, message: m}]\nerrors: [{id: b, type: log, message: '{{ outputs.a.x }}'}]",
        "tasks: [{id: a, type: log, message: '{{ outputs.b.x ?? 1 }}'}, {id: b, type: log, message: m}]",
        "tasks: [{id: a, type: log, message: '{% if outputs.b is defined %}{{ outputs.b.x }}{% endif %}'},"
        " {id: b, type: log, message: m}]",
        "tasks: [{id: s, type: test.core.Switch, value: '{{ outputs.a.x }}',"
        " cases: {k: [{id: a, type: log, message: m}]}}]",
    ],
)
def test_what_may_well_be_there_is_not_doubted(check: Check, text: str) -> None:
    assert check(text) == []


def test_errors_run_after_the_tasks(check: Check) -> None:
    found = check("tasks: [{id: a, type: log, message: '{{ outputs.b.x }}'}]\nerrors: [{id: b, type: log, message: m}]")
    assert told(found) == [("error", "`b` runs only after this task", LATER)]


def test_what_triggers_give(check: Check) -> None:
    task = "tasks: [{id: a, type: log, message: '{{ trigger.date }} {{ trigger.flowId }} {{ trigger.dat }}'}]\n"
    with_one = check(task + "triggers: [{id: t, type: schedule, cron: '0 9 * * *'}]")
    assert told(with_one) == [("error", "no trigger of this flow gives `trigger.dat`", "did you mean `date`?")]
    without = check(task)
    assert [(problem.severity, problem.message) for problem in without] == [
        ("warning", "this flow has no trigger that gives `trigger.date`"),
        ("warning", "this flow has no trigger that gives `trigger.dat`"),
    ]


@pytest.mark.parametrize(
    ("expression", "message", "hint"),
    [
        ("{{ input.name }}", "there is no `input`", "did you mean `inputs`?"),
        ("{{ execution.startdate }}", "there is no `execution.startdate`", "did you mean `startDate`?"),
        ("{{ taskrun.values }}", "there is no `taskrun.values`", "did you mean `value`?"),
    ],
)
def test_near_misses_of_what_every_execution_has(check: Check, expression: str, message: str, hint: str) -> None:
    assert told(check(f"tasks: [{{id: a, type: log, message: '{expression}'}}]")) == [("warning", message, hint)]


def test_names_that_tasks_may_add_are_left_alone(check: Check) -> None:
    assert check("tasks: [{id: a, type: log, message: '{{ record.price }} {{ response.body }}'}]") == []


def test_a_variable_that_holds_an_expression(check: Check) -> None:
    text = """variables: {day: "{{ now() }}", deep: {er: "{{ flow.id }}"}, plain: x}
tasks:
  - {id: a, type: log, message: "{{ render(vars.day) }} {{ vars.plain }} {{ vars.deep.er }} {{ vars.day }}"}
"""
    found = check(text)
    assert told(found) == [
        (
            "info",
            f"`{name}` holds an expression, which Kestra would print as it is written",
            f"write `render({name})`, which means the same everywhere",
        )
        for name in ("vars.deep.er", "vars.day")
    ]
    assert [(problem.column, problem.length) for problem in found] == [(77, 12), (96, 8)]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("{{ 'a' | upper('b', 'c') | abbreviate(1, 2) }}", "`abbreviate` takes 1 argument, not 2"),
        ("{{ now(zone='UTC') }}", "`now` has no argument `zone`; there are format, timeZone, existingFormat, locale"),
    ],
)
def test_arguments_that_do_not_fit(check: Check, expression: str, message: str) -> None:
    [problem] = check(f'tasks: [{{id: a, type: log, message: "{expression}"}}]')
    assert (problem.severity, problem.message) == ("error", message)

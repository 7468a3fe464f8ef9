"""Tasks that do one small thing."""

from __future__ import annotations

import json

import pytest

from nbflow.tasks.debug import Echo, Return
from nbflow.tasks.execution import Assert, Fail, Labels, SetVariables
from nbflow.tasks.log import Log
from nbflow.tasks.outputs import Expression, OutputValues
from nbflow.testing import run_task
from tests.tasks.conftest import RunTasks


def test_log_writes_one_line_a_message_at_its_level() -> None:
    result = run_task(Log.model_validate({"id": "log", "message": ["a", "{{ 1 + 1 }}"], "level": "WARN"}))
    assert [(str(entry.level), entry.message) for entry in result.logs] == [("WARN", "a"), ("WARN", "2")]


def test_return_puts_out_its_text() -> None:
    assert run_task(Return(id="r", format="{{ [1, {'a': 2}] }}")).outputs == {"value": '[1,{"a":2}]'}
    assert run_task(Return(id="r")).outputs == {}


def test_echo_writes_its_text() -> None:
    assert run_task(Echo(id="e", format="hi")).messages == ["hi"]


@pytest.mark.parametrize(
    ("condition", "state"),
    [
        (None, "FAILED"),
        ("true", "FAILED"),
        ("{{ 1 == 1 }}", "FAILED"),
        ("false", "SUCCESS"),
        ("{{ 0 }}", "SUCCESS"),
        ("", "SUCCESS"),
    ],
)
def test_fail_fails_when_its_condition_is_true(condition: str | None, state: str) -> None:
    result = run_task(Fail(id="f", condition=condition, error_message="no data"))
    assert result.state == state
    assert result.messages == (["no data"] if state == "FAILED" else [])


def test_assert_names_the_condition_that_is_not_true() -> None:
    assert run_task(Assert(id="a", conditions=["{{ 1 == 1 }}"])).state == "SUCCESS"
    result = run_task(Assert(id="a", conditions=["{{ 1 == 1 }}", "{{ 1 == 2 }}"]))
    assert result.messages == ["not true: condition 2 of 2"]


def test_expressions_in_output_values_give_text_and_what_is_written_keeps_its_type() -> None:
    values = {"n": "{{ 1 + 1 }}", "list": ["{{ vars.name }}", 3], "whole": "{{ [1, 2] }}", "none": None}
    result = run_task(OutputValues(id="o", values=values), variables={"name": "Ada"})  # type: ignore[arg-type]
    assert result.outputs == {"values": {"n": "2", "list": ["Ada", 3], "whole": "[1,2]", "none": None}}


def test_expression_tells_whether_it_is_true() -> None:
    assert run_task(Expression(id="e", expression="{{ 2 > 1 }}")).outputs == {"value": True}
    assert run_task(Expression(id="e", expression="{{ 2 < 1 }}")).outputs == {"value": False}


@pytest.mark.parametrize(
    "labels",
    [
        {"a": "1", "b": None},
        [{"key": "a", "value": "1"}, {"key": "b"}],
        '{"a": "1", "b": null}',
        '[{"key": "a", "value": 1}, {"key": "b"}]',
    ],
)
def test_labels_are_added_to_the_execution(run_tasks: RunTasks, labels: object) -> None:
    execution = run_tasks(f"- {{id: l, type: labels, labels: {json.dumps(labels)}}}", more="labels: {a: '0', c: '3'}")
    assert execution.state == "SUCCESS"
    own = {key: value for key, value in execution.labels.items() if not key.startswith("system.")}
    assert own == {"a": "1", "b": "", "c": "3"}


def test_labels_are_rendered_and_numbers_in_them_are_text(run_tasks: RunTasks) -> None:
    execution = run_tasks(
        """
        - {id: list, type: labels, labels: [{key: "{{ inputs.key }}", value: "{{ inputs.size }}"}]}
        - {id: map, type: labels, labels: {half: "{{ inputs.half }}", sure: "{{ inputs.size > 3 }}"}}
        """,
        more="inputs: [{id: key, type: STRING}, {id: size, type: INT}, {id: half, type: FLOAT}]",
        key="rows",
        size=40,
        half=0.5,
    )
    own = {key: value for key, value in execution.labels.items() if not key.startswith("system.")}
    assert own == {"rows": "40", "half": "0.5", "sure": "true"}


def test_system_labels_cannot_be_set() -> None:
    result = run_task(Labels(id="l", labels={"system.x": "1"}))
    assert result.messages == ["the label `system.x` cannot be set: `system.*` belongs to nbflow (choose another key)"]


def test_variables_are_seen_by_later_tasks(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: set, type: set_variables, variables: {n: "{{ 1 + 1 }}"}}
        - {id: use, type: return, format: "{{ vars.n }}"}
    """)
    assert execution.task_runs["use"].outputs == {"value": "2"}


def test_a_variable_is_not_overwritten_against_the_authors_will() -> None:
    task = SetVariables(id="set", variables={"n": 2}, overwrite=False)
    assert run_task(task, variables={"n": 1}).messages == [
        "the variable `n` exists already (set `overwrite: true` to replace it)"
    ]

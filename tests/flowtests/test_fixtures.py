"""What stands for tasks, inputs, files and triggers in a test."""

from __future__ import annotations

import pytest

from nbflow.flowtests import CaseState, SuiteResult, World, find_suites, prepared, run_suites
from tests.flowtests.suites import NOWHERE, flow, run, run_case, suite

FAILING = """
- id: never
  type: io.kestra.plugin.core.execution.Fail
  errorMessage: it ran
"""


def test_a_mocked_task_does_not_run_and_puts_out_what_the_fixture_says() -> None:
    text = flow(FAILING + "- {id: after, type: return, format: '{{ outputs.never.rows }} rows'}")
    result = run_case(
        """
        - id: mocked
          type: io.kestra.core.tests.flow.UnitTest
          fixtures:
            tasks:
              - {id: never, outputs: {rows: 3}, description: not today}
          assertions:
            - {value: "{{ outputs.after.value }}", equalTo: 3 rows}
            - {value: "{{ outputs.never.rows }}", equalTo: 3}
            - {state: SUCCESS, taskId: never}
            - {log: not today, taskId: never}
            - {noLog: it ran}
        """,
        text,
    )
    assert result.failed == []
    assert result.state is CaseState.SUCCESS
    assert list(result.mocked) == ["never"]


def test_a_fixture_without_outputs_just_keeps_a_task_from_running() -> None:
    result = run_case(
        "- {id: one, fixtures: {tasks: [{id: never}]}, assertions: [{state: SUCCESS}, {taskRuns: 1}]}", flow(FAILING)
    )
    assert result.state is CaseState.SUCCESS


def test_a_fixture_may_end_in_any_final_state() -> None:
    tasks = """
    - {id: load, type: return, format: x}
    - {id: after, type: return, format: y}
    """
    more = """
    errors:
      - {id: told, type: log, message: "load is {{ tasks.load.state }}"}
    """
    result = run_case(
        """
        - id: fails
          fixtures: {tasks: [{id: load, state: FAILED, outputs: {code: 500}}]}
          assertions:
            - state: FAILED
            - {taskId: load, state: FAILED}
            - {taskId: after, taskRuns: 0}
            - {taskId: told, log: load is FAILED}
            - {value: "{{ outputs.load.code }}", equalTo: 500}
        """,
        flow(tasks, more),
    )
    assert result.failed == []


def test_allow_failure_holds_for_a_mocked_task() -> None:
    text = flow("- {id: load, type: return, format: x, allowFailure: true}")
    result = run_case(
        "- {id: one, fixtures: {tasks: [{id: load, state: FAILED}]}, assertions: [{state: WARNING}]}", text
    )
    assert result.state is CaseState.SUCCESS


def test_a_task_that_is_not_to_run_is_skipped_all_the_same() -> None:
    text = flow("- {id: load, type: return, format: x, runIf: '{{ false }}'}")
    result = run_case(
        """
        - id: one
          fixtures: {tasks: [{id: load, outputs: {value: 1}}]}
          assertions: [{taskId: load, state: SKIPPED}]
        """,
        text,
    )
    assert result.state is CaseState.SUCCESS
    assert list(result.warnings) == ["the fixture of `load` was not used: no such task run came to be"]


def test_a_round_of_a_loop_is_mocked_by_its_value() -> None:
    text = flow(
        """
        - id: each
          type: io.kestra.plugin.core.flow.ForEach
          values: [a, b, c]
          tasks:
            - {id: item, type: return, format: "real {{ taskrun.value }}"}
            - id: inner
              type: io.kestra.plugin.core.flow.Sequential
              tasks:
                - {id: deep, type: return, format: "deep {{ parent.taskrun.value }}"}
        """
    )
    result = run_case(
        """
        - id: one
          fixtures:
            tasks:
              - {id: item, value: b, outputs: {value: mocked b}}
              - {id: item, outputs: {value: "mocked {{ taskrun.value }}"}}
              - {id: deep, value: c, outputs: {value: mocked c}}
          assertions:
            - {value: "{{ outputs.item.a.value }}", equalTo: mocked a}
            - {value: "{{ outputs.item.b.value }}", equalTo: mocked b}
            - {value: "{{ outputs.deep.a.value }}", equalTo: deep a}
            - {value: "{{ outputs.deep.c.value }}", equalTo: mocked c}
            - {value: "{{ states.item }}", equalTo: {a: SUCCESS, b: SUCCESS, c: SUCCESS}}
            - {taskId: item, taskRuns: 3}
        """,
        text,
    )
    assert result.failed == []
    assert list(result.mocked) == ["item[b]", "item", "deep[c]"]


def test_a_mocked_flowable_does_not_run_its_children() -> None:
    text = flow(
        """
        - id: all
          type: io.kestra.plugin.core.flow.Parallel
          tasks: [{id: never, type: io.kestra.plugin.core.execution.Fail}]
        - id: approve
          type: io.kestra.plugin.core.flow.Pause
        """
    )
    result = run_case(
        "- {id: one, fixtures: {tasks: [{id: all}, {id: approve}]}, assertions: [{state: SUCCESS}, {taskRuns: 2}]}",
        text,
    )
    assert result.failed == []


CHILD = flow(
    FAILING + "- {id: sum, type: return, format: '{{ outputs.never.n }}'}",
    flow_id="child",
    more="""
outputs:
  - {id: total, type: STRING, value: "{{ outputs.sum.value }}"}
""",
)
CALL = flow("- {id: call, type: subflow, namespace: company.team, flowId: child}")


def test_a_subflow_is_mocked_as_a_whole() -> None:
    result = run_case(
        """
        - id: one
          fixtures: {tasks: [{id: call, outputs: {outputs: {total: 7}}}]}
          assertions: [{value: "{{ outputs.call.outputs.total }}", equalTo: 7}]
        """,
        CALL,
    )
    assert result.failed == []


def test_a_task_of_a_subflow_is_mocked_by_its_path() -> None:
    result = run_case(
        """
        - id: one
          fixtures: {tasks: [{id: call.never, outputs: {n: 8}}]}
          assertions: [{value: "{{ outputs.call.outputs.total }}", equalTo: 8}, {state: SUCCESS}]
        """,
        CALL,
        CHILD,
    )
    assert result.failed == []
    assert list(result.mocked) == ["call.never"]


def test_files_are_stored_and_their_uris_given() -> None:
    text = flow(
        """
        - {id: fetch, type: io.kestra.plugin.core.http.Download, uri: "http://127.0.0.1:9/"}
        - {id: show, type: return, format: "{{ read(outputs.fetch.uri) }} and {{ read(inputs.given) }}"}
        """,
        "inputs: [{id: given, type: FILE}]",
    )
    result = run_case(
        """
        - id: one
          fixtures:
            files: {a.txt: first, sub/b.txt: second}
            inputs: {given: "{{ files['sub/b.txt'] }}"}
            tasks: [{id: fetch, outputs: {uri: "{{ files['a.txt'] }}"}}]
          assertions:
            - {value: "{{ outputs.show.value }}", equalTo: first and second}
            - {value: "{{ read(files['a.txt']) }}", equalTo: first}
            - {value: "{{ files['a.txt'] }}", startsWith: "kestra:///company/team/etl/tests/one/"}
        """,
        text,
    )
    assert result.failed == []


def test_a_trigger_gives_its_variables() -> None:
    text = flow(
        "- {id: show, type: return, format: '{{ trigger.body.order }}'}",
        "triggers: [{id: hook, type: io.kestra.plugin.core.trigger.Webhook, key: abcdef}]",
    )
    result = run_case(
        """
        - id: one
          fixtures: {trigger: {id: hook, variables: {body: {order: 12}}}}
          assertions:
            - {value: "{{ outputs.show.value }}", equalTo: "12"}
            - {value: "{{ trigger.body.order }}", greaterThan: 11}
        """,
        text,
    )
    assert result.failed == []


def test_outputs_that_cannot_be_rendered_fail_the_task_and_say_so() -> None:
    result = run_case(
        """
        - id: one
          fixtures: {tasks: [{id: never, outputs: {a: "{{ outputs.gone.x }}"}}]}
          assertions: [{state: FAILED}, {log: outputs of the fixture cannot be rendered}]
        """,
        flow(FAILING),
    )
    assert result.failed == []


def test_inputs_that_are_refused_make_the_case_an_error() -> None:
    text = flow("- {id: show, type: return, format: x}", "inputs: [{id: n, type: INT}]")
    result = run_case("- {id: one, fixtures: {inputs: {n: many}}, assertions: [{state: SUCCESS}]}", text)
    assert result.state is CaseState.ERROR
    assert any("inputs.n" in error for error in result.errors)


def test_a_pause_that_nobody_can_end_is_told_at_once() -> None:
    text = flow("- {id: approve, type: io.kestra.plugin.core.flow.Pause}")
    result = run_case("- {id: one, assertions: [{state: SUCCESS}]}", text)
    assert result.state is CaseState.ERROR
    assert "waits at the task `approve`" in result.errors[0]


def test_a_case_ends_after_its_timeout() -> None:
    text = flow("- {id: nap, type: io.kestra.plugin.core.flow.Sleep, duration: PT600S}")
    result = run_case("- {id: one, timeout: PT0.3S, assertions: [{state: SUCCESS}]}", text)
    assert result.state is CaseState.ERROR
    assert "did not end within PT0.3S" in result.errors[0]


def test_cases_that_are_disabled_are_left_out() -> None:
    result = run(
        suite(
            """
            - {id: left_out, disabled: true, assertions: [{state: SUCCESS}]}
            - {id: kept, assertions: [{state: FAILED}]}
            """
        ),
        flow(FAILING),
    )
    assert [str(case.state) for case in result.cases] == ["SKIPPED", "SUCCESS"]
    assert result.state is CaseState.SUCCESS


def test_the_last_try_of_a_flow_that_starts_anew_is_the_one_that_is_judged() -> None:
    text = flow(
        FAILING,
        """
        retry: {type: constant, interval: PT0.01S, maxAttempts: 3, behavior: CREATE_NEW_EXECUTION}
        """,
    )
    result = run_case(
        """
        - id: one
          fixtures: {tasks: [{id: never, state: FAILED}]}
          assertions:
            - {state: FAILED}
            - {noLog: it ran}
            - {value: "{{ execution.originalId }}", notEqualTo: "{{ execution.id }}"}
        """,
        text,
    )
    assert result.failed == []


def test_an_interrupt_ends_what_runs() -> None:
    """It would take ten minutes otherwise."""
    world = World(NOWHERE)
    files = [
        ("quick.yaml", flow("- {id: a, type: return, format: x}")),
        ("slow.yaml", flow("- {id: nap, type: io.kestra.plugin.core.flow.Sleep, duration: PT600S}", flow_id="slow")),
        ("one.yaml", suite("- {id: one, assertions: [{state: SUCCESS}]}")),
        ("two.yaml", suite("- {id: two, timeout: PT600S, assertions: [{state: SUCCESS}]}", "slow")),
    ]

    def interrupt(_: SuiteResult) -> None:
        raise KeyboardInterrupt

    with prepared(find_suites(files, world), world) as ready, pytest.raises(KeyboardInterrupt):
        run_suites(ready, on_suite=interrupt)

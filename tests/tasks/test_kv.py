"""Tasks that keep values under keys, and states between executions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from nbflow.engine import Engine
from tests.tasks.conftest import RunTasks, messages


def test_a_value_is_set_found_listed_and_deleted(run_tasks: RunTasks, engine: Engine) -> None:
    execution = run_tasks("""
        - {id: set, type: io.kestra.plugin.core.kv.Set, key: "a-{{ flow.id }}", value: "{{ [1, {'b': 2}] }}"}
        - {id: other, type: kv_set, key: b, value: "x{{ 1 + 1 }}", kvDescription: some text}
        - {id: get, type: io.kestra.plugin.core.kv.Get, key: a-flow}
        - {id: keys, type: io.kestra.plugin.core.kv.GetKeys, prefix: a-}
        - {id: delete, type: io.kestra.plugin.core.kv.Delete, key: a-flow}
        - {id: gone, type: kv_get, key: a-flow}
        - {id: left, type: kv_keys}
        - {id: again, type: kv_delete, key: a-flow}
        - {id: use, type: return, format: "{{ kv('b') }}"}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    runs = execution.task_runs
    assert runs["get"].outputs == {"value": [1, {"b": 2}]}
    assert runs["keys"].outputs == {"keys": ["a-flow"]}
    assert runs["delete"].outputs == {"deleted": True}
    assert runs["gone"].outputs.get("value") is None
    assert runs["left"].outputs == {"keys": ["b"]}
    assert runs["again"].outputs == {"deleted": False}
    assert runs["use"].outputs == {"value": "x2"}
    kept = engine.store.kv.get("tests", "b", datetime.now(UTC))
    assert kept is not None
    assert (kept.type, kept.description, kept.expires) == ("STRING", "some text", None)


@pytest.mark.parametrize(
    ("value", "kind", "kept", "kept_as"),
    [
        ("5", None, "5", "STRING"),
        ("true", None, "true", "STRING"),
        ("'{{ 5 }}'", None, 5, "NUMBER"),
        ("'{{ 1 == 1 }}'", None, True, "BOOLEAN"),
        ("5", "NUMBER", 5, "NUMBER"),
        ('\'{{ "tr" ~ "ue" }}\'', "BOOLEAN", True, "BOOLEAN"),
        ("'{\"a\": 1}'", "JSON", {"a": 1}, "JSON"),
        ("2024-01-31", "DATE", "2024-01-31", "DATE"),
        ("PT90S", "DURATION", "PT1M30S", "DURATION"),
        ("{a: '{{ 1 + 1 }}'}", None, {"a": 2}, "JSON"),
    ],
)
def test_a_value_is_kept_as_its_type(
    run_tasks: RunTasks, engine: Engine, value: str, kind: str | None, kept: object, kept_as: str
) -> None:
    execution = run_tasks(f"""
        - {{id: set, type: kv_set, key: k, value: {value}, {f"kvType: {kind}" if kind else ""}}}
        - {{id: get, type: kv_get, key: k}}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert execution.task_runs["get"].outputs == {"value": kept}
    entry = engine.store.kv.get("tests", "k", datetime.now(UTC))
    assert entry is not None
    assert entry.type == kept_as


def test_a_value_that_exists_is_not_replaced_against_the_authors_will(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: one, type: kv_set, key: k, value: a}
        - {id: two, type: kv_set, key: k, value: b}
        - {id: three, type: kv_set, key: k, value: c, overwrite: false}
    """)
    assert execution.state == "FAILED"
    assert any("the key `k` of tests holds a value already" in message for message in messages(execution))
    assert execution.task_runs["two"].state == "SUCCESS"


def test_a_value_expires(run_tasks: RunTasks, engine: Engine) -> None:
    run_tasks("- {id: set, type: kv_set, key: k, value: a, ttl: '{{ \"PT1H\" }}'}")
    now = datetime.now(UTC)
    assert engine.store.kv.get("tests", "k", now) is not None
    assert engine.store.kv.get("tests", "k", now + timedelta(hours=2)) is None


def test_values_of_namespaces_around_are_found_unless_one_is_named(run_tasks: RunTasks, engine: Engine) -> None:
    engine.store.kv.put("tests", "k", "outer", datetime.now(UTC))
    engine.store.kv.put("tests.other", "k1", "first", datetime.now(UTC))
    engine.deploy("""
id: inner
namespace: tests.inner
tasks:
  - {id: found, type: kv_get, key: k, errorOnMissing: true}
  - {id: named, type: kv_get, key: k, namespace: tests}
  - {id: own, type: kv_get, key: k, namespace: tests.inner}
  - {id: set, type: kv_set, key: k2, value: there, namespace: tests.other}
""")
    runs = engine.run("tests.inner", "inner", wait=True, timeout=60).task_runs
    assert [runs[name].outputs.get("value") for name in ("found", "named", "own")] == ["outer", "outer", None]
    assert [entry.key for entry in engine.store.kv.list("tests.other", datetime.now(UTC))] == ["k1", "k2"]


@pytest.mark.parametrize("task", ["kv_set, value: v", "kv_get", "kv_delete", "kv_keys"])
def test_a_namespace_that_nobody_knows_is_an_error(run_tasks: RunTasks, task: str) -> None:
    key = "" if task == "kv_keys" else ", key: k"
    execution = run_tasks(f"- {{id: t, type: {task}{key}, namespace: company.taem}}")
    assert execution.state == "FAILED"
    assert any("there is no namespace `company.taem`" in message for message in messages(execution))


@pytest.mark.parametrize("kind", ["kv_get", "kv_delete"])
def test_a_missing_value_is_an_error_when_asked_for(run_tasks: RunTasks, kind: str) -> None:
    execution = run_tasks(f"""
        - {{id: set, type: kv_set, key: counter, value: a}}
        - {{id: look, type: {kind}, key: countre, errorOnMissing: true}}
    """)
    assert execution.state == "FAILED"
    told = [message for message in messages(execution) if "there is no value under the key `countre`" in message]
    assert told
    assert "counter" in told[0].split("(")[1]


def test_a_state_is_merged_found_and_deleted(run_tasks: RunTasks, engine: Engine) -> None:
    execution = run_tasks(
        """
        - {id: none, type: io.kestra.plugin.core.state.Get}
        - {id: set, type: io.kestra.plugin.core.state.Set, data: {"{{ vars.key }}": "{{ vars.inc }}", deep: {a: 1}}}
        - {id: first, type: io.kestra.core.tasks.states.Get}
        - {id: more, type: state_set, data: {test: "2", test2: "3", deep: {b: [2]}}}
        - {id: second, type: state_get}
        - {id: delete, type: io.kestra.plugin.core.state.Delete}
        - {id: gone, type: state_get}
        - {id: again, type: state_delete}
        """,
        more="variables: {key: test, inc: 1}",
    )
    assert execution.state == "SUCCESS", messages(execution)
    runs = execution.task_runs
    assert runs["none"].outputs == {"count": 0, "data": {}}
    assert runs["set"].outputs == {"count": 2, "key": "flow_states_tasks-states_default"}
    assert runs["first"].outputs == {"count": 2, "data": {"test": "1", "deep": {"a": 1}}}
    assert runs["more"].outputs["count"] == 3
    assert runs["second"].outputs["data"] == {"test": "2", "test2": "3", "deep": {"a": 1, "b": [2]}}
    assert [runs[name].outputs for name in ("delete", "again")] == [{"deleted": True}, {"deleted": False}]
    assert runs["gone"].outputs["count"] == 0


def test_a_state_lives_on_to_the_next_execution_and_namespaces_share_one(run_tasks: RunTasks, engine: Engine) -> None:
    run_tasks("""
        - {id: own, type: state_set, name: mine, data: {a: "1"}}
        - {id: shared, type: state_set, name: ours, namespace: true, data: {b: "2"}}
    """)
    engine.deploy("""
id: other
namespace: tests
tasks:
  - {id: own, type: state_get, name: mine}
  - {id: shared, type: state_get, name: ours, namespace: true}
""")
    other = engine.run("tests", "other", wait=True, timeout=60).task_runs
    assert other["own"].outputs["data"] == {}
    assert other["shared"].outputs["data"] == {"b": "2"}
    again = run_tasks("- {id: own, type: state_get, name: mine, errorOnMissing: true}").task_runs
    assert again["own"].outputs["data"] == {"a": "1"}


def test_each_value_of_a_loop_has_a_state_unless_it_shares_one(run_tasks: RunTasks, engine: Engine) -> None:
    execution = run_tasks("""
        - id: each
          type: foreach
          values: [x, y]
          tasks:
            - {id: own, type: state_set, data: {"{{ taskrun.value }}": "1"}}
            - {id: one, type: state_set, name: one, taskrunValue: false, data: {"{{ taskrun.value }}": "1"}}
        - {id: get, type: state_get, name: one}
        - {id: none, type: state_get}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert execution.task_runs["get"].outputs["data"] == {"x": "1", "y": "1"}
    assert execution.task_runs["none"].outputs["count"] == 0
    assert len(engine.store.kv.list("tests", datetime.now(UTC))) == 3


@pytest.mark.parametrize("kind", ["state_get", "state_delete"])
def test_a_missing_state_is_an_error_when_asked_for(run_tasks: RunTasks, kind: str) -> None:
    execution = run_tasks(f"- {{id: look, type: {kind}, name: x, errorOnMissing: true}}")
    assert execution.state == "FAILED"
    assert any("there is no state `x` of tests.flow" in message for message in messages(execution))

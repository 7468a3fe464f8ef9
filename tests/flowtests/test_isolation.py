"""A test sees what its flow needs, and changes nothing that is real."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nbflow.engine import Engine
from nbflow.flowtests import CaseState
from nbflow.settings import Settings
from nbflow.testing import eventually
from tests.flowtests.suites import flow, run, run_case, suite


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    with Engine(settings=settings, takes_over=False) as engine:
        yield engine


def test_a_deployed_flow_is_tested_in_a_home_of_its_own(engine: Engine) -> None:
    engine.store.kv.put("company", "limit", 5, datetime.now(UTC))
    engine.store.kv.put("other.place", "far", "away", datetime.now(UTC))
    engine.store.secrets.put("company.team", "KEY", "hidden-value", datetime.now(UTC))
    engine.store.namespace_files.put("company.team", "rows.txt", b"from the namespace")
    engine.store.namespaces.save("company.team", datetime.now(UTC), variables={"region": "north"})
    engine.deploy(
        flow(
            """
            - id: set
              type: io.kestra.plugin.core.kv.Set
              key: limit
              value: "{{ kv('limit') + 1 }}"
              namespace: company
            - {id: read, type: return, format: "{{ read('rows.txt') }}, {{ namespace.region }}"}
            - {id: far, type: return, format: "{{ kv('far', namespace='other.place') }}"}
            - {id: secret, type: return, format: "{{ secret('KEY') }}"}
            - {id: kept, type: return, format: "{{ kv('limit') }}"}
            """
        )
    )
    result = run_case(
        """
        - id: one
          assertions:
            - {state: SUCCESS}
            - {value: "{{ outputs.read.value }}", equalTo: "from the namespace, north"}
            - {value: "{{ outputs.far.value }}", equalTo: away}
            - {value: "{{ outputs.kept.value }}", equalTo: 6}
            - {value: "{{ secret('KEY') }}", equalTo: something else}
        """,
        store=engine.store,
    )
    assert [one.operator for one in result.failed] == ["equalTo"]
    assert "hidden-value" not in str(result.to_dict())
    entry = engine.store.kv.get("company", "limit", datetime.now(UTC))
    assert entry is not None
    assert entry.value == 5
    assert engine.executions() == []


def test_subflows_of_the_home_are_there_by_revision(engine: Engine) -> None:
    for number in (1, 2, 3):
        engine.deploy(
            flow(
                f"- {{id: say, type: return, format: 'revision {number}'}}",
                "outputs: [{id: said, type: STRING, value: '{{ outputs.say.value }}'}]",
                "child",
            )
        )
    call = "- {{id: {0}, type: subflow, namespace: company.team, flowId: child{1}}}\n"
    engine.deploy(flow(call.format("old", ", revision: 2") + call.format("new", "")))
    result = run_case(
        """
        - id: one
          assertions:
            - {value: "{{ outputs.old.outputs.said }}", equalTo: revision 2}
            - {value: "{{ outputs.new.outputs.said }}", equalTo: revision 3}
        """,
        store=engine.store,
    )
    assert result.failed == []


def test_files_of_the_home_that_a_suite_names_are_there(engine: Engine) -> None:
    uri = engine.store.files.put_bytes("company/team/etl/executions/1/rows.txt", b"stored before")
    text = flow("- {id: show, type: return, format: '{{ read(inputs.file) }}'}", "inputs: [{id: file, type: FILE}]")
    result = run_case(
        f"""
        - id: one
          fixtures: {{inputs: {{file: "{uri}"}}}}
          assertions: [{{value: "{{{{ outputs.show.value }}}}", equalTo: stored before}}]
        """,
        text,
        store=engine.store,
    )
    assert result.failed == []


def test_cases_do_not_see_each_other() -> None:
    text = flow(
        """
        - {id: before, type: return, format: "{{ kv('seen', errorOnMissing=false) ?? 'nothing' }}"}
        - {id: set, type: io.kestra.plugin.core.kv.Set, key: seen, value: something}
        """
    )
    cases = "".join(
        f"- {{id: case{number}, assertions: [{{value: '{{{{ outputs.before.value }}}}', equalTo: nothing}}]}}\n"
        for number in range(6)
    )
    result = run(suite(cases), text)
    assert result.state is CaseState.SUCCESS
    assert result.count(CaseState.SUCCESS) == 6


def test_executions_of_tests_are_of_a_kind_of_their_own_and_fire_no_flow_triggers(engine: Engine) -> None:
    trigger = "triggers: [{id: after, type: io.kestra.plugin.core.trigger.Flow}]"
    engine.deploy(flow("- {id: heard, type: return, format: x}", trigger, "listener"))
    tested = engine.deploy(flow("- {id: call, type: subflow, namespace: company.team, flowId: child}"))
    engine.deploy(flow("- {id: b, type: return, format: x}", flow_id="child"))
    engine.run_flow(tested, kind="TEST", wait=True, timeout=60)
    of_tests = [one.id for one in engine.executions() if one.record.kind == "TEST"]
    assert len(of_tests) == 2
    real = engine.run("company.team", "child", wait=True, timeout=60)
    eventually(lambda: engine.executions("company.team", "listener"))  # it is asked in the order of what happened
    causes = [one.trigger for one in engine.executions("company.team", "listener")]
    assert [real.id in str(cause) for cause in causes] == [True]


def test_the_folders_of_tests_are_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run_case("- {id: one, assertions: [{state: SUCCESS}]}", flow("- {id: a, type: return, format: x}"))
    assert list(tmp_path.iterdir()) == []

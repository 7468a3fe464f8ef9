"""The story of a pipeline as Kestra's own Python clients tell it, unchanged, against a server process."""

from __future__ import annotations

import io
import json
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.server.live import LiveServer, live_server

with warnings.catch_warnings():  # kestrapy's models name a field `validate`
    warnings.simplefilter("ignore")
    from kestrapy import KestraClient
    from kestrapy.exceptions import (
        ConflictException,
        NotFoundException,
        UnauthorizedException,
        UnprocessableEntityException,
    )

TENANT, NS = "main", "company.team"

ETL = """\
id: etl
namespace: company.team
labels:
  team: qa
inputs:
  - id: name
    type: STRING
    defaults: World
  - id: count
    type: INT
    defaults: 2
  - id: doc
    type: FILE
    required: false
tasks:
  - id: hello
    type: io.kestra.plugin.core.log.Log
    message: Hello {{ inputs.name }} {{ inputs.count }}
  - id: made
    type: io.kestra.plugin.core.storage.Write
    content: "a,b\\n1,{{ inputs.count }}\\n"
    extension: .csv
  - id: read
    type: io.kestra.plugin.core.debug.Return
    format: "{{ inputs.doc is defined and inputs.doc is not null ? read(inputs.doc) : 'no file' }}"
outputs:
  - id: text
    type: STRING
    value: "{{ outputs.read.value }}"
"""

FAILS_ONCE = """\
id: fails
namespace: company.team
tasks:
  - id: first
    type: io.kestra.plugin.core.debug.Return
    format: one
  - id: second
    type: io.kestra.plugin.core.flow.If
    condition: "{{ kv('mended', errorOnMissing=false) == 'yes' }}"
    then:
      - id: fine
        type: io.kestra.plugin.core.log.Log
        message: mended
    else:
      - id: broken
        type: io.kestra.plugin.core.execution.Fail
"""

PAUSED = """\
id: paused
namespace: company.team
tasks:
  - id: ask
    type: io.kestra.plugin.core.flow.Pause
    onResume:
      - id: answer
        type: STRING
  - id: said
    type: io.kestra.plugin.core.debug.Return
    format: "{{ outputs.ask.onResume.answer }}"
"""

SLEEPER = """\
id: sleeper
namespace: company.team
tasks:
  - id: nap
    type: io.kestra.plugin.core.flow.Sleep
    duration: PT300S
"""

TIMED = """\
id: timed
namespace: company.team
tasks:
  - id: date
    type: io.kestra.plugin.core.debug.Return
    format: "{{ trigger.date }}"
triggers:
  - id: daily
    type: io.kestra.plugin.core.trigger.Schedule
    cron: "0 3 * * *"
    disabled: false
  - id: hook
    type: io.kestra.plugin.core.trigger.Webhook
    key: 4wjtkzwVGBM9yKnjm3yv8r
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    home = tmp_path_factory.mktemp("home")
    with live_server(home, "--basic-auth", "ada@example.com:lovelace", "--token", "a-token") as running:
        yield running


@pytest.fixture(scope="module")
def client(server: LiveServer) -> Iterator[KestraClient]:
    with KestraClient(host=server.url, username="ada@example.com", password="lovelace", timeout=100) as known:
        for text in (ETL, FAILS_ONCE, PAUSED, SLEEPER, TIMED):
            known.flows.create_flow(TENANT, text)
        yield known


def until(look: Callable[[], Any], seconds: float = 100) -> Any:
    """What `look` finds, once it finds something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen")


def ended(client: KestraClient, execution_id: str) -> Any:
    return until(lambda: _at_end(client.executions.execution(execution_id, TENANT)))


def _at_end(execution: Any) -> Any:
    return execution if str(execution.state.current.value) in ("SUCCESS", "FAILED", "KILLED", "WARNING") else None


def state(execution: Any) -> str:
    current = execution.state.current
    return str(getattr(current, "value", current))


def test_who_is_unknown_is_told_so(server: LiveServer) -> None:
    stranger = KestraClient(host=server.url, username="ada@example.com", password="wrong", timeout=100)
    with pytest.raises(UnauthorizedException):
        stranger.flows.search_flows(TENANT)


def test_a_token_is_as_good_as_a_password(server: LiveServer, client: KestraClient) -> None:
    with KestraClient(host=server.url, token="a-token", timeout=100) as other:
        assert other.misc.configuration().version == "2.0.0"


def test_flows_are_created_checked_found_changed_and_taken_away(client: KestraClient) -> None:
    flows = client.flows
    with pytest.raises(UnprocessableEntityException):
        flows.create_flow(TENANT, ETL)
    (valid,) = flows.validate_flows(TENANT, ETL)
    (wrong,) = flows.validate_flows(TENANT, "id: x\nnamespace: a.b\ntasks:\n  - id: t\n    type: nothing.here\n")
    assert valid.constraints is None
    assert "nothing.here" in (wrong.constraints or "")
    found = flows.search_flows(TENANT, page=1, size=10, filters=[_is("namespace", "EQUALS", NS)])
    assert {flow.id for flow in found.results or []} >= {"etl", "fails", "paused"}
    text = ETL.replace("id: etl", "id: gone")
    flows.create_flow(TENANT, text)
    updated = flows.update_flow(NS, "gone", TENANT, text.replace("team: qa", "team: ops"))
    assert updated.revision == 2
    assert [one.revision for one in flows.list_flow_revisions(NS, "gone", TENANT)] == [1, 2]
    assert flows.flow(NS, "gone", TENANT, source=True, revision=1).source == text
    assert flows.generate_flow_graph(NS, "gone", TENANT).nodes
    assert NS in flows.list_distinct_namespaces(TENANT)
    assert flows.task_from_flow(NS, "gone", "hello", TENANT).id == "hello"
    flows.delete_flow(NS, "gone", TENANT)
    with pytest.raises(NotFoundException):
        flows.flow(NS, "gone", TENANT)


def test_flows_are_exported_and_imported_again(client: KestraClient) -> None:
    packed = client.flows.export_flows_by_ids(TENANT, [{"namespace": NS, "id": "etl"}])
    archive = zipfile.ZipFile(io.BytesIO(packed))
    assert archive.namelist() == [f"{NS}.etl.yml"]
    assert archive.read(f"{NS}.etl.yml").decode() == ETL
    again = client.flows.export_flows_by_query(TENANT, [_is("flowId", "EQUALS", "etl")])
    assert zipfile.ZipFile(io.BytesIO(again)).namelist() == [f"{NS}.etl.yml"]
    assert client.flows.import_flows(TENANT, file_content=packed) == []
    two = ETL.replace("id: etl", "id: one", 1) + "---\n" + ETL.replace("id: etl", "id: two", 1)
    assert client.flows.import_flows(TENANT, file_content=two.encode()) == []
    assert client.flows.disable_flows_by_ids(TENANT, [{"namespace": NS, "id": "one"}]).count == 1
    with pytest.raises(ConflictException):
        client.executions.create_execution(TENANT, NS, "one")
    assert client.flows.enable_flows_by_ids(TENANT, [{"namespace": NS, "id": "one"}]).count == 1
    names = [{"namespace": NS, "id": "one"}, {"namespace": NS, "id": "two"}]
    assert client.flows.delete_flows_by_ids(TENANT, names).count == 2


def test_an_execution_with_a_file_is_run_followed_and_read(client: KestraClient) -> None:
    executions = client.executions
    inputs = {"name": "Ada", "count": 7, "doc": ("report 1.txt", b"what is in it")}
    created = executions.create_execution(TENANT, NS, "etl", labels=["run:first"], inputs=inputs)
    assert created.url
    seen = list(executions.follow_execution(created.id, TENANT))
    assert state(seen[-1]) == "SUCCESS"
    whole = executions.execution(created.id, TENANT)
    assert {(label.key, label.value) for label in whole.labels or []} >= {("team", "qa"), ("run", "first")}
    assert client.outputs.execution_outputs(created.id, TENANT) == {"text": "what is in it"}
    runs = {one.task_id: one for one in client.outputs.task_outputs_information(created.id, TENANT)}
    made = client.outputs.task_run_outputs(created.id, runs["made"].task_run_id, TENANT)
    assert executions.download_file_from_execution(created.id, made["uri"], TENANT) == b"a,b\n1,7\n"
    assert executions.file_metadatas_from_execution(created.id, made["uri"], TENANT).size == 8
    shown = executions.preview_file_from_execution(created.id, made["uri"], TENANT, max_rows=1)
    assert (shown["type"], shown["content"], shown["truncated"]) == ("TEXT", "a,b", True)
    said = ["Hello Ada 7", "what is in it"]
    assert [entry.message for entry in client.logs.list_logs_from_execution(created.id, TENANT)] == said
    assert "INFO Hello Ada 7" in client.logs.download_logs_from_execution(created.id, TENANT)
    assert [entry.message for entry in client.logs.follow_logs_from_execution(created.id, TENANT)] == said
    found = client.logs.search_logs(TENANT, filters=[_is("executionId", "EQUALS", created.id)])
    assert (found.total, {entry.message for entry in found.results}) == (2, set(said))
    assert executions.eval_expression(created.id, TENANT, "{{ inputs.name }}") == {"result": "Ada"}
    assert executions.execution_flow_graph(created.id, TENANT).nodes
    assert executions.flow_from_execution_by_id(created.id, TENANT).id == "etl"
    latest = executions.latest_executions(TENANT, [{"namespace": NS, "id": "etl"}])
    assert [one.id for one in latest] == [created.id]


def test_inputs_are_checked_before_anything_runs(client: KestraClient) -> None:
    checked = client.executions.validate_new_execution_inputs(NS, "etl", TENANT, inputs={"count": "many"})
    errors = {one["input"]["id"]: one["errors"] for one in checked["inputs"]}
    assert errors["name"] == []
    assert errors["count"]
    with pytest.raises(UnprocessableEntityException):
        client.executions.create_execution(TENANT, NS, "etl", inputs={"count": "many"})


def test_a_failure_is_restarted_and_replayed(client: KestraClient) -> None:
    executions = client.executions
    client.kv.set_key_value(NS, "mended", TENANT, '"no"')
    first = ended(client, executions.create_execution(TENANT, NS, "fails").id)
    assert state(first) == "FAILED"
    client.kv.set_key_value(NS, "mended", TENANT, '"yes"')
    assert executions.restart_execution(first.id, TENANT).id == first.id
    new = executions.replay_execution(first.id, TENANT)
    assert new.id != first.id
    assert new.original_id == first.id
    assert state(ended(client, new.id)) == "SUCCESS"
    ended(client, first.id)
    changed = executions.update_execution_status(new.id, "WARNING", TENANT)
    assert state(changed) == "WARNING"
    labelled = executions.set_labels_on_terminated_execution(new.id, TENANT, [{"key": "looked", "value": "at"}])
    assert ("looked", "at") in {(label.key, label.value) for label in labelled.labels or []}


def test_a_pause_waits_for_its_answer(client: KestraClient) -> None:
    executions = client.executions
    created = executions.create_execution(TENANT, NS, "paused")
    until(lambda: state(executions.execution(created.id, TENANT)) == "PAUSED")
    with pytest.raises(UnprocessableEntityException):
        executions.resume_execution(created.id, TENANT)
    checked = executions.validate_resume_execution_inputs(created.id, TENANT, {"answer": "yes"})
    assert checked["inputs"][0]["errors"] == []
    executions.resume_execution(created.id, TENANT, {"answer": "yes"})
    assert state(ended(client, created.id)) == "SUCCESS"
    with pytest.raises(ConflictException):
        executions.resume_execution(created.id, TENANT, {"answer": "again"})


def test_running_executions_are_killed_one_by_one_and_many_at_once(client: KestraClient) -> None:
    executions = client.executions
    ids = [executions.create_execution(TENANT, NS, "sleeper").id for _ in range(4)]
    until(lambda: all(state(executions.execution(one, TENANT)) == "RUNNING" for one in ids))
    assert executions.kill_execution(ids[0], TENANT).id == ids[0]
    assert state(ended(client, ids[0])) == "KILLED"
    done = executions.kill_executions_by_ids(TENANT, ids[1:3])
    assert (done["count"], done["totalItems"]) == (2, 2)
    by_query = executions.kill_executions_by_query(
        TENANT, [_is("flowId", "EQUALS", "sleeper"), _is("state", "IN", ["RUNNING"])]
    )
    assert by_query["count"] >= 1
    for one in ids:
        ended(client, one)
    with pytest.raises(Exception, match="cannot be dealt with"):
        executions.kill_executions_by_ids(TENANT, ids)
    page = executions.search_executions(
        TENANT, page=1, size=2, sort=["state.startDate:desc"], filters=[_is("flowId", "EQUALS", "sleeper")]
    )
    assert (page["total"], len(page["results"])) == (4, 2)
    either = {"logical": "OR", "children": [_is("id", "EQUALS", ids[0]), _is("id", "EQUALS", ids[1])]}
    assert executions.search_executions(TENANT, filters=[either])["total"] == 2
    assert executions.delete_executions_by_ids(TENANT, ids[:1]).count == 1
    executions.delete_execution(ids[1], TENANT)
    assert executions.delete_executions_by_query(TENANT, [_is("flowId", "EQUALS", "sleeper")])["count"] == 2


def test_values_are_kept_by_key(client: KestraClient) -> None:
    kv = client.kv
    for key, body, kind, value in (
        ("text", '"words"', "STRING", "words"),
        ("number", "42", "NUMBER", 42),
        ("tree", '{"a": [1]}', "JSON", {"a": [1]}),
        ("day", "2026-11-21", "DATE", "2026-11-21"),
        ("span", "PT5M", "DURATION", "PT5M"),
    ):
        kv.set_key_value(NS, key, TENANT, body)
        found = kv.key_value(NS, key, TENANT)
        assert (found.type.value, found.value) == (kind, value)
    assert {entry.key for entry in kv.list_all_keys(TENANT, size=100).results} >= {"text", "number"}
    assert {entry.key for entry in kv.list_keys_with_inheritance(f"{NS}.below", TENANT)} >= {"text", "number"}
    assert kv.delete_key_value(NS, "text", TENANT) is True
    assert kv.delete_key_value(NS, "text", TENANT) is False
    with pytest.raises(NotFoundException):
        kv.key_value(NS, "text", TENANT)
    with pytest.raises(UnprocessableEntityException):
        kv.set_key_value(NS, "text", TENANT, "no JSON")


def test_files_lie_in_a_namespace(client: KestraClient) -> None:
    files = client.files
    files.create_namespace_file(NS, "/scripts/main.py", TENANT, b"print(1)\n")
    files.create_namespace_directory(NS, TENANT, "/empty")
    assert files.file_content(NS, "/scripts/main.py", TENANT) == b"print(1)\n"
    assert files.file_metadatas(NS, TENANT, "/scripts/main.py").size == 9
    listed = {one.file_name: one.type.value for one in files.list_namespace_directory_files(NS, TENANT, "/")}
    assert listed == {"empty": "Directory", "scripts": "Directory"}
    assert files.search_namespace_files(NS, "main", TENANT) == ["/scripts/main.py"]
    assert zipfile.ZipFile(io.BytesIO(files.export_namespace_files(NS, TENANT))).namelist() == ["scripts/main.py"]
    files.move_file_directory(NS, "/scripts", "/code", TENANT)
    assert files.file_content(NS, "/code/main.py", TENANT) == b"print(1)\n"
    files.delete_file_directory(NS, "/code", TENANT)
    with pytest.raises(NotFoundException):
        files.file_content(NS, "/code/main.py", TENANT)
    with pytest.raises(UnprocessableEntityException):
        files.file_content(NS, "/../../secret.key", TENANT)


def test_a_webhook_needs_its_key_and_nothing_else(server: LiveServer, client: KestraClient) -> None:
    address = f"{server.url}/api/v1/executions/webhook/{NS}/timed"
    started = requests.post(f"{address}/4wjtkzwVGBM9yKnjm3yv8r?a=1", json={"x": 1}, timeout=100)
    assert started.status_code == 200
    assert started.json()["trigger"]["variables"]["body"] == {"x": 1}
    wrong = requests.post(f"{address}/guessed", json={}, timeout=100)
    elsewhere = requests.post(address.replace("timed", "nothing") + "/guessed", json={}, timeout=100)
    assert (wrong.status_code, elsewhere.status_code) == (404, 404)
    assert wrong.json()["detail"] == elsewhere.json()["detail"] == "there is no webhook at this address"
    known = client.executions.trigger_execution_by_get_webhook(TENANT, NS, "timed", "4wjtkzwVGBM9yKnjm3yv8r")
    assert known is not None


def test_a_trigger_is_found_switched_and_runs_past_dates(client: KestraClient) -> None:
    triggers = client.triggers
    name = {"namespace": NS, "flowId": "timed", "triggerId": "daily"}
    row = until(lambda: triggers.search_triggers(TENANT, filters=[_is("triggerId", "EQUALS", "daily")])["results"])[0]
    assert row["trigger"]["cron"] == "0 3 * * *"
    assert row["state"]["date"]  # a strict model of kestrapy 1.0 has it as a date
    assert row["state"]["nextEvaluationDate"] == row["triggerContext"]["nextExecutionDate"]
    assert triggers.disable_trigger_by_id(TENANT, {**name, "disabled": True})["disabled"] is True
    backfill = {"start": "2024-01-01T00:00:00Z", "end": "2024-01-03T12:00:00Z", "labels": [{"key": "b", "value": "f"}]}
    begun = triggers.create_backfill(TENANT, {**name, "backfill": backfill})
    assert begun["backfill"]["start"].startswith("2024-01-01")
    filters = [_is("flowId", "EQUALS", "timed"), _is("labels", "EQUALS", {"b": "f"}), _is("state", "IN", ["SUCCESS"])]
    until(lambda: client.executions.search_executions(TENANT, filters=filters)["total"] == 3)
    until(lambda: "backfill" not in triggers.search_triggers_for_flow(TENANT, NS, "timed", q="daily")["results"][0])
    assert triggers.disable_trigger_by_id(TENANT, {**name, "disabled": False})["disabled"] is False
    with pytest.raises(ConflictException):
        triggers.unlock_trigger(TENANT, NS, "timed", "daily")
    with pytest.raises(ConflictException):
        triggers.delete_trigger(TENANT, NS, "timed", "daily")


def test_namespaces_plugins_and_secrets_are_listed(client: KestraClient) -> None:
    found = client.namespaces.search_namespaces(TENANT, size=100)
    assert {one.id for one in found.results} >= {"company", NS}
    assert client.namespaces.namespace(NS, TENANT).id == NS
    assert NS in client.namespaces.autocomplete_namespaces(TENANT, {"q": "team"})
    assert client.namespaces.list_secrets(TENANT).total == 0
    assert client.namespaces.inherited_secrets(NS, TENANT) == {NS: []}
    assert client.plugins.plugin_documentation("io.kestra.plugin.core.log.Log")["schema"]["properties"]
    assert "upper" in client.misc.pebble_filters()


@pytest.mark.parametrize("tenant", [None, "main"])
def test_the_script_helper_starts_a_flow_and_waits_for_it(
    server: LiveServer, client: KestraClient, tenant: str | None
) -> None:
    from kestra import Flow

    flow = Flow(tenant=tenant, poll_interval=0, labels_from_inputs=True)
    flow.user, flow.password, flow.hostname = "ada@example.com", "lovelace", server.url
    result = flow.execute(NS, "etl", {"name": "Grace", "files": ("doc", io.BytesIO(b"from a script"), "text/plain")})
    assert (result.status, result.error) == ("SUCCESS", None)
    assert "Hello Grace 2" in (result.log or "")
    assert client.outputs.execution_outputs(result.execution_id, TENANT) == {"text": "from a script"}


def _is(field: str, operation: str, value: object) -> dict[str, object]:
    return {"field": field, "operation": operation, "value": value}


def test_an_answer_is_never_cut_off_by_numbers_that_json_lacks(client: KestraClient) -> None:
    text = json.dumps({"a": 1e308})
    client.kv.set_key_value(NS, "large", TENANT, text)
    assert client.kv.key_value(NS, "large", TENANT).value == {"a": 1e308}

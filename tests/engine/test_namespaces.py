"""What a namespace gives its flows: stored values, secrets, files, variables, defaults; also to those below it."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from nbflow.engine import Engine, Execution
from nbflow.settings import Settings
from nbflow.store import is_encrypted
from tests.engine.conftest import messages

NOW = datetime(2024, 5, 1, tzinfo=UTC)


def run(engine: Engine, message: str, *, more: str = "", **inputs: object) -> Execution:
    """Run a flow of `company.team` that logs a message."""
    text = f"id: f\nnamespace: company.team\n{more}\ntasks:\n  - {{id: a, type: log, message: {message!r}}}\n"
    engine.deploy(text)
    return engine.run("company.team", "f", inputs, wait=True, timeout=30)


def test_a_stored_value_keeps_its_type_and_is_found_in_the_namespaces_around(engine: Engine) -> None:
    engine.store.kv.put("company", "limits", {"rows": 10}, NOW)
    engine.store.kv.put("company", "name", "far", NOW)
    engine.store.kv.put("company.team", "name", "near", NOW)
    engine.store.kv.put("other", "name", "elsewhere", NOW)
    text = "{{ kv('name') }} {{ kv('limits').rows + 1 }} {{ kv('name', 'other') }} {{ kv('x', errorOnMissing=false) }}|"
    assert messages(run(engine, text)) == ["near 11 elsewhere |"]


def test_a_missing_value_is_told_with_the_nearest_key(engine: Engine) -> None:
    engine.store.kv.put("company.team", "table_name", "t", NOW)
    execution = run(engine, "{{ kv('table_nmae') }}")
    assert execution.state == "FAILED"
    assert "there is no key `table_nmae` in the key-value store of `company.team`" in messages(execution)[0]
    assert "did you mean `table_name`?" in messages(execution)[0]


def test_defaults_of_inputs_see_stored_values(engine: Engine) -> None:
    engine.store.kv.put("company", "table", "orders", NOW)
    more = "inputs: [{id: table, type: STRING, defaults: \"{{ kv('table') | upper }}\"}]"
    assert messages(run(engine, "{{ inputs.table }}", more=more)) == ["ORDERS"]


def test_secrets_come_from_the_namespace_and_are_masked(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", base64.b64encode(b"from-the-environment").decode())
    engine.store.secrets.put("company", "TOKEN", "hunter2-hunter2", NOW)
    engine.store.secrets.put("company", "LOGIN", '{"user": "ada", "password": "swordfish"}', NOW)
    text = (
        "{{ secret('TOKEN') == 'hunter2-hunter2' }} {{ secret('TOKEN') }} {{ secret('KEY') | length }} "
        "{{ secret('LOGIN', subkey='password') | upper }}"
    )
    assert messages(run(engine, text)) == ["true ******** 20 SWORDFISH"]
    assert "no JSON map with a key `nope`" in messages(run(engine, "{{ secret('LOGIN', subkey='nope') }}"))[0]


def test_secret_inputs_are_encrypted_in_the_history(engine: Engine) -> None:
    more = "inputs: [{id: db.password, type: SECRET}]"
    execution = run(engine, "{{ inputs.db.password }} {{ inputs.db.password | length }}", more=more, **{
        "db.password": "swordfish"
    })  # fmt: skip
    assert messages(execution) == ["******** 9"]
    kept = execution.inputs["db"]
    assert isinstance(kept, dict)
    assert is_encrypted(str(kept["password"]))
    assert execution.render("{{ inputs.db.password }}") == "********"


def test_namespace_files_are_read(engine: Engine) -> None:
    files = engine.store.namespace_files
    files.put("company", "sql/far.sql", b"select 1")
    files.put("company.team", "near.txt", b"near")
    text = "{{ read('near.txt') }} {{ read('sql/far.sql') }} {{ fileSize('nsfile:///near.txt') }}"
    assert messages(run(engine, text)) == ["near select 1 4"]
    assert messages(run(engine, "{{ read(fileURI('near.txt')) }}")) == ["near"]


def test_variables_of_the_namespaces_are_seen(engine: Engine) -> None:
    engine.store.namespaces.save("company", NOW, variables={"region": "north", "db": {"host": "h", "port": 1}})
    engine.store.namespaces.save("company.team", NOW, variables={"db": {"port": 2}, "day": "{{ flow.id }}!"})
    text = "{{ namespace.id }} {{ namespace.region }} {{ namespace.db }} {{ namespace.day }}"
    assert messages(run(engine, text)) == ['company.team north {"host":"h","port":2} f!']


def test_plugin_defaults_of_the_namespaces_and_the_settings(engine: Engine) -> None:
    engine.store.namespaces.save(
        "company", NOW, plugin_defaults=[{"type": "io.kestra.plugin.core.log.Log", "values": {"level": "WARN"}}]
    )
    execution = run(engine, "hi")
    assert [entry.level for entry in execution.logs()] == ["WARN"]
    assert engine.validate("id: f\nnamespace: company\ntasks: [{id: a, type: log, message: m, level: NO}]")


def test_plugin_defaults_of_the_settings(settings: Settings) -> None:
    settings.home.mkdir()
    (settings.home / "nbflow.yaml").write_text(
        "kestra: {plugins: {defaults: [{type: io.kestra.plugin.core.log.Log, values: {level: ERROR}}]}}"
    )
    with Engine(settings.home) as engine:
        assert [entry.level for entry in run(engine, "hi").logs()] == ["ERROR"]

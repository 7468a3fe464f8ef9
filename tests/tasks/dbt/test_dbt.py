"""dbt: a program that says what dbt says, and (slow) dbt itself on DuckDB."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from nbflow.engine import Engine, Execution
from nbflow.tasks.dbt.project import _adapters_in
from nbflow.widgets.gantt import gantt
from tests.tasks.conftest import RunTasks, messages

# What dbt prints with `--log-format json`, and the file that it writes.
DBT = """#!{python}
import json, os, pathlib, sys
print(json.dumps({{"info": {{"level": "info", "name": "Args", "msg": " ".join(sys.argv[1:])}}}}))
names = ("DBT_LOG_FORMAT", "DBT_PROJECT_DIR", "DBT_PROFILES_DIR")
environment = {{name: os.environ.get(name, "").replace(os.environ["WORKING_DIR"], "WD") for name in names}}
profiles = pathlib.Path(os.environ.get("DBT_PROFILES_DIR", "."), "profiles.yml")
environment["profiles"] = profiles.read_text() if profiles.exists() else ""
target = pathlib.Path(os.environ.get("DBT_PROJECT_DIR", "."), "target")
target.mkdir(parents=True, exist_ok=True)
old = target / "manifest.json"
environment["manifest"] = old.read_text() if old.exists() else ""
print(json.dumps({{"info": {{"level": "debug", "name": "Environment", "msg": json.dumps(environment)}}}}))
if "parse-error" in sys.argv:
    print(json.dumps({{"info": {{"level": "error", "name": "MainEncounteredError", "msg": "Parsing Error"}}}}))
    sys.exit(2)
results = []
wanted = json.loads(os.environ.get("NODES", "[]"))
for number, (name, status, message) in enumerate(wanted):
    start, end = f"2026-01-01T00:00:{{number:02}}.000000", f"2026-01-01T00:00:{{number + 2:02}}.000000"
    node = {{"unique_id": name, "node_started_at": start, "node_finished_at": ""}}
    begun, ended = {{**node, "node_status": "started"}}, {{**node, "node_status": status, "node_finished_at": end}}
    level = {{"error": "error", "warn": "warn"}}.get(status, "info")
    said = [("LogStartLine", begun, "info")] if status != "skipped" else []
    for event, info, level in [*said, ("LogModelResult", ended, level)]:
        shown = {{"level": level, "name": event, "msg": f"{{event}} {{name}}"}}
        print(json.dumps({{"info": shown, "data": {{"node_info": info}}}}), flush=True)
    results.append({{"unique_id": name, "status": status, "message": message, "execution_time": 2.0, "failures": None,
                    "timing": [], "adapter_response": {{"rows_affected": 5}}}})
    if status == "hangs":
        import time
        time.sleep(60)
(target / "manifest.json").write_text(json.dumps({{"nodes": {{"a": 1}}}}))
(target / "run_results.json").write_text(json.dumps({{"results": results}}))
print("\\x1b[32mplain text\\x1b[0m")
sys.exit(1 if any(result["status"] == "error" for result in results) else 0)
"""

OK, WARN, ERROR, SKIPPED = (
    ["model.shop.one", "success", "OK"],
    ["test.shop.unique_one", "warn", "Got 1 result"],
    ["model.shop.bad", "error", "Binder Error: no column nope"],
    ["model.shop.after", "skipped", None],
)

RunDbt = Callable[..., Execution]


@pytest.fixture
def run_dbt(run_tasks: RunTasks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDbt:
    """Run a dbt task whose program says that it has built these nodes."""
    program = tmp_path / "bin" / "dbt"
    program.parent.mkdir()
    program.write_text(DBT.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(program.parent), os.environ["PATH"]]))

    def run(nodes: list[list[str | None]], more: str = "commands: [dbt build]", type: str = "dbt") -> Execution:
        env = json.dumps({"NODES": json.dumps(nodes)})
        return run_tasks(f"- id: dbt\n  type: {type}\n  env: {env}\n" + "\n".join(
            f"  {line}" for line in dedent(more).strip().splitlines()
        ))  # fmt: skip

    return run


def said(execution: Execution, task_id: str) -> list[tuple[str, str]]:
    return [(str(entry.level), entry.message) for entry in execution.logs(task_id=task_id)]


def environment(execution: Execution) -> dict[str, str]:
    """What dbt found around it."""
    found: dict[str, str] = json.loads(next(text for text in messages(execution) if text.startswith('{"DBT_')))
    return found


def test_each_node_is_a_task_run_of_its_own(run_dbt: RunDbt, engine: Engine) -> None:
    execution = run_dbt([OK, WARN, ERROR, SKIPPED])
    assert execution.state == "FAILED"
    parent, *nodes = execution.task_runs
    states = {run.task_id: str(run.state) for run in nodes}
    assert states == {
        "model.shop.one": "SUCCESS",
        "test.shop.unique_one": "WARNING",
        "model.shop.bad": "FAILED",
        "model.shop.after": "SKIPPED",
    }
    assert {run.parent_task_run_id for run in nodes} == {parent.id}
    one = execution.task_runs["model.shop.one"]
    assert one.start == datetime(2026, 1, 1, tzinfo=UTC)
    assert one.end == one.start + timedelta(seconds=2)
    assert [str(attempt.state) for attempt in one.attempts] == ["SUCCESS"]
    assert said(execution, "model.shop.bad") == [
        ("ERROR", "model.shop.bad => error in 2.00s"),
        ("ERROR", "Binder Error: no column nope"),
    ]
    assert said(execution, "model.shop.one")[0] == ("INFO", "model.shop.one => success in 2.00s")
    assert "LogModelResult model.shop.bad" in messages(execution)[-1]  # why the task itself failed
    shape = execution.to_dict()
    assert shape["state"]["current"] == "FAILED"  # type: ignore[index,call-overload]  # Kestra's JSON
    again = engine.execution(execution.id)
    assert {run.task_id: str(run.state) for run in again.task_runs[1:]} == states


def test_the_gantt_shows_the_nodes_below_their_task(run_dbt: RunDbt) -> None:
    execution = run_dbt([OK, ERROR])
    rows = [(row.label, row.depth) for row in gantt(execution.record, execution.task_runs, datetime.now(UTC)).rows]
    assert rows == [("dbt", 0), ("model.shop.one", 1), ("model.shop.bad", 1)]


def test_what_dbt_leaves_is_stored(run_dbt: RunDbt, engine: Engine) -> None:
    for nodes, state in (([OK], "SUCCESS"), ([OK, ERROR], "FAILED")):
        execution = run_dbt(nodes)
        assert execution.state == state
        files = execution.task_runs["dbt"].outputs["outputFiles"]
        assert isinstance(files, dict)
        assert sorted(files) == ["manifest.json", "run_results.json"]
        assert len(json.loads(engine.read_file(str(files["run_results.json"])))["results"]) == len(nodes)


def test_events_are_lines_of_the_log_at_their_level(run_dbt: RunDbt) -> None:
    execution = run_dbt([WARN])
    assert execution.state == "WARNING"
    lines = said(execution, "dbt")
    assert ("INFO", "build") in lines
    assert ("WARN", "LogModelResult test.shop.unique_one") in lines
    assert ("INFO", "plain text") in lines
    assert not any('"info"' in text for _, text in lines)


def test_profiles_win_and_the_project_may_lie_in_a_folder(run_dbt: RunDbt) -> None:
    execution = run_dbt(
        [OK],
        """
        inputFiles: {profiles.yml: old, shop/dbt_project.yml: "name: shop"}
        projectDir: shop
        profiles: |
          shop: {target: "{{ flow.id }}"}
        commands: ["dbt build --vars '{\\"a\\": 1}'"]
        """,
    )
    assert execution.state == "SUCCESS", messages(execution)
    found = environment(execution)
    assert found["profiles"] == 'shop: {target: "flow"}\n'
    assert found["DBT_PROJECT_DIR"] == "WD/shop"
    assert found["DBT_LOG_FORMAT"] == "json"
    assert 'build --vars {"a": 1}' in messages(execution)
    assert "model.shop.one" in [run.task_id for run in execution.task_runs]


def test_a_failure_before_any_node_shows_nothing_old(run_dbt: RunDbt) -> None:
    old = {"unique_id": "model.shop.old", "status": "success", "timing": []}
    stale = json.dumps({"metadata": {"generated_at": "2020-01-01T00:00:00.000000Z"}, "results": [old]})
    execution = run_dbt([], f"inputFiles: {{target/run_results.json: '{stale}'}}\ncommands: [dbt build parse-error]")
    assert execution.state == "FAILED"
    assert messages(execution)[-1] == "the script ended with exit status 2: Parsing Error"
    assert [run.task_id for run in execution.task_runs] == ["dbt"]


def test_nodes_are_not_shown_if_not_wished(run_dbt: RunDbt) -> None:
    execution = run_dbt([OK], "parseRunResults: false\ncommands: [dbt build]")
    assert [run.task_id for run in execution.task_runs] == ["dbt"]


def test_with_another_log_format_nodes_come_from_the_results(run_dbt: RunDbt) -> None:
    execution = run_dbt([OK], "logFormat: TEXT\ncommands: [dbt build | grep -v info]")
    assert environment_format(execution) == ""
    assert [str(run.state) for run in execution.task_runs] == ["SUCCESS", "SUCCESS"]


def environment_format(execution: Execution) -> str:
    return next((text for text in messages(execution) if "DBT_LOG" in text), "")


def test_a_manifest_is_kept_and_found_again(run_dbt: RunDbt, engine: Engine) -> None:
    store = "storeManifest: {key: manifest.json, namespace: prod}\n"
    load = "loadManifest: {key: manifest.json, namespace: prod}\n"
    commands = "commands: [dbt build]"
    first = run_dbt([OK], load + store + commands)
    assert first.state == "SUCCESS", messages(first)
    assert "`loadManifest`: there is no manifest under the key `manifest.json`" in messages(first)
    kept = engine.store.kv.get("prod", "manifest.json", datetime.now(UTC))
    assert kept is not None
    assert kept.value == {"nodes": {"a": 1}}
    assert json.loads(environment(run_dbt([OK], load + commands))["manifest"]) == {"nodes": {"a": 1}}


@pytest.mark.parametrize(
    ("type", "more", "expected"),
    [
        ("io.kestra.plugin.dbt.cli.Build", "", "build"),
        (
            "io.kestra.plugin.dbt.cli.Run",
            "thread: 4\nfullRefresh: true\ntarget: dev\nselect: [orders+, 'tag:a b']\nexclude: [x]\nfailFast: true",
            "--fail-fast run --target dev --threads 4 --full-refresh --select orders+ tag:a b --exclude x",
        ),
        ("io.kestra.plugin.dbt.cli.Test", "selector: nightly\nwarnError: true", "--warn-error test --selector nightly"),
        ("io.kestra.plugin.dbt.cli.Seed", "dbtPath: /usr/local/bin/dbt-of-image", "seed"),
        ("io.kestra.plugin.dbt.cli.Snapshot", "debug: true", "--debug snapshot"),
        ("io.kestra.plugin.dbt.cli.Deps", "target: prod", "deps --target prod"),
        ("io.kestra.plugin.dbt.cli.List", "", "list"),
        ("io.kestra.plugin.dbt.cli.Compile", "", "compile"),
        ("io.kestra.plugin.dbt.cli.Freshness", "", "source freshness"),
    ],
)
def test_there_is_a_task_for_each_command(run_dbt: RunDbt, type: str, more: str, expected: str) -> None:
    execution = run_dbt([OK], more, type)
    assert execution.state == "SUCCESS", messages(execution)
    assert expected in messages(execution)


def test_a_second_attempt_takes_the_place_of_the_first(run_dbt: RunDbt) -> None:
    execution = run_dbt([ERROR], "retry: {type: constant, interval: PT0.01S, maxAttempts: 2}\ncommands: [dbt build]")
    assert [run.task_id for run in execution.task_runs] == ["dbt", "model.shop.bad"]
    assert len(execution.task_runs["dbt"].attempts) == 2


def test_a_restart_builds_the_nodes_anew(run_dbt: RunDbt, engine: Engine) -> None:
    execution = run_dbt([ERROR])
    again = engine.restart(execution.id)
    again.wait(timeout=60)
    assert [str(run.state) for run in again.task_runs] == ["FAILED", "FAILED"]
    assert [run.task_id for run in again.task_runs] == ["dbt", "model.shop.bad"]


def test_a_kill_ends_what_was_being_built(run_dbt: RunDbt, engine: Engine, run_tasks: RunTasks, tmp_path: Path) -> None:
    run_dbt([OK])  # what follows only needs the program
    nodes = json.dumps(json.dumps([OK, ["model.shop.slow", "hangs", ""]]))
    execution = run_tasks(f"- {{id: dbt, type: dbt, env: {{NODES: {nodes}}}, commands: [dbt build]}}", wait=False)
    seen = False
    for _, event in engine.events(execution.id):
        run = getattr(event, "task_run", None)
        if run is not None and run.task_id == "model.shop.slow" and not seen:
            seen = True
            assert str(run.state) == "RUNNING"
            execution.kill()
    assert seen
    states = {run.task_id: str(run.state) for run in engine.execution(execution.id).task_runs}
    assert states == {"dbt": "KILLED", "model.shop.one": "SUCCESS", "model.shop.slow": "KILLED"}


def test_without_dbt_and_without_a_hint_the_task_says_what_to_name(
    run_tasks: RunTasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    execution = run_tasks("- {id: dbt, type: dbt, commands: [dbt build]}")
    assert execution.state == "FAILED"
    assert messages(execution)[-1] == (
        "dbt is not installed here (name its adapter, as in `dependencies: [dbt-duckdb]`)"
    )


@pytest.mark.parametrize(
    ("profiles", "adapters"),
    [
        ("shop: {target: dev, outputs: {dev: {type: duckdb}, prod: {type: postgres}}}", ["duckdb", "postgres"]),
        ("shop: {outputs: {dev: {type: 'x; rm'}}}", []),
        (": nothing [", []),
        ("text", []),
    ],
)
def test_profiles_name_the_adapters(profiles: str, adapters: list[str]) -> None:
    assert list(_adapters_in(profiles)) == adapters


@pytest.mark.slow
def test_dbt_itself_builds_a_project_on_duckdb(run_tasks: RunTasks, tmp_path: Path) -> None:
    execution = run_tasks(f"""
        - id: dir
          type: io.kestra.plugin.core.flow.WorkingDirectory
          inputFiles:
            dbt_project.yml: |
              name: shop
              version: "1.0"
              profile: shop
            models/one.sql: select 1 as id
            models/two.sql: "{{% raw %}}select * from {{{{ ref('one') }}}}{{% endraw %}}"
            models/bad.sql: "{{% raw %}}select nope from {{{{ ref('two') }}}}{{% endraw %}}"
            models/after.sql: "{{% raw %}}select * from {{{{ ref('bad') }}}}{{% endraw %}}"
          tasks:
            - id: dbt
              type: io.kestra.plugin.dbt.cli.DbtCLI
              containerImage: ghcr.io/kestra-io/dbt-duckdb:latest
              taskRunner: {{type: io.kestra.plugin.core.runner.Process}}
              storeManifest: {{key: manifest, namespace: tests}}
              profiles: |
                shop:
                  target: dev
                  outputs:
                    dev: {{type: duckdb, path: {tmp_path}/shop.duckdb}}
              commands: [dbt build]
    """)
    states = {run.task_id: str(run.state) for run in execution.task_runs}
    assert states == {
        "dir": "FAILED",
        "dbt": "FAILED",
        "model.shop.one": "SUCCESS",
        "model.shop.two": "SUCCESS",
        "model.shop.bad": "FAILED",
        "model.shop.after": "SKIPPED",
    }, messages(execution)
    assert any("nope" in text for _, text in said(execution, "model.shop.bad"))
    one, two = execution.task_runs["model.shop.one"], execution.task_runs["model.shop.two"]
    assert one.end is not None
    assert timedelta() < one.end - one.start < timedelta(seconds=30)
    assert one.end <= two.start

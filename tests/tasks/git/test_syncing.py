"""Bringing flows and files from a repository into the home."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nbflow.engine import Engine, Execution
from tests.tasks.conftest import RunTasks, messages
from tests.tasks.git.conftest import Remote

FLOW = "id: {id}\nnamespace: {namespace}\ntasks:\n  - {{id: say, type: log, message: {message}}}\n"


def flow(id: str, message: str = "hi", namespace: str = "elsewhere") -> str:
    return FLOW.format(id=id, message=message, namespace=namespace)


def rows(engine: Engine, execution: Execution, task: str, name: str) -> list[dict[str, Any]]:
    """What a task says has changed."""
    assert execution.state == "SUCCESS", messages(execution)
    content = engine.read_file(str(execution.task_runs[task].outputs[name]))
    return [json.loads(line) for line in content.decode().splitlines()]


def flows(engine: Engine) -> set[str]:
    return {flow.uid for flow in engine.flows() if flow.namespace.startswith("prod")}


def sync(remote: Remote, more: str = "") -> str:
    return f"""
        - id: sync
          type: io.kestra.plugin.git.SyncFlows
          url: {remote.path}
          targetNamespace: prod
          {more}
    """


def test_flows_are_deployed_to_the_namespace_that_is_wanted(
    run_tasks: RunTasks, engine: Engine, remote: Remote
) -> None:
    remote.commit({"_flows/a.yml": flow("a"), "_flows/b.yaml": flow("b"), "_flows/README.md": "x", "c.yml": flow("c")})
    execution = run_tasks(sync(remote))
    assert [
        (row["gitPath"], row["syncState"], row["namespace"]) for row in rows(engine, execution, "sync", "flows")
    ] == [
        ("_flows/a.yml", "ADDED", "prod"),
        ("_flows/b.yaml", "ADDED", "prod"),
    ]
    assert flows(engine) == {"prod.a", "prod.b"}
    assert engine.run("prod", "a", wait=True, timeout=60).state == "SUCCESS"


def test_only_what_has_changed_is_deployed_again(run_tasks: RunTasks, engine: Engine, remote: Remote) -> None:
    remote.commit({"_flows/a.yml": flow("a"), "_flows/b.yml": flow("b")})
    run_tasks(sync(remote))
    remote.commit({"_flows/b.yml": flow("b", "new")})
    execution = run_tasks(sync(remote))
    states = {row["flowId"]: (row["syncState"], row["revision"]) for row in rows(engine, execution, "sync", "flows")}
    assert states == {"a": ("UNCHANGED", 1), "b": ("UPDATED", 2)}
    assert engine.flow("prod", "b").revision == 2


def test_flows_that_are_not_in_git_are_deleted_if_wished_and_not_the_one_that_runs(
    run_tasks: RunTasks, engine: Engine, remote: Remote
) -> None:
    engine.deploy(flow("old", namespace="prod"))
    engine.deploy(flow("deep", namespace="prod.sub"))
    remote.commit({"_flows/a.yml": flow("a")})
    run_tasks(sync(remote))
    assert "prod.old" in flows(engine)
    dry = run_tasks(sync(remote, "delete: true\n          dryRun: true"))
    assert [row["syncState"] for row in rows(engine, dry, "sync", "flows")] == ["DELETED", "UNCHANGED"]
    assert "prod.old" in flows(engine)
    run_tasks(sync(remote, "delete: true"))
    assert flows(engine) == {"prod.a", "prod.sub.deep"}
    engine.deploy(f"id: self\nnamespace: prod\ntasks:\n{sync(remote, 'delete: true')[:-5]}".replace("        ", "  "))
    execution = engine.run("prod", "self", wait=True, timeout=60)
    assert execution.state == "SUCCESS", messages(execution)
    assert flows(engine) == {"prod.a", "prod.self", "prod.sub.deep"}


def test_folders_are_namespaces_below_if_wished(run_tasks: RunTasks, engine: Engine, remote: Remote) -> None:
    remote.commit({"_flows/a.yml": flow("a"), "_flows/team/x/b.yml": flow("b")})
    run_tasks(sync(remote))
    assert flows(engine) == {"prod.a"}
    run_tasks(sync(remote, "includeChildNamespaces: true"))
    assert flows(engine) == {"prod.a", "prod.team.x.b"}


def test_one_flow_that_is_not_valid_keeps_all_from_being_deployed(
    run_tasks: RunTasks, engine: Engine, remote: Remote
) -> None:
    remote.commit({"_flows/a.yml": flow("a"), "_flows/z.yml": "id: z\nnamespace: x\ntasks: [{id: q, type: nope}]"})
    execution = run_tasks(sync(remote))
    assert execution.state == "FAILED"
    assert "`_flows/z.yml` is no valid flow" in messages(execution)[-1]
    assert flows(engine) == set()
    assert run_tasks(sync(remote, "ignoreInvalidFlows: true")).state == "SUCCESS"
    assert flows(engine) == {"prod.a"}


def test_a_dry_run_deploys_nothing(run_tasks: RunTasks, engine: Engine, remote: Remote) -> None:
    remote.commit({"_flows/a.yml": flow("a")})
    execution = run_tasks(sync(remote, "dryRun: true"))
    assert [row["syncState"] for row in rows(engine, execution, "sync", "flows")] == ["ADDED"]
    assert flows(engine) == set()


@pytest.mark.parametrize("fails", [True, False])
def test_a_directory_that_is_missing_is_a_failure_unless_said(
    run_tasks: RunTasks, engine: Engine, remote: Remote, fails: bool
) -> None:
    remote.commit({"a.txt": "x"})
    execution = run_tasks(sync(remote, f"gitDirectory: nope\n          failOnMissingDirectory: {str(fails).lower()}"))
    if fails:
        assert execution.state == "FAILED"
        said = "there is no directory `nope` in the branch `main` of the repository"
        assert messages(execution)[-1] == said
    else:
        assert rows(engine, execution, "sync", "flows") == []


def test_one_flow_can_be_synced(run_tasks: RunTasks, engine: Engine, remote: Remote) -> None:
    remote.commit({"deep/a.yml": flow("a")})
    execution = run_tasks(f"""
        - {{id: sync, type: git_sync_flow, url: {remote.path}, targetNamespace: prod, flowPath: deep/a.yml}}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert execution.task_runs["sync"].outputs == {"flowId": "a", "namespace": "prod", "revision": 1}
    assert flows(engine) == {"prod.a"}


def test_files_are_brought_into_a_namespace(run_tasks: RunTasks, engine: Engine, remote: Remote) -> None:
    files = engine.store.namespace_files
    files.put("prod", "same.txt", b"same")
    files.put("prod", "old.txt", b"old")
    files.put("prod", "gone.txt", b"gone")
    remote.commit(
        {
            "_files/same.txt": "same",
            "_files/old.txt": "new",
            "_files/sub/a.sql": "select 1",
            "_files/.kestraignore": "*.log\n",
            "_files/x.log": "x",
        }
    )
    sync_files = f"""
        - {{id: sync, type: git_sync_files, url: {remote.path}, namespace: prod, delete: true, %s}}
    """
    dry = run_tasks(sync_files % "dryRun: true")
    wet = run_tasks(sync_files % "dryRun: false")
    for execution in (dry, wet):
        states = {row["kestraPath"]: row["syncState"] for row in rows(engine, execution, "sync", "files")}
        assert states == {
            "/same.txt": "UNCHANGED",
            "/old.txt": "OVERWRITTEN",
            "/sub/a.sql": "ADDED",
            "/gone.txt": "DELETED",
        }
    assert [file.path for file in files.list("prod")] == ["old.txt", "same.txt", "sub/a.sql"]
    assert files.read("prod", "old.txt") == b"new"


def test_a_link_that_leads_out_of_the_repository_is_left_out(
    run_tasks: RunTasks, engine: Engine, remote: Remote
) -> None:
    remote.commit({"_files/a.txt": "a"})
    (remote.work / "_files/passwd").symlink_to("/etc/passwd")
    remote.commit({"_files/b.txt": "b"})
    execution = run_tasks(f"""
        - {{id: sync, type: git_sync_files, url: {remote.path}, namespace: prod}}
    """)
    assert [row["kestraPath"] for row in rows(engine, execution, "sync", "files")] == ["/a.txt", "/b.txt"]

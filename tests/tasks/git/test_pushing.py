"""Pushing flows and files to a repository of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbflow.engine import Engine
from nbflow.tasks.git.pushing import commit_url
from tests.tasks.conftest import RunTasks, messages
from tests.tasks.git.conftest import GitSite, Remote, git
from tests.tasks.git.test_syncing import flow, rows


def push(remote: Remote, more: str = "") -> str:
    return f"""
        - id: push
          type: io.kestra.plugin.git.PushFlows
          url: {remote.path}
          sourceNamespace: dev
          authorName: Grace
          authorEmail: grace@example.com
          {more}
    """


def test_flows_are_committed_by_their_author(run_tasks: RunTasks, engine: Engine, remote: Remote) -> None:
    remote.commit({"README.md": "x", "_flows/gone.yml": "old\nlines\n"})
    engine.deploy(flow("a", namespace="dev"))
    engine.deploy(flow("b", namespace="dev.sub"))
    execution = run_tasks(push(remote))
    assert rows(engine, execution, "push", "flows") == [
        {"file": "_flows/a.yml", "additions": "+4", "deletions": "-0", "changes": "0"},
        {"file": "_flows/gone.yml", "additions": "+0", "deletions": "-2", "changes": "0"},
    ]
    assert set(remote.files()) == {"README.md", "_flows/a.yml"}
    assert remote.files()["_flows/a.yml"] == flow("a", namespace="dev").strip()
    assert remote.log()[0] == "Grace <grace@example.com> Add flows from `dev` namespace"
    outputs = execution.task_runs["push"].outputs
    assert outputs["commitId"] == git("rev-parse", "main", at=remote.path)
    assert "commitURL" not in outputs


def test_nothing_is_committed_when_nothing_has_changed(run_tasks: RunTasks, engine: Engine, remote: Remote) -> None:
    remote.commit({"README.md": "x"})
    engine.deploy(flow("a", namespace="dev"))
    run_tasks(push(remote))
    before = remote.log()
    execution = run_tasks(push(remote))
    assert rows(engine, execution, "push", "flows") == []
    assert "commitId" not in execution.task_runs["push"].outputs
    assert remote.log() == before


def test_a_dry_run_pushes_nothing(run_tasks: RunTasks, engine: Engine, remote: Remote) -> None:
    remote.commit({"README.md": "x"})
    engine.deploy(flow("a", namespace="dev"))
    execution = run_tasks(push(remote, "dryRun: true"))
    assert [row["file"] for row in rows(engine, execution, "push", "flows")] == ["_flows/a.yml"]
    assert set(remote.files()) == {"README.md"}


def test_a_branch_that_is_not_there_is_made(run_tasks: RunTasks, engine: Engine, remote: Remote) -> None:
    remote.commit({"README.md": "x"})
    engine.deploy(flow("a", namespace="dev"))
    execution = run_tasks(push(remote, "branch: feature/new"))
    assert execution.state == "SUCCESS", messages(execution)
    assert set(remote.files("feature/new")) == {"README.md", "_flows/a.yml"}
    assert set(remote.files()) == {"README.md"}


def test_an_empty_repository_gets_its_first_commit(run_tasks: RunTasks, engine: Engine, remote: Remote) -> None:
    engine.deploy(flow("a", namespace="dev"))
    execution = run_tasks(push(remote, "branch: trunk\n          gitDirectory: ."))
    assert [row["additions"] for row in rows(engine, execution, "push", "flows")] == ["+4"]
    assert set(remote.files("trunk")) == {"a.yml"}


def test_flows_are_chosen_renamed_and_put_into_folders(run_tasks: RunTasks, engine: Engine, remote: Remote) -> None:
    remote.commit({"flows/keep_me.yml": "x", "flows/a_old.yml": "x"})
    engine.deploy(flow("a_one", namespace="dev"))
    engine.deploy(flow("a_two", namespace="dev.sub.deep"))
    engine.deploy(flow("other", namespace="dev"))
    execution = run_tasks(
        push(
            remote,
            "gitDirectory: flows\n          targetNamespace: prod\n          includeChildNamespaces: true\n"
            "          flows: ['a_*']\n          commitMessage: 'release {{ flow.id }}'",
        )
    )
    assert execution.state == "SUCCESS", messages(execution)
    assert set(remote.files()) == {"flows/keep_me.yml", "flows/a_one.yml", "flows/sub/deep/a_two.yml"}
    assert "namespace: prod\n" in remote.files()["flows/a_one.yml"]
    assert "namespace: prod.sub.deep\n" in remote.files()["flows/sub/deep/a_two.yml"]
    assert remote.log()[0].endswith("release flow")


def test_files_of_a_namespace_are_pushed(run_tasks: RunTasks, engine: Engine, remote: Remote) -> None:
    remote.commit({"_files/old.sql": "x", "_files/kept.txt": "x"})
    engine.store.namespace_files.put("dev", "sub/a.sql", b"select 1\n")
    engine.store.namespace_files.put("dev", "b.txt", b"b\n")
    execution = run_tasks(f"""
        - {{id: push, type: git_push_files, url: {remote.path}, namespace: dev, files: "*.sql"}}
    """)
    assert [row["file"] for row in rows(engine, execution, "push", "files")] == ["_files/old.sql", "_files/sub/a.sql"]
    assert set(remote.files()) == {"_files/kept.txt", "_files/sub/a.sql"}


def test_no_file_is_a_failure_if_wished(run_tasks: RunTasks, remote: Remote) -> None:
    execution = run_tasks(f"""
        - {{id: push, type: git_push_files, url: {remote.path}, namespace: dev, errorOnMissing: true}}
    """)
    assert execution.state == "FAILED"
    assert messages(execution)[-1] == "no file of the namespace matches `files`"


def test_files_of_an_execution_are_pushed(run_tasks: RunTasks, engine: Engine, remote: Remote) -> None:
    remote.commit({"_outputs/before.txt": "x"})
    execution = run_tasks(f"""
        - id: dir
          type: working_directory
          tasks:
            - {{id: make, type: shell, commands: [echo 1 > one.csv, echo 2 > two.txt]}}
            - {{id: write, type: write_file, content: stored}}
            - id: push
              type: io.kestra.plugin.git.PushExecutionFiles
              url: {remote.path}
              files: ["*.csv"]
              filesMap: {{"{{{{ flow.id }}}}/s.txt": "{{{{ outputs.write.uri }}}}"}}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert remote.files() == {"_outputs/before.txt": "x", "_outputs/one.csv": "1", "_outputs/flow/s.txt": "stored"}


def test_a_push_logs_in_and_tells_nobody_the_password(
    run_tasks: RunTasks, engine: Engine, remote: Remote, git_site: GitSite
) -> None:
    remote.commit({"README.md": "x"})
    git("config", "http.receivepack", "true", at=remote.path)
    engine.deploy(flow("a", namespace="dev"))
    execution = run_tasks(f"""
        - {{id: push, type: git_push_flows, url: {git_site.url}, sourceNamespace: dev, username: ada,
             password: "{git_site.password}"}}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert "_flows/a.yml" in remote.files()
    assert remote.log()[0].startswith("ada <")
    commit = execution.task_runs["push"].outputs["commitId"]
    assert execution.task_runs["push"].outputs["commitURL"] == f"{git_site.url.removesuffix('.git')}/commit/{commit}"
    assert git_site.password not in "".join(messages(execution))


def test_a_push_that_is_refused_fails(run_tasks: RunTasks, engine: Engine, remote: Remote) -> None:
    remote.commit({"README.md": "x"})
    hook = remote.path / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho protected branch >&2\nexit 1\n")
    hook.chmod(0o755)
    engine.deploy(flow("a", namespace="dev"))
    execution = run_tasks(push(remote))
    assert execution.state == "FAILED"
    assert "git push failed" in messages(execution)[-1]
    assert "protected branch" in messages(execution)[-1]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/me/it.git", "https://github.com/me/it/commit/c"),
        ("git@github.com:me/it.git", "https://github.com/me/it/commit/c"),
        ("https://gitlab.com/me/it", "https://gitlab.com/me/it/-/commit/c"),
        ("ssh://git@bitbucket.org/me/it.git", "https://bitbucket.org/me/it/commits/c"),
        ("https://git.example.com:8443/me/it/", "https://git.example.com:8443/me/it/commit/c"),
        ("/srv/it.git", None),
    ],
)
def test_where_a_commit_can_be_seen(url: str, expected: str | None) -> None:
    assert commit_url(url, "c") == expected


def test_nothing_is_left_in_the_working_directory(run_tasks: RunTasks, remote: Remote, tmp_path: Path) -> None:
    remote.commit({"_flows/a.yml": flow("a")})
    execution = run_tasks(f"""
        - id: dir
          type: working_directory
          tasks:
            - {{id: sync, type: git_sync_flows, url: {remote.path}, targetNamespace: prod}}
            - {{id: look, type: shell, commands: [ls -A | grep -v -e '^script-' -e '^.nbflow-out' | wc -l]}}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert "0" in messages(execution)

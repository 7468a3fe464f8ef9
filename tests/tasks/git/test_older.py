"""The older tasks, which push and sync flows and files together."""

from __future__ import annotations

from nbflow.engine import Engine
from tests.tasks.conftest import RunTasks, messages
from tests.tasks.git.conftest import Remote
from tests.tasks.git.test_syncing import flow


def test_flows_and_files_are_pushed_in_place_of_what_was_there(
    run_tasks: RunTasks, engine: Engine, remote: Remote
) -> None:
    remote.commit({"old.txt": "x"})
    engine.store.namespace_files.put("tests", "q/a.sql", b"select 1")
    engine.deploy(flow("below", namespace="tests.sub"))
    task = f"""
        - id: push
          type: io.kestra.plugin.git.Push
          url: {remote.path}
          branch: main
          commitMessage: "from {{{{ flow.id }}}}"
          inputFiles: {{note.txt: hello}}
          namespaceFiles: {{enabled: true}}
          author: {{name: Grace, email: grace@example.com}}
    """
    execution = run_tasks(task)
    assert execution.state == "SUCCESS", messages(execution)
    assert set(remote.files()) == {"note.txt", "q/a.sql", "_flows/tests.flow.yml", "_flows/tests.sub.below.yml"}
    assert remote.log()[0] == "Grace <grace@example.com> from flow"
    again = run_tasks(task)
    assert again.state == "SUCCESS", messages(again)
    assert "commitId" not in again.task_runs["push"].outputs


def test_a_clone_of_an_earlier_task_is_pushed(run_tasks: RunTasks, remote: Remote) -> None:
    remote.commit({"a.txt": "x"})
    execution = run_tasks(f"""
        - id: dir
          type: working_directory
          tasks:
            - {{id: clone, type: git_clone, url: {remote.path}, directory: code}}
            - {{id: change, type: shell, commands: [echo new > code/b.txt]}}
            - id: push
              type: git_push
              directory: code
              branch: dev
              commitMessage: add
              flows: {{enabled: false}}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert remote.files("dev") == {"a.txt": "x", "b.txt": "new"}
    assert remote.files() == {"a.txt": "x"}


def test_a_namespace_becomes_what_the_repository_says(run_tasks: RunTasks, engine: Engine, remote: Remote) -> None:
    engine.deploy(flow("gone", namespace="tests"))
    engine.store.namespace_files.put("tests", "lib/gone.txt", b"x")
    engine.store.namespace_files.put("tests", "other.txt", b"x")
    remote.commit(
        {
            "prod/_flows/a.yml": flow("a"),
            "prod/_flows/b.yml": flow("b", namespace="tests.sub"),
            "prod/deep/q.sql": "select 1",
        }
    )
    task = f"""
        - {{id: sync, type: io.kestra.plugin.git.Sync, url: {remote.path}, gitDirectory: prod,
             namespaceFilesDirectory: lib, dryRun: %s}}
    """
    assert run_tasks(task % "true").state == "SUCCESS"
    assert {one.uid for one in engine.flows()} == {"tests.flow", "tests.gone"}
    execution = run_tasks(task % "false")
    assert execution.state == "SUCCESS", messages(execution)
    assert {one.uid for one in engine.flows()} == {"tests.flow", "tests.a", "tests.sub.b"}
    assert [file.path for file in engine.store.namespace_files.list("tests")] == ["lib/deep/q.sql", "other.txt"]

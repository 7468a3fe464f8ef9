"""Tasks on the files of a namespace, and tasks that find them in their working directory."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from nbflow.engine import Engine
from nbflow.tasks.namespace_files import UploadFiles
from tests.tasks.conftest import RunTasks, messages


def put(engine: Engine, namespace: str = "tests", **files: str) -> None:
    """Put files into a namespace; in a name `__` stands for a slash, `_` for a dot."""
    for name, content in files.items():
        path = name.replace("__", "/").replace("_", ".")
        engine.store.namespace_files.put(namespace, path, content.encode())


def paths(engine: Engine, namespace: str = "tests") -> list[str]:
    return [file.path for file in engine.store.namespace_files.list(namespace)]


def test_stored_files_are_put_into_a_namespace(run_tasks: RunTasks, engine: Engine) -> None:
    execution = run_tasks("""
        - {id: write, type: write_file, content: hello}
        - id: up
          type: io.kestra.plugin.core.namespace.UploadFiles
          namespace: company.team
          destination: /in
          filesMap: {"a-{{ flow.id }}.txt": "{{ outputs.write.uri }}"}
        - {id: text, type: upload_files, filesMap: "{{ {'b.txt': outputs.write.uri} }}"}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert engine.store.namespace_files.read("company.team", "in/a-flow.txt") == b"hello"
    assert engine.store.namespace_files.read("tests", "b.txt") == b"hello"
    files = execution.task_runs["up"].outputs["files"]
    assert files == {"/in/a-flow.txt": "kestra:///company/team/_files/in/a-flow.txt"}


def test_files_of_the_working_directory_are_put_into_a_namespace(run_tasks: RunTasks, engine: Engine) -> None:
    execution = run_tasks("""
        - id: dir
          type: working_directory
          inputFiles: {dbt/a.sql: a, dbt/sub/b.sql: b, other/dbt/c.sql: c, d.txt: d, e.txt: e, f1.md: f}
          tasks:
            - {id: up, type: upload_files, files: ["glob:**/dbt/**", d.txt, 'regex:f\\d[.]md', "no*"], destination: x}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert paths(engine) == ["x/d.txt", "x/dbt/a.sql", "x/dbt/sub/b.sql", "x/f1.md", "x/other/dbt/c.sql"]
    assert "files: nothing matches `no*`" in messages(execution)


@pytest.mark.parametrize(
    ("conflict", "state", "content"),
    [("OVERWRITE", "SUCCESS", b"new"), ("SKIP", "SUCCESS", b"old"), ("ERROR", "FAILED", b"old")],
)
def test_a_conflict_is_settled_as_the_author_says(
    run_tasks: RunTasks, engine: Engine, conflict: str, state: str, content: bytes
) -> None:
    put(engine, a_txt="old")
    execution = run_tasks(f"""
        - {{id: write, type: write_file, content: new}}
        - {{id: up, type: upload_files, filesMap: {{a.txt: "{{{{ outputs.write.uri }}}}"}}, conflict: {conflict}}}
    """)
    assert execution.state == state
    assert engine.store.namespace_files.read("tests", "a.txt") == content


@pytest.mark.parametrize("name", ["../x", "/../../x"])
def test_no_file_leaves_the_namespace(run_tasks: RunTasks, engine: Engine, name: str) -> None:
    execution = run_tasks(f"""
        - {{id: write, type: write_file, content: new}}
        - {{id: up, type: upload_files, filesMap: {{"{name}": "{{{{ outputs.write.uri }}}}"}}}}
    """)
    assert execution.state == "FAILED"
    assert any("is no path of a namespace file" in message for message in messages(execution))


def test_an_upload_must_say_what() -> None:
    with pytest.raises(ValidationError, match="needs `files` or `filesMap`"):
        UploadFiles.model_validate({"id": "up"})


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ("'**test1.txt'", ["/a/b/test1.txt"]),
        ('["**"]', ["/a/b/test1.txt", "/a/b/test2.txt", "/c.sql"]),
        ("[/c.sql, a/b/test2.txt]", ["/a/b/test2.txt", "/c.sql"]),
        ("['regex:/a/.*2[.]txt']", ["/a/b/test2.txt"]),
        ("\"{{ ['**/*.sql'] }}\"", ["/c.sql"]),
        ("[]", []),
        ("nothing", []),
    ],
)
def test_files_are_downloaded(run_tasks: RunTasks, engine: Engine, files: str, found: list[str]) -> None:
    put(engine, "other", a__b__test1_txt="1", a__b__test2_txt="2", c_sql="3")
    execution = run_tasks(f"""
        - id: down
          type: io.kestra.plugin.core.namespace.DownloadFiles
          namespace: other
          files: {files}
          destination: folder/
    """)
    assert execution.state == "SUCCESS", messages(execution)
    stored = execution.task_runs["down"].outputs["files"]
    assert isinstance(stored, dict)
    assert sorted(stored) == found
    for path, uri in stored.items():
        assert str(uri).endswith(f"/folder{path}")
        assert engine.read_file(str(uri)) == engine.store.namespace_files.read("other", path[1:])


def test_files_are_deleted(run_tasks: RunTasks, engine: Engine) -> None:
    put(engine, a__b_upl="1", c_upl="2", d_txt="3")
    execution = run_tasks('- {id: rm, type: io.kestra.plugin.core.namespace.DeleteFiles, files: ["**.upl"]}')
    assert execution.state == "SUCCESS", messages(execution)
    files = execution.task_runs["rm"].outputs["files"]
    assert isinstance(files, dict)
    assert sorted(files) == ["/a/b.upl", "/c.upl"]
    assert paths(engine) == ["d.txt"]


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        ("true", ["inner lib.py", "inner top.txt", "outer only.txt"]),
        ("{enabled: true}", ["inner lib.py", "inner top.txt", "outer only.txt"]),
        ("{enabled: false}", []),
        ("{include: ['*.txt']}", ["inner top.txt", "outer only.txt"]),
        ("{exclude: ['*.txt']}", ["inner lib.py"]),
        ("{include: ['{{ vars.what }}']}", ["inner lib.py"]),
        ("{namespaces: [tests]}", ["outer only.txt", "outer top.txt"]),
        ("{namespaces: ['{{ flow.namespace }}', tests]}", ["inner lib.py", "outer only.txt", "outer top.txt"]),
        ("{namespaces: [tests, tests.in], ifExists: IGNORE}", ["inner lib.py", "outer only.txt", "outer top.txt"]),
    ],
)
@pytest.mark.parametrize("where", ["script", "directory"])
def test_a_task_finds_files_of_its_namespace(engine: Engine, wanted: str, seen: list[str], where: str) -> None:
    put(engine, "tests", top_txt="outer top.txt\n", only_txt="outer only.txt\n")
    put(engine, "tests.in", top_txt="inner top.txt\n", sub__lib_py="inner lib.py\n")
    script = "{id: sh, type: shell, commands: ['cat $(find . -type f | grep -v nbflow) < /dev/null']"
    if where == "script":
        task = f"{script}, namespaceFiles: {wanted}}}"
    else:
        task = f"{{id: dir, type: working_directory, namespaceFiles: {wanted}, tasks: [{script}}}]}}"
    engine.deploy(f"id: flow\nnamespace: tests.in\nvariables: {{what: '*.py'}}\ntasks:\n  - {task}\n")
    execution = engine.run("tests.in", "flow", wait=True, timeout=60)
    assert execution.state == "SUCCESS", messages(execution)
    lines = [entry.message for entry in execution.logs("INFO", task_id="sh")]
    assert sorted(lines) == seen


def test_input_files_lie_over_namespace_files(run_tasks: RunTasks, engine: Engine) -> None:
    put(engine, a_txt="of the namespace")
    execution = run_tasks("""
        - {id: sh, type: shell, commands: [cat a.txt], namespaceFiles: true, inputFiles: {a.txt: given}}
    """)
    assert [entry.message for entry in execution.logs("INFO", task_id="sh")] == ["given"]


@pytest.mark.parametrize(("if_exists", "state"), [("FAIL", "FAILED"), ("WARN", "SUCCESS")])
def test_files_that_are_there_already_stay_if_told_so(
    run_tasks: RunTasks, engine: Engine, if_exists: str, state: str
) -> None:
    put(engine, a_txt="of the namespace")
    execution = run_tasks(f"""
        - id: dir
          type: working_directory
          inputFiles: {{a.txt: given}}
          tasks:
            - {{id: sh, type: shell, commands: [cat a.txt], namespaceFiles: {{ifExists: {if_exists}}}}}
    """)
    run = execution.task_runs["sh"]
    assert run.state == state
    assert any("`a.txt` is there already" in message for message in messages(execution))
    assert ("given" in messages(execution)) == (state == "SUCCESS")


def test_each_namespace_may_have_a_folder(run_tasks: RunTasks, engine: Engine) -> None:
    put(engine, "tests", a_txt="1")
    put(engine, "other", a_txt="2")
    execution = run_tasks("""
        - id: sh
          type: shell
          commands: [cat tests/a.txt other/a.txt]
          namespaceFiles: {namespaces: [tests, other], folderPerNamespace: true}
    """)
    assert [entry.message for entry in execution.logs("INFO", task_id="sh")] == ["12"]

"""Cloning a repository of this machine, and one behind a login."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbflow.engine import Engine
from nbflow.tasks.git.clone import Clone
from tests.tasks.conftest import RunTasks, messages
from tests.tasks.git.conftest import GitSite, Remote, git


def clone_and_look(run_tasks: RunTasks, properties: str, look: str) -> tuple[list[str], str]:
    """What a shell says in the directory of a clone, and the state."""
    execution = run_tasks(f"""
        - id: dir
          type: io.kestra.plugin.core.flow.WorkingDirectory
          inputFiles: {{own.txt: mine}}
          tasks:
            - {{id: clone, type: io.kestra.plugin.git.Clone, {properties}}}
            - {{id: look, type: shell, {look}}}
    """)
    return messages(execution), execution.state


def test_the_tasks_after_a_clone_find_its_files_beside_their_own(run_tasks: RunTasks, remote: Remote) -> None:
    remote.commit({"a.txt": "one\n"})
    remote.commit({"a.txt": "two\n", "sub/b.txt": "b\n"})
    said, state = clone_and_look(run_tasks, f"url: {remote.path}", "commands: [cat a.txt sub/b.txt own.txt]")
    assert state == "SUCCESS", said
    assert {"two", "b", "mine"} <= set(said)


def test_a_clone_is_shallow_unless_asked_for_more(run_tasks: RunTasks, remote: Remote) -> None:
    for number in range(3):
        remote.commit({"a.txt": f"{number}\n"})
    count = "commands: [git rev-list --count HEAD]"
    assert "1" in clone_and_look(run_tasks, f"url: {remote.path}", count)[0]
    assert "2" in clone_and_look(run_tasks, f"url: {remote.path}, depth: 2", count)[0]
    assert "3" in clone_and_look(run_tasks, f"url: {remote.path}, depth: 0", count)[0]


def test_a_branch_a_tag_or_a_commit_is_checked_out(run_tasks: RunTasks, remote: Remote) -> None:
    first = remote.commit({"a.txt": "first\n"}, tag="v1")
    remote.commit({"a.txt": "second\n"})
    remote.commit({"a.txt": "other\n"}, branch="dev")
    look = "commands: [cat a.txt]"
    assert "second" in clone_and_look(run_tasks, f"url: {remote.path}", look)[0]
    assert "other" in clone_and_look(run_tasks, f"url: {remote.path}, branch: dev, cloneAllBranches: false", look)[0]
    assert "first" in clone_and_look(run_tasks, f"url: {remote.path}, tag: v1", look)[0]
    assert "first" in clone_and_look(run_tasks, f"url: {remote.path}, commit: {first[:8]}", look)[0]


def test_a_clone_goes_into_a_directory_and_says_where_and_what(run_tasks: RunTasks, remote: Remote) -> None:
    commit = remote.commit({"a.txt": "x\n"})
    execution = run_tasks(f"""
        - id: dir
          type: working_directory
          tasks:
            - id: clone
              type: git_clone
              url: {remote.path}
              directory: code/here
              gitConfig: {{core.fileMode: false}}
            - id: look
              type: shell
              commands: ["cat {{{{ outputs.clone.directory }}}}/a.txt", cat code/here/a.txt, cat code/here/.git/config]
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert messages(execution).count("x") == 2
    assert execution.task_runs["clone"].outputs["commitId"] == commit
    assert any("fileMode = false" in message or "filemode = false" in message for message in messages(execution))


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ("branch: nope", "there is no branch `nope` in the repository (there are main)"),
        ("tag: v9", "there is no tag `v9` in the repository"),
        ("commit: abcdef12", "there is no commit `abcdef12` in the repository"),
        ("branch: --upload-pack=touch", "`--upload-pack=touch` is no name of a branch, a tag or a commit"),
        ("directory: ../up", "`../up` is outside the working directory (give a path relative to it, without `..`)"),
    ],
)
def test_what_is_not_there_is_said(run_tasks: RunTasks, remote: Remote, properties: str, said: str) -> None:
    remote.commit({"a.txt": "x\n"})
    execution = run_tasks(f"- {{id: clone, type: git_clone, url: {remote.path}, {properties}}}")
    assert execution.state == "FAILED"
    assert messages(execution)[-1] == said


def test_an_address_that_is_no_repository_fails(run_tasks: RunTasks, tmp_path: Path) -> None:
    execution = run_tasks(f"- {{id: clone, type: git_clone, url: {tmp_path}/nothing}}")
    assert execution.state == "FAILED"
    assert "git ls-remote failed" in messages(execution)[-1]


def test_a_password_is_neither_logged_nor_kept(run_tasks: RunTasks, remote: Remote, git_site: GitSite) -> None:
    remote.commit({"a.txt": "x\n"})
    properties = f'url: {git_site.url}, username: ada, password: "{git_site.password}"'
    said, state = clone_and_look(
        run_tasks, properties, "commands: [cat a.txt .git/config, 'grep -r word .git || echo clean']"
    )
    assert state == "SUCCESS", said
    assert git_site.logins
    assert "clean" in said
    assert not any(git_site.password in message for message in said)


def test_a_password_in_the_address_is_not_kept_either(run_tasks: RunTasks, remote: Remote, git_site: GitSite) -> None:
    git_site.password = "s3cr3t"
    remote.commit({"a.txt": "x\n"})
    url = git_site.url.replace("http://", "http://ada:s3cr3t@")
    said, state = clone_and_look(run_tasks, f"url: '{url}'", "commands: ['grep -r s3cr3 .git || echo clean']")
    assert state == "SUCCESS", said
    assert "clean" in said
    assert not any("s3cr3t" in message for message in said)


def test_a_wrong_password_is_said_at_once(run_tasks: RunTasks, git_site: GitSite) -> None:
    execution = run_tasks(f"- {{id: clone, type: git_clone, url: {git_site.url}, username: ada, password: wr0ng}}")
    assert execution.state == "FAILED"
    assert "Authentication failed" in messages(execution)[-1]
    assert "check `username` and `password`" in messages(execution)[-1]
    assert "wr0ng" not in "".join(messages(execution))


def test_without_git_the_task_says_what_to_install(
    run_tasks: RunTasks, remote: Remote, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    execution = run_tasks(f"- {{id: clone, type: git_clone, url: {remote.path}}}")
    assert execution.state == "FAILED"
    assert messages(execution)[-1].startswith("the program `git` is not there (install Git:")


def test_submodules_come_along_if_wished(run_tasks: RunTasks, remote: Remote, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git("init", "-q", "-b", "main", str(other), at=tmp_path)
    (other / "inner.txt").write_text("inner\n")
    git("add", "--all", at=other)
    git("commit", "-q", "-m", "x", at=other)
    remote.commit({"a.txt": "x\n"})
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "part", at=remote.work)
    remote.commit({"a.txt": "y\n"})
    said, state = clone_and_look(
        run_tasks,
        f"url: {remote.path}, cloneSubmodules: true, gitConfig: {{protocol.file.allow: always}}",
        "commands: [cat part/inner.txt]",
    )
    assert state == "SUCCESS", said
    assert "inner" in said


def test_what_does_not_go_together_is_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match="`cloneAllBranches: false` needs `branch`"):
        Clone(id="c", url="x", clone_all_branches=False)
    with pytest.raises(ValueError, match="`tag` does not go with `noTags`"):
        Clone(id="c", url="x", tag="v1", no_tags=True)

"""Commands over SSH, and ways to log in."""

from __future__ import annotations

from pathlib import Path

from nbflow.tasks.fs.local import Copy, Upload
from nbflow.tasks.fs.sftp import List
from nbflow.tasks.fs.ssh import Command
from nbflow.testing import run_task
from tests.tasks.conftest import RunTasks
from tests.tasks.fs.conftest import SshServer


def login(server: SshServer) -> dict[str, object]:
    return {"id": "act", "host": "127.0.0.1", "port": server.port, "username": "ada"}


def test_commands_run_there_and_put_out_values(ssh_server: SshServer, run_tasks: RunTasks) -> None:
    execution = run_tasks(f"""
        - id: there
          type: io.kestra.plugin.fs.ssh.Command
          host: 127.0.0.1
          port: {ssh_server.port}
          username: ada
          password: hush
          env: {{WHO: "Ada's"}}
          commands:
            - echo "hello from $WHO"; echo oops >&2
            - 'echo "::{{\\"outputs\\": {{\\"n\\": 7}}}}::"'
            - pwd > here.txt
    """)
    assert execution.state == "SUCCESS"
    outputs = execution.task_runs["there"].outputs
    assert outputs == {"vars": {"n": 7}, "exitCode": 0, "stdOutLineCount": 1, "stdErrLineCount": 1}
    assert {entry.message for entry in execution.logs()} >= {"hello from Ada's", "oops"}
    assert (ssh_server.folder / "here.txt").read_text().strip() == str(ssh_server.folder)


def test_the_first_command_that_fails_fails_the_task(ssh_server: SshServer) -> None:
    commands = ["echo before", "ls /no/such/file", "echo after"]
    result = run_task(Command.model_validate({**login(ssh_server), "password": "hush", "commands": commands}))
    assert result.state == "FAILED"
    assert "the commands ended with 2: " in result.messages[-1]
    assert "before" in result.messages
    assert "after" not in result.messages
    assert result.outputs["exitCode"] == 2


def test_much_output_arrives_whole(ssh_server: SshServer) -> None:
    commands = ["seq 1 20000", "printf 'no end of line'"]
    result = run_task(Command.model_validate({**login(ssh_server), "password": "hush", "commands": commands}))
    assert result.outputs["stdOutLineCount"] == 20_001
    assert "no end of line" in "".join(content.decode() for content in result.files.values())


def test_keys_open_the_server(ssh_server: SshServer, tmp_path: Path) -> None:
    key = ssh_server.user_key.export_private_key().decode()
    by_key = {**login(ssh_server), "authMethod": "PUBLIC_KEY", "commands": ["true"]}
    assert run_task(Command.model_validate({**by_key, "privateKey": key})).state == "SUCCESS"
    locked = {**by_key, "privateKey": ssh_server.locked_key}
    assert run_task(Command.model_validate({**locked, "privateKeyPassphrase": "secret"})).state == "SUCCESS"
    assert "(give its passphrase)" in run_task(Command.model_validate(locked)).messages[-1]
    assert "the private key cannot be read" in run_task(
        Command.model_validate({**by_key, "privateKey": "nonsense"})
    ).messages[-1]  # fmt: skip
    sftp = {**login(ssh_server), "keyfile": key, "from": "/"}
    assert run_task(List.model_validate(sftp)).state == "SUCCESS"
    (tmp_path / "key").write_text(key)
    (tmp_path / "config").write_text(
        f"Host box\n HostName 127.0.0.1\n Port {ssh_server.port}\n User ada\n IdentityFile {tmp_path}/key\n"
    )
    by_config = {"id": "act", "host": "box", "authMethod": "OPEN_SSH", "commands": ["true"]}
    by_config["openSSHConfigPath"] = f"{tmp_path}/config"
    result = run_task(Command.model_validate(by_config))
    assert result.state == "SUCCESS", result.messages


def test_another_server_than_the_one_named_gets_no_password(ssh_server: SshServer) -> None:
    own = ssh_server.host_key.export_public_key().decode()
    other = ssh_server.user_key.export_public_key().decode()
    task = {**login(ssh_server), "password": "hush", "from": "/"}
    assert run_task(List.model_validate({**task, "hostKey": own})).state == "SUCCESS"
    failed = run_task(List.model_validate({**task, "hostKey": other}))
    assert "is not the server that `hostKey` names" in failed.messages[-1]


def test_a_running_command_is_left_when_the_task_times_out(ssh_server: SshServer) -> None:
    task = {**login(ssh_server), "password": "hush", "commands": ["echo on", "sleep 60"], "timeout": "PT0.5S"}
    assert run_task(Command.model_validate(task), timeout=10).state == "FAILED"


def test_a_folder_of_this_machine_is_copied(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c.txt").write_text("c")
    task = Copy.model_validate({"id": "act", "from": f"{tmp_path}/a", "to": f"{tmp_path}/z"})
    assert run_task(task).state == "SUCCESS"
    assert (tmp_path / "z" / "b" / "c.txt").read_text() == "c"
    assert (tmp_path / "a" / "b" / "c.txt").exists()


def test_a_path_of_this_machine_must_be_whole() -> None:
    task = Upload.model_validate({"id": "act", "from": "{{ vars.files['a'] }}", "to": "folder/a"})
    assert run_task(task, files={"a": b""}).messages[-1] == "`folder/a` is no whole path (begin it with / or ~)"

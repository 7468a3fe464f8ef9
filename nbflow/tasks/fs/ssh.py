"""The task type that runs commands on another machine by SSH."""

from __future__ import annotations

import asyncio
import codecs
import shlex
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, State, Text, task_type
from nbflow.tasks.fs.places import library
from nbflow.tasks.fs.ssh_places import SshLogin, connected
from nbflow.tasks.scripts.listening import Listener
from nbflow.tasks.stopping import Stop, in_thread
from nbflow.types import JsonValue

_PORTION = 32 * 1024


class AuthMethod(StrEnum):
    """How to log in."""

    PASSWORD = "PASSWORD"  # it is the word, not one
    PUBLIC_KEY = "PUBLIC_KEY"
    OPEN_SSH = "OPEN_SSH"


@task_type(
    "io.kestra.plugin.fs.ssh.Command",
    aliases=["ssh"],
    examples=[
        Example(
            """
            id: there
            type: io.kestra.plugin.fs.ssh.Command
            host: box.example.com
            username: app
            authMethod: PUBLIC_KEY
            privateKey: "{{ secret('SSH_KEY') }}"
            commands:
              - df -h
            """,
            title="Run a command on another machine.",
            needs="an SSH server",
        )
    ],
)
class Command(SshLogin, RunnableTask):
    """Run commands on another machine. What they print goes to the log; `::{…}::` lines become outputs."""

    class Output(RunnableTask.Output):
        vars: dict[str, JsonValue] = Field(description='What the commands said with `::{"outputs": …}::`.')
        exit_code: int = Field(description="What they ended with.")
        std_out_line_count: int = Field(description="Lines they printed.")
        std_err_line_count: int = Field(description="Lines they printed to stderr.")

    commands: Dynamic[list[Text]] = Field(description="Commands, run by the user's shell there until one fails.")
    auth_method: Dynamic[AuthMethod] = Field(
        default=AuthMethod.PASSWORD, description="PASSWORD, PUBLIC_KEY, or OPEN_SSH: what the ssh configuration says."
    )
    private_key: Dynamic[Text] | None = Field(default=None, description="Private key, its text, for PUBLIC_KEY.")
    private_key_passphrase: Dynamic[Text] | None = Field(default=None, description="What the key is locked with.")
    open_ssh_config_path: Dynamic[Text] = Field(
        default="~/.ssh/config", alias="openSSHConfigPath", description="The ssh configuration, for OPEN_SSH."
    )
    open_ssh_config_dir: Dynamic[Text] | None = Field(
        default=None, alias="openSSHConfigDir", description="Older form of `openSSHConfigPath`."
    )
    proxy_command: Dynamic[Text] | None = Field(
        default=None, description="Command on this machine whose input and output reach the server."
    )
    strict_host_key_checking: Dynamic[Text] = Field(default="no", description="Accepted; `hostKey` names the key.")
    env: Dynamic[dict[str, Text]] = Field(default_factory=dict, description="Variables of the environment.")
    warning_on_std_err: Dynamic[bool] = Field(
        default=False, description="Whether lines on stderr make the task end with a WARNING."
    )

    async def run(self, ctx: RunContext) -> Output:
        listener = Listener(ctx)
        loop = asyncio.get_running_loop()

        def hear(lines: list[str], is_error: bool) -> None:
            asyncio.run_coroutine_threadsafe(listener.many(lines, is_error), loop).result()

        status = await in_thread(lambda stop: self._execute(hear, stop))
        output = self.Output(
            vars=listener.vars,
            exit_code=status,
            std_out_line_count=listener.out_lines,
            std_err_line_count=listener.error_lines,
        )
        if status:
            said = f": {listener.last_error}" if listener.last_error else ""
            raise TaskFailedError(f"the commands ended with {status}{said}", outputs=dict(output.to_json()))
        if self.warning_on_std_err and listener.error_lines:
            output._final_state = State.WARNING
        return output

    def _execute(self, hear: Any, stop: Stop) -> int:
        client = self._client()
        try:
            stop.then(client.close)
            channel = client.get_transport().open_session()
            channel.exec_command(self._text())
            channel.shutdown_write()
            streams = {False: _Lines(), True: _Lines()}
            while True:
                is_over = channel.exit_status_ready()
                heard = False
                for is_error, ready, receive in (
                    (False, channel.recv_ready, channel.recv),
                    (True, channel.recv_stderr_ready, channel.recv_stderr),
                ):
                    while ready():
                        stop.check()
                        heard = True
                        hear(streams[is_error].take(receive(_PORTION)), is_error)
                if is_over and not heard and (channel.eof_received or channel.closed):
                    break
                stop.check()
                if not heard:
                    channel.status_event.wait(0.02)
            for is_error, lines in streams.items():
                hear(lines.rest(), is_error)
            return int(channel.recv_exit_status())
        finally:
            client.close()

    def _text(self) -> str:
        exports = [f"export {name}={shlex.quote(value)}" for name, value in self.env.items()]
        return "\n".join(["set -e", *exports, *self.commands])

    def _client(self) -> Any:  # Any: paramiko has no types
        paramiko = library("paramiko", "ssh")
        login: SshLogin = self
        key, through = None, self.proxy_command
        if self.auth_method is AuthMethod.PUBLIC_KEY:
            if self.private_key is None:
                raise TaskFailedError("`authMethod: PUBLIC_KEY` needs `privateKey`")
            key, login = self.private_key, self.model_copy(update={"password": None})
        elif self.auth_method is AuthMethod.OPEN_SSH:
            path = Path(self.open_ssh_config_dir or self.open_ssh_config_path).expanduser()
            if path.is_dir():
                path /= "config"
            if not path.is_file():
                raise TaskFailedError(f"there is no ssh configuration at {path}")
            found = paramiko.SSHConfig.from_path(str(path)).lookup(self.host)
            files = [Path(name).expanduser() for name in found.get("identityfile", [])]
            key = next((file.read_text(encoding="utf-8") for file in files if file.is_file()), None)
            through = through or found.get("proxycommand")
            update = {"host": found["hostname"], "port": int(found.get("port", self.port))}
            login = self.model_copy(update={**update, "username": self.username or found.get("user")})
        elif self.password is None:
            raise TaskFailedError("`authMethod: PASSWORD` needs `password`")
        if through is not None:
            words = {"%h": login.host, "%p": str(login.port), "%r": login.username or ""}
            for word, value in words.items():
                through = through.replace(word, shlex.quote(value))
            return connected(login, key, self.private_key_passphrase, paramiko.ProxyCommand(through))
        return connected(login, key, self.private_key_passphrase)


class _Lines:
    """Text that comes in portions, as lines."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._kept = ""

    def take(self, content: bytes) -> list[str]:
        *lines, self._kept = (self._kept + self._decoder.decode(content)).split("\n")
        return [line.removesuffix("\r") for line in lines]

    def rest(self) -> list[str]:
        return [self._kept] if self._kept else []

"""How servers are reached by SSH: logins, keys, and SFTP as a file system."""

from __future__ import annotations

import io
import socket
from contextlib import suppress
from typing import Any

from pydantic import AliasChoices, Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Model, RunContext, Text
from nbflow.tasks.fs.places import Place, library

SECONDS = 30.0


class SshLogin(Model):
    """Where the server is, and how to log in there."""

    host: Dynamic[Text] = Field(description="Name or address of the server.")
    port: Dynamic[int] = Field(default=22, description="Its port.")
    username: Dynamic[Text] | None = Field(default=None, description="User name.")
    password: Dynamic[Text] | None = Field(default=None, description="Password.")
    enable_ssh_rsa1: Dynamic[bool] = Field(
        default=False, description="Accepted; RSA keys with SHA-1 depend on the installed library."
    )
    host_key: Dynamic[Text] | None = Field(
        default=None,
        description="Public key of the server, as ssh-keyscan prints it (`ssh-ed25519 AAAA…`), which must be its own; "
        "not checked unless said.",
    )


class SftpPlace(SshLogin):
    """How a task reaches an SFTP server."""

    keyfile: Dynamic[Text] | None = Field(
        default=None, description="Private key, its text, to log in with instead of a password."
    )
    passphrase: Dynamic[Text] | None = Field(default=None, description="What the private key is locked with.")
    root_dir: Dynamic[bool] = Field(
        default=True, description="Whether paths begin at the user's folder; else at the root of the server."
    )
    proxy_address: Dynamic[Text] | None = Field(
        default=None,
        validation_alias=AliasChoices("proxyAddress", "proxyHost"),
        description="HTTP proxy to use.",
    )
    proxy_port: Dynamic[int] | None = Field(default=None, description="Its port.")
    proxy_username: Dynamic[Text] | None = Field(
        default=None, validation_alias=AliasChoices("proxyUsername", "proxyUser"), description="User name there."
    )
    proxy_password: Dynamic[Text] | None = Field(default=None, description="Password there.")
    proxy_type: Dynamic[Text] | None = Field(default=None, description="HTTP, the only one there is.")
    key_exchange_algorithm: Dynamic[Text] | None = Field(
        default=None, description="Accepted; the best one that both sides know is used."
    )

    def open(self, ctx: RunContext) -> Place:
        """Reach the server."""
        library("paramiko", "ssh")
        through = None
        if self.proxy_address is not None:
            if (self.proxy_type or "HTTP").upper().removeprefix("STREAM") not in ("HTTP", ""):
                raise TaskFailedError(f"`proxyType: {self.proxy_type}` is not known", hint="only HTTP proxies are")
            through = through_proxy(self, self.proxy_address, self.proxy_port or 8080)
        client = connected(self, self.keyfile, self.passphrase, through)
        channel = client.open_sftp()
        root = channel.normalize(".") if self.root_dir else ""
        return Place(_file_system(client, channel), f"sftp://{self.host}:{self.port}", root, client.close)


def connected(login: SshLogin, key: str | None, passphrase: str | None, through: Any = None) -> Any:  # Any: no types
    """A client of paramiko that has logged in. Raises: TaskFailedError; MissingExtraError."""
    paramiko = library("paramiko", "ssh")
    client = paramiko.SSHClient()
    if login.host_key is None:
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    else:
        kind, _, text = login.host_key.strip().partition(" ")
        name = login.host if login.port == 22 else f"[{login.host}]:{login.port}"
        line = paramiko.hostkeys.HostKeyEntry.from_line(f"{name} {kind} {text.split(' ')[0]}")
        if line is None:
            raise TaskFailedError("`hostKey` is no public key", hint="write it as ssh-keyscan does, from its kind on")
        client.get_host_keys().add(name, line.key.get_name(), line.key)
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
    where = f"{login.host}:{login.port}"
    try:
        client.connect(
            login.host,
            port=login.port,
            username=login.username,
            password=login.password,
            pkey=read_key(key, passphrase) if key else None,
            look_for_keys=False,
            allow_agent=False,
            timeout=SECONDS,
            banner_timeout=SECONDS,
            auth_timeout=SECONDS,
            sock=through,
        )
    except paramiko.BadHostKeyException as cause:
        raise TaskFailedError(f"{where} is not the server that `hostKey` names: it has another key") from cause
    except paramiko.AuthenticationException as cause:
        raise TaskFailedError(
            f"{where} refuses the login of {login.username}", hint="check `username`, and password or key"
        ) from cause
    except (paramiko.SSHException, OSError, EOFError) as cause:
        raise TaskFailedError(f"{where} cannot be reached: {cause or type(cause).__name__}") from cause
    return client


def read_key(text: str, passphrase: str | None) -> Any:  # Any: a key of paramiko
    """A private key from its text. Raises: TaskFailedError."""
    paramiko = library("paramiko", "ssh")
    text = text.strip() + "\n"
    wrong: Exception | None = None
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text), password=passphrase)
        except paramiko.PasswordRequiredException as cause:
            raise TaskFailedError("the private key is locked", hint="give its passphrase") from cause
        except (paramiko.SSHException, ValueError, IndexError, TypeError) as cause:
            wrong = wrong or cause
    raise TaskFailedError(
        f"the private key cannot be read: {wrong}", hint="give the text of an Ed25519, ECDSA or RSA key"
    ) from wrong


def through_proxy(target: SftpPlace, address: str, port: int) -> socket.socket:
    """A connection to the server that an HTTP proxy makes. Raises: TaskFailedError."""
    import base64

    try:
        connection = socket.create_connection((address, port), SECONDS)
        lines = [f"CONNECT {target.host}:{target.port} HTTP/1.1", f"Host: {target.host}:{target.port}"]
        if target.proxy_username:
            login = f"{target.proxy_username}:{target.proxy_password or ''}".encode()
            lines.append(f"Proxy-Authorization: Basic {base64.b64encode(login).decode()}")
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            byte = connection.recv(1)  # not a byte more: what follows is the server's
            if not byte or len(answer) > 16_384:
                break
            answer += byte
    except OSError as cause:
        raise TaskFailedError(f"the proxy {address}:{port} cannot be reached: {cause}") from cause
    status = answer.partition(b"\r\n")[0].decode(errors="replace")
    if status.split(" ")[1:2] != ["200"]:
        connection.close()
        raise TaskFailedError(f"the proxy {address}:{port} answered {status!r}")
    return connection


def _file_system(client: Any, channel: Any) -> Any:
    from fsspec.implementations.sftp import SFTPFileSystem

    class Sftp(SFTPFileSystem):  # type: ignore[misc]  # fsspec has no types
        """The file system over a connection that is there."""

        def _connect(self) -> None:
            self.client, self.ftp = client, channel

        def mv(self, old: str, new: str, **_: object) -> None:
            try:
                self.ftp.posix_rename(old, new)
            except OSError:
                self.ftp.rename(old, new)  # not every server knows the other way

        @classmethod
        def _strip_protocol(cls, path: str) -> str:
            return path

        def __del__(self) -> None:
            with suppress(Exception):
                self.ftp.close()

    return Sftp("", skip_instance_cache=True)

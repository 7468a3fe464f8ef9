"""How FTP servers are reached, with and without TLS."""

from __future__ import annotations

import ftplib
import ssl
from contextlib import suppress
from enum import StrEnum
from typing import Any

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Duration, Dynamic, Model, RunContext, Text
from nbflow.tasks.fs.places import Place

_SECONDS = 30.0


class FtpOptions(Model):
    """How long to wait."""

    connection_timeout: Dynamic[Duration] | None = Field(
        default=None, description="For a connection; 30 s unless said."
    )
    data_timeout: Dynamic[Duration] | None = Field(default=None, description="Accepted.")
    socket_timeout: Dynamic[Duration] | None = Field(default=None, description="The same, without the other.")
    control_keep_alive_timeout: Dynamic[Duration] | None = Field(default=None, description="Accepted.")
    control_keep_alive_reply_timeout: Dynamic[Duration] | None = Field(default=None, description="Accepted.")


class FtpPlace(Model):
    """How a task reaches an FTP server."""

    host: Dynamic[Text] = Field(description="Name or address of the server.")
    port: Dynamic[int] = Field(default=21, description="Its port.")
    username: Dynamic[Text] | None = Field(default=None, description="User name; anonymous unless said.")
    password: Dynamic[Text] | None = Field(default=None, description="Password.")
    root_dir: Dynamic[bool] = Field(
        default=True, description="Whether paths begin at the user's folder; else at the root of the server."
    )
    passive_mode: Dynamic[bool] = Field(default=True, description="Whether this side opens the connections for data.")
    remote_ip_verification: Dynamic[bool] = Field(default=True, description="Accepted.")
    enable_ssh_rsa1: Dynamic[bool] = Field(default=False, description="Accepted; it means nothing here.")
    options: Dynamic[FtpOptions] | None = Field(default=None, description="How long to wait.")
    proxy_host: Dynamic[Text] | None = Field(default=None, description="Accepted; connections are direct.")
    proxy_port: Dynamic[int] | None = Field(default=None, description="Accepted; connections are direct.")
    proxy_type: Dynamic[Text] | None = Field(default=None, description="Accepted; connections are direct.")

    def open(self, ctx: RunContext) -> Place:
        """Reach the server."""
        return self._reached("ftp", ftplib.FTP(encoding="utf-8"))

    def _reached(self, scheme: str, ftp: ftplib.FTP) -> Place:
        where = f"{self.host}:{self.port}"
        options = self.options or FtpOptions()
        waits = options.connection_timeout or options.socket_timeout
        try:
            ftp.connect(self.host, self.port, waits.total_seconds() if waits else _SECONDS)
            ftp.login(self.username or "", self.password or "")
            if isinstance(ftp, ftplib.FTP_TLS):
                ftp.prot_p()
            ftp.set_pasv(self.passive_mode)
            root = ftp.pwd() if self.root_dir else ""
        except ftplib.error_perm as cause:
            ftp.close()
            raise TaskFailedError(f"{where} refuses the login: {cause}", hint="check `username`, `password`") from cause
        except (ftplib.Error, OSError, EOFError) as cause:
            ftp.close()
            raise TaskFailedError(f"{where} cannot be reached: {cause or type(cause).__name__}") from cause
        return Place(_file_system(ftp), f"{scheme}://{where}", root, ftp.close)


class FtpsMode(StrEnum):
    """How TLS begins."""

    EXPLICIT = "EXPLICIT"
    IMPLICIT = "IMPLICIT"


class FtpsPlace(FtpPlace):
    """How a task reaches an FTPS server."""

    mode: Dynamic[FtpsMode] = Field(
        default=FtpsMode.EXPLICIT, description="Whether TLS is asked for (EXPLICIT) or there at once (IMPLICIT)."
    )
    data_channel_protection_level: Dynamic[Text] = Field(default="P", description="Accepted; data is always encrypted.")
    insecure_trust_all_certificates: Dynamic[bool] = Field(
        default=False, description="Trust any certificate: for tests alone."
    )

    def open(self, ctx: RunContext) -> Place:
        context = ssl.create_default_context()
        if self.insecure_trust_all_certificates:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        kind = ftplib.FTP_TLS if self.mode is FtpsMode.EXPLICIT else _ImplicitTls
        return self._reached("ftps", kind(context=context, encoding="utf-8"))


class _ImplicitTls(ftplib.FTP_TLS):
    """FTP over a connection that is encrypted from its beginning."""

    _socket: Any = None  # None, or a socket

    @property
    def sock(self) -> Any:
        return self._socket

    @sock.setter
    def sock(self, value: Any) -> None:
        is_plain = value is not None and not isinstance(value, ssl.SSLSocket)
        self._socket = self.context.wrap_socket(value, server_hostname=self.host) if is_plain else value


def _file_system(ftp: ftplib.FTP) -> Any:  # Any: fsspec has no types
    from fsspec.implementations.ftp import FTPFileSystem

    class Ftp(FTPFileSystem):  # type: ignore[misc]  # fsspec has no types
        """The file system over a connection that is there."""

        def _connect(self) -> None:
            self.ftp = ftp

        def __del__(self) -> None:
            with suppress(Exception):
                self.ftp.close()

    return Ftp("", skip_instance_cache=True)

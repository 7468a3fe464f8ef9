"""Real servers of files on this machine: SSH with SFTP, FTP, FTP with TLS; each gives one folder of the test's own."""

from __future__ import annotations

import asyncio
import subprocess
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass
class Server:
    """A place to put files: `kind` of the tasks, `folder` that it gives, and what tasks must say to reach it."""

    kind: str
    folder: Path
    login: dict[str, object]
    base: str = ""
    """What paths of tasks begin with."""


class SshServer:
    """asyncssh on its own thread; each test has it serve its own `folder`."""

    folder: Path

    def __init__(self) -> None:
        import asyncssh

        self._connections: set[asyncssh.SSHServerConnection] = set()
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.user_key = asyncssh.generate_private_key("ssh-ed25519")
        self.locked_key = self.user_key.export_private_key(passphrase="secret").decode()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._server = self._do(self._listen())
        self.port = self._server.sockets[0].getsockname()[1]

    def _do(self, work):  # type: ignore[no-untyped-def]
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    async def _listen(self):  # type: ignore[no-untyped-def]
        import asyncssh

        outer = self

        class Login(asyncssh.SSHServer):
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                outer._connections.add(conn)

            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                return (username, password) == ("ada", "hush")

            def public_key_auth_supported(self) -> bool:
                return True

            def validate_public_key(self, username: str, key: object) -> bool:
                return key == outer.user_key.convert_to_public()

        async def shell(process) -> None:  # type: ignore[no-untyped-def]
            pipe = subprocess.PIPE
            with subprocess.Popen(  # noqa: ASYNC220  # it starts in a millisecond
                process.command, shell=True, cwd=outer.folder, stdout=pipe, stderr=pipe
            ) as ran:
                try:
                    out, errors = await asyncio.to_thread(ran.communicate)
                finally:
                    ran.kill()
            process.stdout.write(out.decode())
            process.stderr.write(errors.decode())
            process.exit(ran.returncode)

        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[self.host_key],
            server_factory=Login,
            process_factory=shell,
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(outer.folder).encode()),
        )

    def close(self) -> None:
        async def end() -> None:
            self._server.close()
            for connection in self._connections:
                connection.abort()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            if others:
                await asyncio.wait(others, timeout=2)

        self._do(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture(scope="session")
def any_ssh_server() -> Iterator[SshServer]:
    server = SshServer()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def ssh_server(any_ssh_server: SshServer, tmp_path: Path) -> SshServer:
    any_ssh_server.folder = tmp_path / "served"
    any_ssh_server.folder.mkdir()
    return any_ssh_server


class FtpServer:
    """pyftpdlib on its own thread."""

    def __init__(self, folder: Path, certificate: Path | None = None) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # it stands on asyncore
            import pyftpdlib.servers  # noqa: F401
        from pyftpdlib.authorizers import DummyAuthorizer
        from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
        from pyftpdlib.ioloop import IOLoop
        from pyftpdlib.servers import FTPServer

        users = DummyAuthorizer()
        users.add_user("ada", "hush", str(folder), perm="elradfmwMT")
        base = TLS_FTPHandler if certificate else FTPHandler
        handler = type("Handler", (base,), {"authorizer": users, "certfile": str(certificate), "banner": "hello"})
        if certificate:
            handler.tls_control_required = handler.tls_data_required = True
        self._loop = IOLoop()
        self._server = FTPServer(("127.0.0.1", 0), handler, ioloop=self._loop)
        self.port = self._server.socket.getsockname()[1]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while not self._over.is_set():
            self._loop.loop(timeout=0.02, blocking=False)
        self._server.close_all()

    def close(self) -> None:
        self._over.set()
        self._thread.join()


def certificate(folder: Path) -> Path:
    """A certificate for this machine that nobody has signed, with its key."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    plain = serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture(params=["local", "sftp", "ftp", "ftps"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "served"
    if request.param == "sftp":
        ssh: SshServer = request.getfixturevalue("ssh_server")
        yield Server("sftp", folder, {"host": "127.0.0.1", "port": ssh.port, "username": "ada", "password": "hush"})
        return
    folder.mkdir()
    if request.param == "local":
        yield Server("local", folder, {}, base=str(folder))
        return
    ftp = FtpServer(folder, certificate(tmp_path) if request.param == "ftps" else None)
    login = {"host": "127.0.0.1", "port": ftp.port, "username": "ada", "password": "hush"}
    if request.param == "ftps":
        login["insecureTrustAllCertificates"] = True
    try:
        yield Server(request.param, folder, login)
    finally:
        ftp.close()

"""The process of a kernel: its run folder, its end noticed at once, and nothing of it left behind.

start (own session, mark in the environment) ─► exited ─► what is left of its descendants is killed, the folder removed
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from nbflow.plugins.kernels import KernelKey, KernelStartError
from nbflow.runners.ending import MARK, kill_all
from nbflow.runners.kernels.specs import KernelSpec
from nbflow.types import new_id

_LONGEST_SOCKET_PATH = 90
"""Bytes that the path of a Unix socket may have everywhere, with a little room for its number."""
_CHANNELS = ("shell", "iopub", "stdin", "control", "hb")
OUTPUT = "output"
"""File in the run folder that takes what a kernel writes besides its messages."""

_SAID_BYTES = 4000
_LOOK_SECONDS = 0.05
_END_SECONDS = 2.0


class KernelProcess:
    """A kernel's process and its run folder; to be used on one event loop. `connection` is what clients connect by."""

    def __init__(self, spec: KernelSpec, key: KernelKey) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="nbflow-k-"))
        self.exited = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._mark = new_id()
        self._pidfd: int | None = None
        self._looking: asyncio.TimerHandle | None = None
        try:
            self.connection = _connection(self.folder)
            self.connection_file = self.folder / "kernel.json"
            self._write_connection_file()
            self._process = self._start(spec, key)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self._watch()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status, negative for the signal that ended it; None while it runs."""
        return self._process.returncode

    def said(self) -> str:
        """The end of what it wrote besides its messages, such as where a segmentation fault happened."""
        return _end_of(self.folder / OUTPUT)

    def interrupt(self) -> None:
        """Interrupt it and its children, as Ctrl+C does."""
        self._signal(signal.SIGINT)

    async def end(self) -> None:
        """End it at once, with all its descendants, and remove its folder."""
        self._kill()
        await self.exited.wait()
        await asyncio.to_thread(self._clean)

    def end_now(self) -> None:
        """The same for the end of the loop: blocks for some milliseconds."""
        self._kill()
        self._process.wait()
        self._has_exited()
        self._clean()

    def let_go(self) -> None:
        """Nothing: a kernel of one's own is looked after until it ends."""

    def _kill(self) -> None:
        self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.name == "posix":
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)

    def _clean(self) -> None:
        if os.name == "posix":
            kill_all(self._process.pid, self._mark)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, spec: KernelSpec, key: KernelKey) -> subprocess.Popen[bytes]:
        command = spec.command(self.connection_file)
        env = {**spec.env, **dict(key.env), MARK: self._mark, "JPY_PARENT_PID": str(os.getpid())}
        try:
            with (self.folder / OUTPUT).open("wb") as output:
                return subprocess.Popen(
                    command,
                    cwd=key.directory or self.folder,
                    env=env,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
        except OSError as cause:
            raise KernelStartError(
                f"the kernel's program `{command[0]}` cannot be started: {cause.strerror or cause}",
                hint="install the kernel again",
            ) from cause

    def _write_connection_file(self) -> None:
        content = {**self.connection, "key": bytes(self.connection["key"]).decode()}
        with open(os.open(self.connection_file, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            json.dump(content, file)

    def _watch(self) -> None:
        if sys.platform == "linux":
            with contextlib.suppress(OSError):  # an old system has no pidfd_open
                self._pidfd = os.pidfd_open(self._process.pid)
                self._loop.add_reader(self._pidfd, self._has_exited)
                return
        self._look()

    def _look(self) -> None:
        if self._process.poll() is None:
            self._looking = self._loop.call_later(_LOOK_SECONDS, self._look)
        else:
            self.exited.set()

    def _has_exited(self) -> None:
        self._process.wait()
        if self._pidfd is not None:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = None
        if self._looking is not None:
            self._looking.cancel()
        self.exited.set()


class ForeignProcess:
    """The process of a kernel that was started elsewhere; as far as it is used, like a `KernelProcess`.

    Raises: OSError, ValueError when there is none at its connection file.
    """

    def __init__(self, connection_file: Path, pid: int) -> None:
        self.connection_file = connection_file
        self.folder = connection_file.parent
        self.pid = pid
        self.status: int | None = None
        self.exited = asyncio.Event()
        read = json.loads(connection_file.read_text(encoding="ascii"))
        self.connection: Any = {**read, "key": read["key"].encode()}
        os.kill(pid, 0)
        self._loop = asyncio.get_running_loop()
        self._looking = self._loop.call_later(_LOOK_SECONDS, self._look)

    def said(self) -> str:
        """The end of what it wrote besides its messages."""
        return _end_of(self.folder / OUTPUT)

    def interrupt(self) -> None:
        """Interrupt it and its children."""
        self._signal(signal.SIGINT)

    async def end(self) -> None:
        """End it at once; whoever started it cleans up behind it, and if he is gone, so do we."""
        self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                await self.exited.wait()
        self.let_go()
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    def end_now(self) -> None:
        """The same for the end of the loop."""
        self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        self.let_go()
        shutil.rmtree(self.folder, ignore_errors=True)

    def let_go(self) -> None:
        """Look after it no longer."""
        self._looking.cancel()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def _look(self) -> None:
        try:
            os.kill(self.pid, 0)
        except OSError:
            self.exited.set()
        else:
            self._looking = self._loop.call_later(_LOOK_SECONDS, self._look)


def _end_of(file: Path) -> str:
    with contextlib.suppress(OSError), file.open("rb") as said:
        said.seek(0, os.SEEK_END)
        said.seek(max(said.tell() - _SAID_BYTES, 0))
        return said.read().decode(errors="replace").strip()
    return ""


def _connection(folder: Path) -> Any:  # Any: jupyter_client's own TypedDict
    """Where the five channels of a kernel are: Unix sockets in its folder, or ports where these cannot be."""
    common: dict[str, object] = {"key": secrets.token_hex(16).encode(), "signature_scheme": "hmac-sha256"}
    address = str(folder / "s")
    if os.name == "posix" and len(os.fsencode(address)) <= _LONGEST_SOCKET_PATH:
        ports = {f"{channel}_port": number for number, channel in enumerate(_CHANNELS, 1)}
        return {"transport": "ipc", "ip": address, **ports, **common}
    with contextlib.ExitStack() as held:  # all five at once, so that they differ
        sockets = [held.enter_context(socket.socket()) for _ in _CHANNELS]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        ports = {f"{name}_port": each.getsockname()[1] for name, each in zip(_CHANNELS, sockets, strict=True)}
    return {"transport": "tcp", "ip": "127.0.0.1", **ports, **common}

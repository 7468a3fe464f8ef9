"""A PostgreSQL server of the tests' own, where its programs are installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

INSTALLED = bool(shutil.which("postgres") and shutil.which("initdb"))
USER = "nbflow"


@contextmanager
def running_postgres(*, listens: bool = False) -> Iterator[tuple[str, int]]:
    """A server on a socket in a temporary folder: the folder's path and the port, on loopback too if it `listens`."""
    folder = Path(tempfile.mkdtemp(prefix="nbflow-pg-"))
    user = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
    if user:
        shutil.chown(folder, user)
    data = folder / "data"
    run = {"user": user, "cwd": folder, "check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(["initdb", "-D", data, "-A", "trust", "-U", USER, "-E", "UTF8", "--no-sync"], **run)  # type: ignore[call-overload]
    port = free_port() if listens else 5432
    address = "127.0.0.1" if listens else ""
    options = f"-k {folder} -p {port} -c listen_addresses={address} -c fsync=off"
    subprocess.run(["pg_ctl", "-D", data, "-w", "-o", options, "start"], **run)  # type: ignore[call-overload]
    try:
        yield str(folder), port
    finally:
        subprocess.run(["pg_ctl", "-D", data, "-m", "immediate", "stop"], **run)  # type: ignore[call-overload]
        shutil.rmtree(folder)


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

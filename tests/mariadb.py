"""A MariaDB server of the tests' own, where its program is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql

from nbflow.testing import eventually
from tests.postgres import free_port

PROGRAM = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def running_mariadb() -> Iterator[int]:
    """A server without users on loopback, and on a database `shop`: its port."""
    assert PROGRAM is not None
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="nbflow-my-") as folder:
        user = "nobody" if os.geteuid() == 0 else None  # the server refuses to run as root
        data = Path(folder, "data")
        data.mkdir()
        if user:
            shutil.chown(folder, user)
            shutil.chown(data, user)
        small = ["--innodb-log-file-size=8M", "--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0"]
        places = [f"--datadir={data}", f"--socket={folder}/socket", f"--port={port}", "--bind-address=127.0.0.1"]
        open_to_all = ["--skip-grant-tables", "--skip-networking=0", "--local-infile=1"]
        server = subprocess.Popen(
            [PROGRAM, "--no-defaults", *places, *open_to_all, *small],
            user=user,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            eventually(lambda: _made(port))
            yield port
        finally:
            server.kill()
            server.wait()


def _made(port: int) -> bool:
    """Whether the server is there, and has the database now."""
    try:
        with pymysql.connect(host="127.0.0.1", port=port, user="root") as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE IF NOT EXISTS shop")
    except pymysql.Error:
        return False
    return True

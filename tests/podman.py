"""A Docker engine for tests: podman's service on a socket and a storage of its own, with a small image of busybox.

It works for root in a machine without an engine or cgroups of its own; elsewhere the tests that want it are skipped.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from nbflow.testing import eventually
from tests.registry import Registry, serve

BOX = "localhost/box:latest"
"""The image: busybox, a user `ada`, and a `python` that runs this one where `PYTHON_VOLUMES` are mounted."""

_CONF = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
netns = "host"
log_driver = "k8s-file"
[engine]
events_logger = "file"
"""
_PYTHON = os.path.realpath(sys.executable)

PYTHON_VOLUMES = [f"{path}:{path}:ro" for path in ("/usr", "/lib", "/lib64", sys.base_prefix) if Path(path).exists()]


@dataclass
class Podman:
    """A running service."""

    host: str
    client: Any
    command: list[str]
    environment: dict[str, str]
    registry: Registry

    def containers(self) -> list[Any]:
        return list(self.client.containers.list(all=True))

    def run(self, *arguments: str) -> str:
        """What a command of podman says on the same storage."""
        done = subprocess.run(
            [*self.command, *arguments], env=self.environment, capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout


def root_file_system() -> bytes:
    """A root file system made of busybox, as an archive."""
    busybox = shutil.which("busybox")
    assert busybox is not None
    names = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()
    files = {
        "etc/passwd": b"root:x:0:0::/:/bin/sh\nada:x:1234:1234::/tmp:/bin/sh\n",
        "bin/python": f'#!/bin/sh\nexec {_PYTHON} "$@"\n'.encode(),
        "bin/busybox": Path(busybox).read_bytes(),
    }
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for folder in ("bin", "etc", "tmp", "proc", "sys", "dev", "usr", "lib"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
        for name in names:
            if name != "busybox":
                entry = tarfile.TarInfo(f"bin/{name}")
                entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(entry)
    return archive.getvalue()


@pytest.fixture(scope="session")
def podman() -> Iterator[Podman]:
    """The engine, with a registry that it trusts."""
    missing = [name for name in ("podman", "runc", "busybox") if shutil.which(name) is None]
    if missing or os.getuid() != 0:
        pytest.skip(f"needs root, and {', '.join(missing) or 'nothing else'}")
    place = Path(tempfile.mkdtemp(prefix="nbflow-", dir="/tmp"))  # podman refuses paths of more than 50 characters
    (place / "containers.conf").write_text(_CONF)
    (place / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    command = ["podman", "--root", f"{place}/root", "--runroot", f"{place}/run", "--tmpdir", f"{place}/tmp"]
    command += ["--storage-driver=vfs", "--cgroup-manager=cgroupfs", "--runtime=runc"]
    environment = {
        **os.environ,
        "CONTAINERS_CONF": f"{place}/containers.conf",
        "CONTAINERS_REGISTRIES_CONF": f"{place}/registries.conf",
        "TMPDIR": str(place),
    }
    with serve() as registry, (place / "service.log").open("wb") as log:
        (place / "registries.conf").write_text(
            f'unqualified-search-registries = []\n[[registry]]\nlocation = "{registry.address}"\ninsecure = true\n'
        )
        yield from _served(place, command, environment, registry, log)


def _served(
    place: Path, command: list[str], environment: dict[str, str], registry: Registry, log: IO[bytes]
) -> Iterator[Podman]:
    import docker

    socket = place / "podman.sock"
    service = subprocess.Popen(
        [*command, "system", "service", "--time=0", f"unix://{socket}"], env=environment, stdout=log, stderr=log
    )
    running = Podman(f"unix://{socket}", None, command, environment, registry)
    try:
        eventually(socket.exists, within=30)
        running.client = docker.DockerClient(running.host, timeout=60)
        running.client.api.import_image_from_data(root_file_system(), repository="localhost/box", tag="latest")
        yield running
    finally:
        with suppress(subprocess.SubprocessError):
            running.run("rm", "--all", "--force", "--time=0")
        if running.client is not None:
            running.client.close()
        service.terminate()
        service.wait(30)
        shutil.rmtree(place, ignore_errors=True)

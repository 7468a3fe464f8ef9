"""What `nbflow doctor` looks at: each check says how it found things, and how to mend them.

A check takes seconds at most, changes nothing outside of the home, and never ends in an exception.
"""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from nbflow.errors import NbflowError
from nbflow.settings import Settings

_OLDEST_PYTHON = (3, 11)
_LITTLE_BYTES = 10**9
_TRY_SECONDS = 5.0
_EXTRAS = {
    "docker": ("docker", "scripts in containers by the engine's own API"),
    "pandas": ("pandas", "data frames in and out of tasks"),
    "s3": ("s3fs", "files in S3 or MinIO"),
    "postgres": ("psycopg", "PostgreSQL, as history or in queries"),
    "mysql": ("pymysql", "MySQL in queries"),
    "excel": ("openpyxl", "Excel files"),
    "holidays": ("holidays", "the condition PublicHoliday"),
    "ssh": ("paramiko", "SSH and SFTP"),
    "kafka": ("confluent_kafka", "Kafka"),
}
"""Extra → the module that tells whether it is installed, and what it is for."""


@dataclass(frozen=True, slots=True)
class Check:
    """What was found. `verdict` is ok, warning (something will not work) or error (nbflow will not work)."""

    name: str
    verdict: str
    what: str
    mend: str = ""

    def to_dict(self) -> dict[str, str]:
        return asdict(self)


def all_checks(home: Path | None) -> Iterator[Check]:
    """Every check, one after another."""
    yield python()
    settings = _settings(home)
    if isinstance(settings, Check):
        yield settings
    else:
        for name, of_home in _OF_HOME.items():
            yield _safely(name, partial(of_home, settings))
    for name, check in _OF_MACHINE.items():
        yield _safely(name, check)


def _safely(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except (NbflowError, OSError, ValueError, subprocess.SubprocessError) as error:
        return Check(name, "error", f"{type(error).__name__}: {error}")


def _settings(home: Path | None) -> Settings | Check:
    try:
        return Settings.load(home)
    except NbflowError as error:
        return Check("settings", "error", str(error), error.hint or "mend the configuration file of the home")


def python() -> Check:
    """The interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _OLDEST_PYTHON:
        return Check("python", "error", f"{version} at {sys.executable}", "install Python 3.11 or newer")
    return Check("python", "ok", f"{version} at {sys.executable}")


def home_of(settings: Settings) -> Check:
    """The directory of the home and the room in it."""
    home = settings.home
    existing = next(place for place in (home, *home.parents) if place.exists())
    free = shutil.disk_usage(existing).free
    what = f"{home}, {free / 1e9:.1f} GB free" + ("" if home.exists() else "; it will be made when it is needed")
    if free < _LITTLE_BYTES:
        return Check("home", "warning", what, "free some space: `nbflow gc`, `nbflow executions purge`")
    return Check("home", "ok", what)


def store(settings: Settings) -> Check:
    """Whether the history can be opened and written."""
    from nbflow.store import Store

    try:
        with Store(settings) as opened:
            now = datetime.now(UTC)
            opened.kv.put("system.doctor", "written", True, now)
            opened.kv.delete("system.doctor", "written", now)
            count = len(opened.flows.list())
    except NbflowError as error:
        return Check(
            "store", "error", str(error), error.hint or "see that the home can be written, or name another one"
        )
    kind = "another database" if settings.repository_url else "SQLite"
    return Check("store", "ok", f"{kind}, can be written, {count} flow{'' if count == 1 else 's'}")


def scheduler(settings: Settings) -> Check:
    """Whether somebody fires what is due."""
    from nbflow.engine import Engine

    with Engine(settings=settings, takes_over=False) as engine:
        status = engine.scheduler_status()
    if status.is_running:
        return Check("scheduler", "ok", f"runs on {status.host}, process {status.pid}")
    if not status.triggers:
        return Check("scheduler", "ok", "none runs, and no flow needs one")
    what = f"none runs, and {status.triggers} triggers wait for one; {len(status.missed)} dates were missed"
    return Check("scheduler", "warning", what, "`nbflow server` or JupyterLab runs it")


def port(settings: Settings) -> Check:
    """Whether `nbflow server` could listen where it is meant to."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.server_host, settings.server_port))
        except OSError:
            what = f"{settings.server_host}:{settings.server_port} is taken"
            return Check("port", "warning", what, "it is nbflow itself, or `nbflow server --port` takes another one")
    return Check("port", "ok", f"{settings.server_host}:{settings.server_port} is free for `nbflow server`")


def plugins() -> Check:
    """Whether every type can be imported."""
    from nbflow.plugins.reference import KINDS, types_of

    count = sum(len(types_of(kind)) for kind in KINDS)
    return Check("plugins", "ok", f"{count} types")


def kernels() -> Check:
    """The kernels that notebooks can run in."""
    from jupyter_client.kernelspec import KernelSpecManager

    found = sorted(KernelSpecManager().find_kernel_specs())
    if not found:
        return Check("kernels", "warning", "none: notebook tasks cannot run", "pip install ipykernel")
    return Check("kernels", "ok", ", ".join(found))


def docker() -> Check:
    """A container engine, for scripts that want one."""
    for name in ("docker", "podman"):
        program = shutil.which(name)
        if program is None:
            continue
        done = subprocess.run(
            [program, "version"], capture_output=True, timeout=_TRY_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
        if done.returncode == 0:
            return Check("docker", "ok", f"{name} answers")
        return Check("docker", "warning", f"{name} is there, its engine does not answer", f"start {name}")
    return Check("docker", "ok", "none: scripts that want a container run as processes")


def node() -> Check:
    """Node.js, for scripts in JavaScript."""
    program = shutil.which("node")
    if program is None:
        return Check("node", "ok", "none: scripts in JavaScript cannot run; nothing else needs it")
    done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=_TRY_SECONDS, check=False)
    return Check("node", "ok", done.stdout.strip())


def extras() -> Check:
    """Packages that only some types need."""
    missing = {name: use for name, (module, use) in _EXTRAS.items() if importlib.util.find_spec(module) is None}
    if not missing:
        return Check("extras", "ok", "all are installed")
    what = "not installed: " + ", ".join(f"{name} ({use})" for name, use in missing.items())
    return Check("extras", "ok", what, f'pip install "jupyter-nbflow[{",".join(missing)}]" if you want them')


def clock() -> Check:
    """Time zones: schedules name them."""
    from zoneinfo import available_timezones

    count = len(available_timezones())
    if not count:
        return Check("zones", "warning", "no time zones are known", "pip install tzdata")
    return Check("zones", "ok", f"{count} time zones, local time is {datetime.now().astimezone():%Z}")


_OF_HOME: dict[str, Callable[[Settings], Check]] = {
    "home": home_of,
    "store": store,
    "scheduler": scheduler,
    "port": port,
}
_OF_MACHINE: dict[str, Callable[[], Check]] = {
    "plugins": plugins,
    "kernels": kernels,
    "docker": docker,
    "node": node,
    "extras": extras,
    "zones": clock,
}

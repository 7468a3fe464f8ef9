"""Whose a container is: labels tell, so that none outlives the nbflow process that died without removing it.

A container of a process that is gone is removed as soon as this home uses the engine again, unless it may be resumed:
then the task run that started it, attempted again, takes it up. Once its execution has ended, it goes in any case.
"""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbflow.errors import ExecutionNotFoundError
from nbflow.model.state import State
from nbflow.plugins import RunContext
from nbflow.runners.docker.engine import Engine
from nbflow.types import new_id

_PREFIX = "io.nbflow."
HOME, OWNER, EXECUTION, TASK_RUN = (f"{_PREFIX}{name}" for name in ("home", "owner", "execution", "task-run"))
DIRECTORY, RESUMABLE = f"{_PREFIX}directory", f"{_PREFIX}resumable"

_ID_FILE = "docker.id"
_looked_through: set[tuple[str, str]] = set()
_lock = threading.Lock()


def labels_of(ctx: RunContext, directory: str, *, is_ours: bool, resumable: bool) -> dict[str, str]:
    """The labels of a task run's container; unless it `is_ours`, it is meant to stay, and we leave it alone."""
    labels = {
        EXECUTION: ctx.execution_id,
        TASK_RUN: ctx.task_run_id,
        f"{_PREFIX}namespace": ctx.namespace,
        f"{_PREFIX}flow": ctx.flow_id,
        f"{_PREFIX}task": ctx.task_id,
    }
    if is_ours:
        labels |= {HOME: home_id(ctx.settings.home), OWNER: _this_process(), DIRECTORY: directory}
        labels |= {RESUMABLE: "true"} if resumable else {}
    return labels


def home_id(home: Path) -> str:
    """A name of the home that no other has, whichever machine it is on."""
    file = home / _ID_FILE
    home.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        own = home / f"{_ID_FILE}.{new_id()}"
        own.write_text(new_id(), encoding="utf-8")
        try:
            os.link(own, file)  # whoever is first decides; nobody reads half an id
        except OSError:
            if not file.exists():
                own.replace(file)
        finally:
            own.unlink(missing_ok=True)
    return file.read_text(encoding="utf-8").strip()


def resumable_container(engine: Engine, ctx: RunContext) -> Mapping[str, Any] | None:  # Any: docker has no types
    """The container that an earlier attempt of this task run has left behind when its process died; None for none."""
    for container in _containers(engine, {HOME: home_id(ctx.settings.home), TASK_RUN: ctx.task_run_id}):
        if _is_resumable(container) and not _is_alive(container["Labels"].get(OWNER, "")):
            return container
    return None


def remove_leftovers(engine: Engine, ctx: RunContext) -> int:
    """Remove the containers that processes of this home left behind, once for each engine; how many these were."""
    home = home_id(ctx.settings.home)
    with _lock:
        if (home, engine.address) in _looked_through:
            return 0
        _looked_through.add((home, engine.address))
    count = 0
    for container in _containers(engine, {HOME: home}):
        if _is_left_over(container, ctx):
            with contextlib.suppress(Exception):  # another process may have been quicker
                engine.client.api.remove_container(container["Id"], force=True, v=True)
                count += 1
    if count:
        ctx.log.debug("%d containers of processes that ended were removed", count)
    return count


def _is_left_over(container: Mapping[str, Any], ctx: RunContext) -> bool:
    labels = container["Labels"]
    if _is_alive(labels.get(OWNER, "")):
        return False
    return not _is_resumable(container) or _has_ended(labels.get(EXECUTION, ""), ctx)


def _is_resumable(container: Mapping[str, Any]) -> bool:
    return RESUMABLE in container["Labels"] and container["State"] != "created"  # that one has no files yet


def _has_ended(execution_id: str, ctx: RunContext) -> bool:
    try:
        state = ctx.executions.get(execution_id)["state"]
    except ExecutionNotFoundError:
        return True
    assert isinstance(state, Mapping)
    return State(str(state["current"])).is_terminal


def _containers(engine: Engine, labels: Mapping[str, str]) -> list[Mapping[str, Any]]:
    wanted = {"label": [f"{name}={value}" for name, value in labels.items()]}
    return list(engine.client.api.containers(all=True, filters=wanted))


@functools.lru_cache(maxsize=1)
def _machine() -> str:
    return socket.gethostname()


def _this_process() -> str:
    return f"{_machine()}:{os.getpid()}:{_started(os.getpid())}"


def _is_alive(owner: str) -> bool:
    """Whether the process that owns a container goes on; of those on other machines nobody knows, so they do."""
    machine, _, process = owner.partition(":")
    pid, _, started = process.partition(":")
    if machine != _machine() or not pid.isdigit():
        return bool(owner)
    return _started(int(pid)) == started


def _started(pid: int) -> str:
    """What tells a process from another one that had its number before: the boot it ran in, and when it started."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        return f"{boot}:{stat.rpartition(')')[2].split()[19]}"
    except OSError:
        return _exists(pid)


def _exists(pid: int) -> str:
    """The same where there is no /proc: whether there is such a process at all."""
    if Path("/proc/self/stat").exists():
        return "none"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "none"
    except OSError:
        return "some"
    return "some"

"""`taskCache`: a task that is told the same as one that succeeded before takes what that one put out.

What it is told are its rendered properties, those that every task has left out: a longer timeout changes no outcome.
Only their hash is kept, so that no secret is. Nothing else is compared: neither what stored files hold that properties
name, nor what the task would find in a shared directory.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping

from nbflow.engine.context import TaskContext
from nbflow.engine.rendering import Renderer
from nbflow.errors import NbflowError, StoreError
from nbflow.model.dynamic import holds_expression
from nbflow.model.task import Task, TaskCache
from nbflow.plugins import RunnableTask
from nbflow.store import Store, TaskPlace
from nbflow.types import JsonValue

_OF_EVERY_TASK = set(Task.model_fields)
_SCHEMES = ("kestra:///", "nbflow:///")


class Memory:
    """Recalls what an earlier run of a task put out, and keeps what this one does. No failure of it does any harm."""

    def __init__(self, cache: TaskCache, hash: str, ctx: TaskContext, store: Store) -> None:
        self._ttl = cache.ttl
        self._hash = hash
        self._ctx = ctx
        self._store = store
        self._place = TaskPlace(ctx.namespace, ctx.flow_id, ctx.task_id)

    async def recall(self) -> Mapping[str, JsonValue] | None:
        """What an earlier run put out, if the files it stored are still there."""
        ctx = self._ctx
        try:
            found = await asyncio.to_thread(self._store.outcomes.get, self._place, self._hash, ctx.now(), self._ttl)
            if found is None:
                return None
            gone = await asyncio.to_thread(self._missing, found.outputs)
        except StoreError as error:
            ctx.log.warning("what an earlier run put out cannot be read: %s", error)
            return None
        if gone is not None:
            ctx.log.debug("execution %s put out the file %s, which is gone", found.execution_id, gone)
            return None
        ctx.log.debug("nothing has changed: the outputs are those of execution %s", found.execution_id)
        return found.outputs

    async def keep(self, outputs: Mapping[str, JsonValue]) -> None:
        """Let later runs take what this one puts out."""
        ctx = self._ctx
        try:
            await self._store.outcomes.put(self._place, self._hash, ctx.execution_id, outputs, ctx.now(), self._ttl)
        except StoreError as error:
            ctx.log.warning("what the task put out cannot be kept for later runs: %s", error)

    def _missing(self, outputs: Mapping[str, JsonValue]) -> str | None:
        """The URI of a stored file that is no longer there."""
        files = self._store.files
        return next((uri for uri in _texts(outputs) if uri.startswith(_SCHEMES) and not files.exists(uri)), None)


async def memory_of(
    task: RunnableTask, rendered: RunnableTask, renderer: Renderer, ctx: TaskContext, store: Store
) -> Memory | None:
    """The memory of a task, as it is written and as it is rendered; None when it asks for none or cannot have one."""
    if task.task_cache is None or not task.task_cache.enabled:
        return None
    try:
        hash = await asyncio.to_thread(_hash, task, rendered, renderer)
    except (NbflowError, ValueError, TypeError) as error:
        ctx.log.warning("it cannot be told whether anything has changed: %s", error)
        return None
    return Memory(task.task_cache, hash, ctx, store)


def _hash(task: RunnableTask, rendered: RunnableTask, renderer: Renderer) -> str:
    """SHA-256 of the type and the rendered properties as canonical JSON."""
    # Scripts name these in texts that they render themselves; what they stand for is another place each time.
    files = {name: name for name in getattr(rendered, "output_files", ())}
    names: dict[str, object] = {"workingDir": "workingDir", "outputDir": "outputDir", "outputFiles": files}
    told = {
        "type": type(task).type_name or task.type,
        "properties": _told(_plain(task), _plain(rendered), renderer, names),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def _plain(task: RunnableTask) -> Mapping[str, object]:
    return task.model_dump(mode="json", exclude=_OF_EVERY_TASK, warnings=False, serialize_as_any=True, fallback=str)


def _told(written: object, rendered: object, renderer: Renderer, names: Mapping[str, object]) -> object:
    """A rendered value, those texts rendered too that the task leaves as they are written until it runs."""
    if isinstance(rendered, str):
        is_left = rendered == written and holds_expression(rendered)
        return renderer.value(rendered, keeps_types=True, extra=names) if is_left else rendered
    if isinstance(rendered, Mapping):
        of = written if isinstance(written, Mapping) else {}
        return {str(key): _told(of.get(key), value, renderer, names) for key, value in rendered.items()}
    if isinstance(rendered, list):
        same = written if isinstance(written, list) and len(written) == len(rendered) else [None] * len(rendered)
        return [_told(before, value, renderer, names) for before, value in zip(same, rendered, strict=True)]
    return rendered


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)

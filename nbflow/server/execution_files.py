"""Files of executions over REST: their content, their size, and a first look at what is in them."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TypeVar
from urllib.parse import unquote, urlencode

from jupyter_server.utils import url_path_join

from nbflow.engine import Engine, Execution
from nbflow.errors import StoredFileNotFoundError
from nbflow.server.errors import RequestError
from nbflow.server.handler import ApiHandler
from nbflow.server.previews import MAX_ROWS, preview
from nbflow.server.rights import Right, may

_IN_EXECUTION = re.compile(r"/executions/([0-9A-Za-z]{16,})/")

T = TypeVar("T")


class OwnFile(ApiHandler):
    """Answers about a file that belongs to an execution; another execution's file redirects to that one's route."""

    part = "file"

    async def own_file(self, execution_id: str) -> tuple[Engine, str] | None:
        """The engine, and the URI that is asked for; None when the client was sent elsewhere.

        Raises: StoredFileNotFoundError; RequestError, 400, when no file is named.
        """
        uri = self.needed("path")
        engine = await self.engine()
        execution = await engine.aexecution(execution_id)
        if await asyncio.to_thread(_owns, execution, uri):
            return engine, uri
        named = _IN_EXECUTION.search(uri)
        if named is not None and named[1] != execution_id:
            owner = await engine.aexecution(named[1])
            if await asyncio.to_thread(_owns, owner, uri):
                path = url_path_join(self.base_url, "api/v1/executions", owner.id, self.part)
                self.redirect(f"{path}?{urlencode({'path': uri})}")
                return None
        raise StoredFileNotFoundError(f"the execution `{execution_id}` has no file {uri}")


class ExecutionFile(OwnFile):
    """`GET /executions/{id}/file?path=kestra://…`: a file that the execution was given or has produced."""

    @may(Right.VIEW)
    async def get(self, execution_id: str) -> None:
        found = await self.own_file(execution_id)
        if found is not None:
            engine, uri = found
            await self.send_stored(engine, uri, PurePosixPath(unquote(uri)).name)


class ExecutionFileMetas(OwnFile):
    """`GET /executions/{id}/file/metas`: how large a file is."""

    part = "file/metas"

    @may(Right.VIEW)
    async def get(self, execution_id: str) -> None:
        found = await self.own_file(execution_id)
        if found is not None:
            engine, uri = found
            self.answer({"size": await asyncio.to_thread(engine.store.files.size, uri)})


class ExecutionFilePreview(OwnFile):
    """`GET /executions/{id}/file/preview`: what a file begins with."""

    part = "file/preview"

    @may(Right.VIEW)
    async def get(self, execution_id: str) -> None:
        rows = self.query_int("maxRows") or 100
        if not 0 < rows <= MAX_ROWS:
            raise RequestError(f"`maxRows` must be from 1 to {MAX_ROWS}, got {rows}", path="maxRows")
        encoding = self.query("encoding") or "utf-8"
        found = await self.own_file(execution_id)
        if found is not None:
            engine, uri = found
            name = PurePosixPath(unquote(uri)).name
            look: Callable[[Path], object] = lambda file: preview(file, name, rows, encoding)  # noqa: E731
            self.answer(await asyncio.to_thread(_with_file, engine, uri, look))


def _with_file(engine: Engine, uri: str, use: Callable[[Path], T]) -> T:
    with local_copy(engine, uri) as file:
        return use(file)


@contextmanager
def local_copy(engine: Engine, uri: str) -> Iterator[Path]:
    """A stored file on this machine, to be read only. Raises: StoredFileNotFoundError."""
    files = engine.store.files
    local = files.local_path(uri)
    if local is not None and local.is_file():
        yield local
        return
    with tempfile.TemporaryDirectory(prefix="nbflow-file-") as folder:
        yield files.fetch(uri, Path(folder) / "file")


def _owns(execution: Execution, uri: str) -> bool:
    """Whether a URI lies in the execution's own folder, or is named by its inputs or by an output of it."""
    if ".." in unquote(uri):
        return False
    folder = f"{execution.namespace.replace('.', '/')}/{execution.flow_id}/executions/{execution.id}/"
    if unquote(uri).removeprefix("kestra:///").removeprefix("nbflow:///").startswith(folder):
        return True
    if not uri.startswith(("kestra:///", "nbflow:///")):
        return False
    return (
        _names(execution.inputs, uri)
        or _names(execution.outputs, uri)
        or any(_names(run.outputs, uri) for run in execution.task_runs)
    )


def _names(value: object, uri: str) -> bool:
    if isinstance(value, dict):
        return any(_names(item, uri) for item in value.values())
    return any(_names(item, uri) for item in value) if isinstance(value, list) else value == uri

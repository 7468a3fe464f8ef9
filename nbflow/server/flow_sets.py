"""Many flows at once over REST: a namespace from one text, switches, deletion, export and import."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import PurePosixPath

from nbflow.engine import Engine
from nbflow.errors import FlowValidationError, NbflowError, Problem
from nbflow.model.flow import Flow
from nbflow.server.archives import unpack, zipped
from nbflow.server.errors import RequestError
from nbflow.server.filters import read_filter
from nbflow.server.flows import FIELDS, flow_address, found_flows
from nbflow.server.forms import Upload
from nbflow.server.handler import ApiHandler
from nbflow.server.requests import FlowName, read_list
from nbflow.server.rights import Right, may
from nbflow.source.parts import parts_of


class FlowNames(ApiHandler):
    """Knows which flows a request means: those its body lists, or those a query finds."""

    async def names(self, engine: Engine, way: str) -> list[FlowName]:
        """Raises: RequestError; FlowNotFoundError for a flow of the list that is not there."""
        if way == "by-query":
            wanted = read_filter(self.query_values(), FIELDS)
            return [
                FlowName(namespace=one.namespace, id=one.id)
                for one in await asyncio.to_thread(found_flows, engine, wanted)
            ]
        listed = read_list(FlowName, self.request.body)
        for one in listed:
            await engine.aflow(one.namespace, one.id)
        return listed


class SwitchFlows(FlowNames):
    """`POST /flows/{disable|enable}/by-ids` and `/by-query`."""

    @may(Right.EDIT)
    async def post(self, action: str, way: str) -> None:
        engine = await self.engine()
        names = await self.names(engine, way)
        for name in names:
            await engine.aswitch_flow(name.namespace, name.id, disabled=action == "disable")
        self.subject = f"flows/{action}: {', '.join(f'{name.namespace}.{name.id}' for name in names[:20])}"
        self.answer_bulk(len(names))


class DeleteFlows(FlowNames):
    """`DELETE /flows/delete/by-ids` and `/by-query`."""

    @may(Right.EDIT)
    async def delete(self, way: str) -> None:
        engine = await self.engine()
        names = await self.names(engine, way)
        for name in names:
            await engine.adelete_flow(name.namespace, name.id)
        self.subject = f"flows/delete: {', '.join(f'{name.namespace}.{name.id}' for name in names[:20])}"
        self.answer_bulk(len(names))


class ExportFlows(FlowNames):
    """`GET /flows/export/by-query`, `POST /flows/export/by-ids`: a zip of sources."""

    @may(Right.VIEW)
    async def get(self, way: str) -> None:
        await self._export(way)

    @may(Right.VIEW)
    async def post(self, way: str) -> None:
        await self._export(way)

    async def _export(self, way: str) -> None:
        engine = await self.engine()
        names = await self.names(engine, way)
        self.answer_file(await asyncio.to_thread(_packed, engine, names), "flows.zip")


class ImportFlows(ApiHandler):
    """`POST /flows/import`: flows of YAML files, of any number, or of a zip; answers those that failed."""

    takes_uploads = True

    @may(Right.EDIT)
    async def post(self) -> None:
        uploads = [upload for upload in self.form.uploads if upload.part == "fileUpload"] or self.form.uploads
        if not uploads:
            raise RequestError("the form has no part `fileUpload`", status=400, path="fileUpload")
        engine = await self.engine()
        self.answer(await asyncio.to_thread(_import, engine, uploads, self.query_flag("failOnError")))


class FlowsFromText(ApiHandler):
    """`POST /flows/bulk`, `POST /flows/{namespace}`: the flows of a text; others are deleted, unless told otherwise."""

    @may(Right.EDIT)
    async def post(self, namespace: str | None = None) -> None:
        engine = await self.engine()
        namespace = namespace or self.query("namespace")
        text = self.body_text()
        flows = await asyncio.to_thread(
            deploy_all, engine, text, namespace, self.query_flag("delete", True), self.query_flag("allowNamespaceChild")
        )
        self.answer([flow.to_dict(with_source=True) for flow in flows])


class FlowsOfNamespace(FlowsFromText):
    """`GET /flows/{namespace}`: all flows of exactly this namespace."""

    @may(Right.VIEW)
    async def get(self, namespace: str) -> None:
        engine = await self.engine()
        self.answer([flow.to_dict() for flow in await engine.aflows(namespace)])


def deploy_all(
    engine: Engine, text: str, namespace: str | None, is_exhaustive: bool, takes_children: bool
) -> list[Flow]:
    """Deploy every flow of a text, or none; with `is_exhaustive`, delete those of the namespace that it does not name.

    Raises: FlowValidationError with the problems of all flows; RequestError for a flow of another namespace.
    """
    parts = [part for part in parts_of(text) if part.text.strip()]
    problems: list[Problem] = []
    named: list[tuple[str, str]] = []
    for part in parts:
        address = flow_address(part.text)
        if namespace is not None and not _is_within(address[0], namespace, takes_children):
            raise RequestError(f"the flow {'.'.join(address)} is not of the namespace {namespace}", path="namespace")
        if address in named:
            raise RequestError(f"the flow {'.'.join(address)} is there twice", path="id")
        named.append(address)
        problems += [part.in_whole(one) for one in engine.validate(part.text) if one.is_error and not one.at_run]
    if problems:
        raise FlowValidationError("the flows are not valid", problems)
    flows = [engine.deploy(part.text) for part in parts]
    if is_exhaustive:
        for stored in engine.store.flows.list(namespace, takes_children):
            if namespace is not None and (stored.namespace, stored.id) not in named:
                engine.delete_flow(stored.namespace, stored.id)
    return flows


def _is_within(named: str, namespace: str, takes_children: bool) -> bool:
    return named == namespace or (takes_children and named.startswith(f"{namespace}."))


def _packed(engine: Engine, names: list[FlowName]) -> bytes:
    return zipped((f"{name.namespace}.{name.id}.yml", engine.flow(name.namespace, name.id).source) for name in names)


def _import(engine: Engine, uploads: list[Upload], must_succeed: bool) -> list[str]:
    """Deploy the flows of files; returns the names of those that could not be. Raises: RequestError."""
    failed = []
    for name, text in _texts(uploads):
        for part in parts_of(text):
            if not part.text.strip():
                continue
            try:
                engine.deploy(part.text)
            except NbflowError:
                if must_succeed:
                    raise
                namespace, flow_id = flow_address(part.text)
                failed.append(flow_id or namespace or name)
    return failed


def _texts(uploads: list[Upload]) -> Iterator[tuple[str, str]]:
    """Every YAML text, with the name of its file. Raises: RequestError for a file of another kind."""
    for upload in uploads:
        name = upload.file_name
        if name.lower().endswith(".zip"):
            for path, content in unpack(upload.path):
                if PurePosixPath(path).suffix.lower() in (".yml", ".yaml"):
                    yield path, _text(content, path)
        elif name.lower().endswith((".yml", ".yaml")):
            yield name, _text(upload.path.read_bytes(), name)
        else:
            raise RequestError(f"{name!r} is neither .yml, .yaml nor .zip", path="fileUpload")


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        raise RequestError(f"{name!r} is not UTF-8 text: {cause.reason}", path="fileUpload") from cause

"""Files of namespaces over REST: put, read, list, move, delete, export and unpack."""

from __future__ import annotations

import asyncio
from pathlib import PurePosixPath

from nbflow.engine import Engine
from nbflow.errors import StoredFileNotFoundError
from nbflow.server.archives import unpack, zipped
from nbflow.server.errors import RequestError
from nbflow.server.forms import Upload
from nbflow.server.handler import ApiHandler
from nbflow.server.rights import Right, may
from nbflow.store import NamespaceFile
from nbflow.types import JsonValue

KEEP = ".keep"
"""A file that stands for an empty folder; it is not shown."""


class Files(ApiHandler):
    """`/namespaces/{namespace}/files`: one file, or a folder to move or delete."""

    takes_uploads = True

    @may(Right.VIEW)
    async def get(self, namespace: str) -> None:
        path = place(self.needed("path"))
        engine = await self.engine()
        uri = await asyncio.to_thread(engine.store.namespace_files.uri, namespace, path)
        await self.send_stored(engine, uri, PurePosixPath(path).name)

    @may(Right.EDIT)
    async def post(self, namespace: str) -> None:
        path = self.needed("path")
        engine = await self.engine()
        uploads = [upload for upload in self.form.uploads if upload.part == "fileContent"] or self.form.uploads
        if not uploads and "fileContent" not in self.form.texts and self.form.texts:
            raise RequestError("the form has no part `fileContent`", status=400, path="fileContent")
        await asyncio.to_thread(self._keep, engine, namespace, path, uploads)
        self.answer_nothing(200)

    def _keep(self, engine: Engine, namespace: str, path: str, uploads: list[Upload]) -> None:
        files = engine.store.namespace_files
        if not uploads:
            texts = self.form.texts.get("fileContent")
            files.put(namespace, place(path), texts[-1] if texts else b"")
            return
        upload = uploads[-1]
        if upload.file_name.lower().endswith(".zip") and not path.lower().endswith(".zip"):
            folder = place(path, may_be_top=True)
            for name, content in unpack(upload.path):
                files.put(namespace, f"{folder}/{name}" if folder else name, content)
        elif upload.file_name.lower().endswith(".zip"):
            parent = str(PurePosixPath(place(path)).parent)
            for name, content in unpack(upload.path):
                files.put(namespace, name if parent == "." else f"{parent}/{name}", content)
        else:
            files.put(namespace, place(path), upload.path)

    @may(Right.EDIT)
    async def put(self, namespace: str) -> None:
        source, target = place(self.needed("from")), place(self.needed("to"))
        engine = await self.engine()
        await asyncio.to_thread(engine.store.namespace_files.move, namespace, source, target, overwrite=True)
        self.answer_nothing(200)

    @may(Right.EDIT)
    async def delete(self, namespace: str) -> None:
        path = place(self.needed("path"))
        engine = await self.engine()
        if not await asyncio.to_thread(engine.store.namespace_files.delete, namespace, path):
            raise StoredFileNotFoundError(f"there is no file `{path}` in {namespace}")
        self.answer_nothing(200)


class Directory(ApiHandler):
    """`/namespaces/{namespace}/files/directory`: what a folder holds; POST makes one."""

    @may(Right.VIEW)
    async def get(self, namespace: str) -> None:
        path = place(self.query("path") or "", may_be_top=True)
        engine = await self.engine()
        self.answer(await asyncio.to_thread(_entries, engine, namespace, path))

    @may(Right.EDIT)
    async def post(self, namespace: str) -> None:
        path = place(self.needed("path"))
        engine = await self.engine()
        await asyncio.to_thread(engine.store.namespace_files.put, namespace, f"{path}/{KEEP}", b"")
        self.answer_nothing(200)


class Stats(ApiHandler):
    """`GET /namespaces/{namespace}/files/stats`: what is known of a file or folder."""

    @may(Right.VIEW)
    async def get(self, namespace: str) -> None:
        path = place(self.query("path") or "", may_be_top=True)
        engine = await self.engine()
        self.answer(await asyncio.to_thread(_stats, engine, namespace, path))


class FileSearch(ApiHandler):
    """`GET /namespaces/{namespace}/files/search`: the paths that hold a text."""

    @may(Right.VIEW)
    async def get(self, namespace: str) -> None:
        part = (self.query("q") or "").lower()
        engine = await self.engine()
        found = await asyncio.to_thread(_shown, engine, namespace)
        self.answer([f"/{file.path}" for file in found if part in file.path.lower()])


class FileRevisions(ApiHandler):
    """`GET /namespaces/{namespace}/files/revisions`: a file has one revision, the one that is there."""

    @may(Right.VIEW)
    async def get(self, namespace: str) -> None:
        path = place(self.needed("path"))
        engine = await self.engine()
        if not await asyncio.to_thread(engine.store.namespace_files.exists, namespace, path):
            raise StoredFileNotFoundError(f"there is no file `{path}` in {namespace}")
        self.answer([{"revision": 1}])


class FileExport(ApiHandler):
    """`GET /namespaces/{namespace}/files/export`: all files in a zip."""

    @may(Right.VIEW)
    async def get(self, namespace: str) -> None:
        engine = await self.engine()
        self.answer_file(await asyncio.to_thread(_export, engine, namespace), f"{namespace}_files.zip")


def place(path: str, *, may_be_top: bool = False) -> str:
    """A path inside the namespace, with or without `/` before it. Raises: RequestError when it leaves it."""
    plain = path.replace("\\", "/").strip("/")
    if plain.startswith("file:"):
        plain = plain.removeprefix("file:").strip("/")
    if ".." in plain.split("/"):
        raise RequestError(f"the path `{path}` leaves the namespace", path="path")
    if not plain and not may_be_top:
        raise RequestError("the path names no file", path="path")
    return plain


def _shown(engine: Engine, namespace: str, folder: str = "") -> list[NamespaceFile]:
    found = engine.store.namespace_files.list(namespace, folder)
    return [file for file in found if PurePosixPath(file.path).name != KEEP]


def _entries(engine: Engine, namespace: str, folder: str) -> list[JsonValue]:
    """What lies in a folder itself: folders first. Raises: StoredFileNotFoundError."""
    files = engine.store.namespace_files.list(namespace, folder)
    if folder and not files:
        raise StoredFileNotFoundError(f"there is no folder `{folder}` in {namespace}")
    start = f"{folder}/" if folder else ""
    folders = {rest.partition("/")[0] for file in files if "/" in (rest := file.path.removeprefix(start))}
    shapes: list[JsonValue] = [_folder_shape(name) for name in sorted(folders)]
    own = [file for file in files if "/" not in file.path.removeprefix(start)]
    shapes += [_file_shape(engine, file) for file in own if PurePosixPath(file.path).name != KEEP]
    return shapes


def _stats(engine: Engine, namespace: str, path: str) -> JsonValue:
    files = engine.store.namespace_files
    if path and files.exists(namespace, path):
        return _file_shape(engine, NamespaceFile(namespace, path, files.uri(namespace, path)))
    if path and not files.list(namespace, path):
        raise StoredFileNotFoundError(f"there is no file `{path}` in {namespace}")
    return _folder_shape(PurePosixPath(path).name if path else "_files")


def _folder_shape(name: str) -> JsonValue:
    return {"fileName": name, "type": "Directory", "size": 0, "lastModifiedTime": 0, "creationTime": 0}


def _file_shape(engine: Engine, file: NamespaceFile) -> JsonValue:
    local = engine.store.files.local_path(file.uri)
    stat = local.stat() if local is not None else None
    return {
        "fileName": PurePosixPath(file.path).name,
        "type": "File",
        "size": stat.st_size if stat is not None else engine.store.files.size(file.uri),
        "lastModifiedTime": int(stat.st_mtime * 1000) if stat is not None else 0,
        "creationTime": int(stat.st_ctime * 1000) if stat is not None else 0,
    }


def _export(engine: Engine, namespace: str) -> bytes:
    found = _shown(engine, namespace)
    return zipped((file.path, engine.store.files.read_bytes(file.uri)) for file in found)

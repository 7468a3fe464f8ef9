"""Where documents come from: addresses, stored files, files of the working directory, or the flow itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Model, RunContext, Text
from nbflow.tasks.ai.chunks import Document, plain_text
from nbflow.tasks.working_files import is_stored
from nbflow.types import JsonValue

_LONGEST = 50 * 1024 * 1024


class InlineDocument(Model):
    """A document written in the flow."""

    content: Dynamic[Text] = Field(description="Its text.")
    metadata: Dynamic[dict[str, JsonValue]] = Field(default_factory=dict, description="What to remember with it.")


async def from_addresses(addresses: Sequence[str]) -> AsyncIterator[Document]:
    """The documents at addresses. Raises: TaskFailedError when one cannot be had."""
    import httpx

    async with httpx.AsyncClient(timeout=60.0, follow_redirects=True, headers={"User-Agent": "nbflow"}) as client:
        for address in addresses:
            try:
                response = await client.get(address)
            except (httpx.HTTPError, httpx.InvalidURL) as cause:
                raise TaskFailedError(f"{address} cannot be reached: {cause or type(cause).__name__}") from cause
            if response.status_code >= 400:
                raise TaskFailedError(f"{address} answered {response.status_code} {response.reason_phrase}")
            if len(response.content) > _LONGEST:
                raise TaskFailedError(f"{address} is longer than {_LONGEST} bytes")
            text = plain_text(response.text, response.headers.get("content-type", ""))
            yield Document(text, {"url": address})


def from_stored(ctx: RunContext, uris: Sequence[str]) -> Iterator[Document]:
    """Stored files. Raises: TaskFailedError for what is none, or no text."""
    for uri in uris:
        if not is_stored(uri.strip()):
            raise TaskFailedError(f"{uri[:200]!r} is not the URI of a stored file")
        yield Document(_read(ctx.file(uri.strip()), uri), {"uri": uri.strip()})


def from_path(ctx: RunContext, name: str) -> Iterator[Document]:
    """A file of the working directory, or all files below a folder of it."""
    place = ctx.path(name)
    if not place.exists():
        raise TaskFailedError(f"`{name}` is not there", hint="put it there with `inputFiles` of a WorkingDirectory")
    base = ctx.working_dir.resolve()
    files = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
    for path in files:
        if not path.resolve().is_relative_to(base):
            raise TaskFailedError(f"`{path.name}` is a link that leaves the working directory")
        yield Document(_read(path, path.name), {"file_name": path.name, "absolute_directory_path": str(path.parent)})


def _read(path: Path, name: str) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as cause:
        raise TaskFailedError(f"{name} is no text in UTF-8", hint="convert it first") from cause
    return plain_text(text, "html" if path.suffix.lower() in (".html", ".htm") else "")

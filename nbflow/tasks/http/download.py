"""The task type that downloads a file into the internal storage."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.http.exchange import HttpTask, headers_of, length_of, shown
from nbflow.types import JsonValue

_NAMED = re.compile(
    r"""filename\*?\s*=\s*(?:(?P<charset>[\w-]+)'[^']*'(?P<coded>[^;]+)|"(?P<quoted>[^"]*)"|(?P<plain>[^;\s]+))"""
)
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\/]+')
_CHUNK_BYTES = 256 * 1024


@task_type(
    "io.kestra.plugin.core.http.Download",
    aliases=["download"],
    old_names=["io.kestra.core.tasks.http.Download", "io.kestra.plugin.fs.http.Download"],
    examples=[
        Example(
            """
            - id: orders
              type: io.kestra.plugin.core.http.Download
              uri: https://example.com/orders.csv
            - id: show
              type: log
              message: "{{ outputs.orders.length }} bytes"
            """,
            title="Store a file of the web.",
            needs="a server that has it",
        )
    ],
)
class Download(HttpTask):
    """Download a file into the internal storage, whatever its size."""

    class Output(RunnableTask.Output):
        uri: Text = Field(description="URI of the stored file.")
        code: int = Field(description="Status code of the answer.")
        length: int = Field(description="Length of the file in bytes.")
        headers: dict[str, JsonValue] = Field(description="Headers of the answer, each with a list of values.")

    fail_on_empty_response: Dynamic[bool] = Field(default=True, description="Whether an empty file is a failure.")
    save_as: Dynamic[Text] | None = Field(
        default=None, description="Name of the stored file; the server's or the address's unless said."
    )

    async def run(self, ctx: RunContext) -> Output:
        target = ctx.path(f".nbflow-download-{ctx.task_run_id}")
        async with self.exchange(ctx) as response:
            length = await _write(response, target)
            promised = length_of(response)
            name = file_name(self.save_as, response.headers, str(response.url))
            code, headers = response.status_code, headers_of(response)
        where = f"{self.method.upper()} {shown(self.uri)}"
        if promised is not None and promised != length and self.method.upper() != "HEAD":
            raise TaskFailedError(f"{where} ended early: {length} of {promised} bytes arrived")
        ctx.metric("response.length", length, tags={"request.method": self.method.upper()})
        if not length:
            if self.fail_on_empty_response and not self.allow_failed:
                raise TaskFailedError(
                    f"{where} answered an empty file", hint="set `failOnEmptyResponse: false` to accept it"
                )
            ctx.log.warning("%s answered an empty file", where)
        uri = await asyncio.to_thread(ctx.store_file, target, name)
        target.unlink(missing_ok=True)
        ctx.log.debug("%d bytes stored as %s", length, uri)
        return self.Output(uri=uri, code=code, length=length, headers=headers)


async def _write(response: Any, target: Path) -> int:
    """Write the body of an answer into a file as it comes; its length."""
    length = 0
    with target.open("wb") as file:
        async for piece in response.aiter_bytes(_CHUNK_BYTES):
            file.write(piece)
            length += len(piece)
    return length


def file_name(save_as: str | None, headers: Mapping[str, str], url: str) -> str:
    """What a downloaded file is called: as wished, as the server says, or like the end of its address."""
    candidates = (save_as, _from_header(headers.get("content-disposition", "")), unquote(urlsplit(url).path))
    for candidate in candidates:
        name = _NOT_IN_NAMES.sub("_", PurePosixPath((candidate or "").replace("\\", "/")).name).strip(" .")
        if name:
            return name
    return "download"


def _from_header(disposition: str) -> str | None:
    """The file name of a Content-Disposition header. Source: RFC 6266 section 4.3; the coded form wins."""
    names = list(_NAMED.finditer(disposition))
    for match in names:
        if match["coded"]:
            return unquote(match["coded"].strip(), encoding=match["charset"], errors="replace")
    return next((match["quoted"] or match["plain"] for match in names), None)

"""Task types that bring single files to Google Cloud Storage, from there, and about."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import mimetypes
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.gcp.gcs.objects import GcsTask, Place
from nbflow.tasks.gcp.session import RefusedError, Session, check
from nbflow.tasks.storage.scratch import scratch_file, stored

_PORTION = 1 << 20
_NEEDS = "a bucket of Google Cloud Storage"


@task_type(
    "io.kestra.plugin.gcp.gcs.Upload",
    aliases=["gcs_upload"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.gcp.gcs.Upload
            from: "{{ inputs.file }}"
            to: gs://my-bucket/raw/trips.csv
            serviceAccount: "{{ secret('GCP_CREDS') }}"
            """,
            title="Bring a FILE input to a bucket",
            needs=_NEEDS,
        )
    ],
)
class Upload(GcsTask):
    """Bring a stored file to a bucket of Google Cloud Storage, whatever its size."""

    class Output(RunnableTask.Output):
        uri: Text = Field(description="Where the object is, `gs://bucket/name`.")
        md5: Text | None = Field(default=None, description="MD5 of the content, base64.")
        crc32c: Text | None = Field(default=None, alias="crc32c", description="CRC32C of the content, base64.")

    from_: Dynamic[Text] = Field(alias="from", description="URI of the stored file.")
    to: Dynamic[Text] = Field(description="Where to put it, `gs://bucket/name`.")
    content_type: Dynamic[Text] | None = Field(
        default=None, description="Type of the content; what the name tells unless said."
    )
    content_encoding: Dynamic[Text] | None = Field(default=None, description="How the content is packed, such as gzip.")
    content_disposition: Dynamic[Text] | None = Field(default=None, description="How a browser shows it.")
    cache_control: Dynamic[Text] | None = Field(default=None, description="How long it may be cached.")
    validate_checksum: Dynamic[bool] = Field(
        default=True, description="Whether to compare the MD5 of what was sent with that of what arrived."
    )
    expected_md5: Dynamic[Text] | None = Field(default=None, description="Fail unless the file has this MD5 (base64).")
    expected_crc32c: Dynamic[Text] | None = Field(
        default=None, alias="expectedCrc32c", description="Fail unless what arrived has this CRC32C (base64)."
    )

    async def run(self, ctx: RunContext) -> Output:
        source = await asyncio.to_thread(stored, ctx, self.from_, "from")
        target = Place.read(self.to, "to")
        digest = hashlib.md5(usedforsecurity=False)
        async with self.storage(ctx) as session:
            address = await self._begin(session, target, source.stat().st_size)
            with source.open("rb") as file:
                found = await _send(session, address, file, source.stat().st_size, digest)
        md5 = base64.b64encode(digest.digest()).decode()
        self._compare(md5, found)
        ctx.metric("file.size", source.stat().st_size)
        ctx.log.debug("%s uploaded", target)
        return self.Output(uri=str(target), md5=md5, crc32c=found.get("crc32c"))

    async def _begin(self, session: Session, target: Place, size: int) -> str:
        """Ask for an address to send the content to. Source: Cloud Storage's "resumable uploads"."""
        described = {
            "name": target.name,
            "contentType": self.content_type or mimetypes.guess_type(target.name)[0] or "application/octet-stream",
            "contentEncoding": self.content_encoding,
            "contentDisposition": self.content_disposition,
            "cacheControl": self.cache_control,
        }
        request = session.client.build_request(
            "POST",
            f"{session.base}/upload{target.collection}",
            params={"uploadType": "resumable", "name": target.name},
            json={name: value for name, value in described.items() if value is not None},
            headers={"X-Upload-Content-Length": str(size), "X-Upload-Content-Type": str(described["contentType"])},
        )
        response = await session.send(request)
        check(response)
        return str(response.headers["location"])

    def _compare(self, md5: str, found: dict[str, Any]) -> None:
        if self.expected_md5 and self.expected_md5 != md5:
            raise TaskFailedError(f"the file has the MD5 {md5}, and `expectedMd5` says {self.expected_md5}")
        if self.validate_checksum and found.get("md5Hash", md5) != md5:
            raise TaskFailedError(f"what arrived has the MD5 {found['md5Hash']}, and what was sent {md5}")
        if self.expected_crc32c and found.get("crc32c") != self.expected_crc32c:
            raise TaskFailedError(
                f"what arrived has the CRC32C {found.get('crc32c')}, and `expectedCrc32c` says {self.expected_crc32c}"
            )


async def _send(session: Session, address: str, file: BinaryIO, size: int, digest: Any) -> dict[str, Any]:
    async def portions() -> AsyncIterator[bytes]:
        while portion := await asyncio.to_thread(file.read, _PORTION):
            digest.update(portion)
            yield portion

    request = session.client.build_request(
        "PUT", address, content=portions() if size else b"", headers={"Content-Length": str(size)}
    )
    response = await session.send(request)
    check(response)
    found = response.json() if response.content else {}
    return found if isinstance(found, dict) else {}


@task_type(
    "io.kestra.plugin.gcp.gcs.Download",
    aliases=["gcs_download"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.gcp.gcs.Download
            from: gs://my-bucket/raw/trips.csv
            """,
            title="Bring an object into the internal storage",
            needs=_NEEDS,
        )
    ],
)
class Download(GcsTask):
    """Bring an object of Google Cloud Storage into the internal storage, whatever its size."""

    class Output(RunnableTask.Output):
        bucket: Text = Field(description="Bucket of the object.")
        path: Text = Field(description="Name of the object in its bucket.")
        uri: Text = Field(description="URI of the stored file.")

    from_: Dynamic[Text] = Field(alias="from", description="The object, `gs://bucket/name`.")
    validate_checksum: Dynamic[bool] = Field(
        default=False, description="Whether to compare the MD5 of what came with that of the object."
    )

    async def run(self, ctx: RunContext) -> Output:
        source = Place.read(self.from_, "from")
        async with self.storage(ctx) as session:
            uri, size = await fetch(ctx, session, source, validate=self.validate_checksum)
        ctx.metric("file.size", size)
        return self.Output(bucket=source.bucket, path=source.name, uri=uri)


async def fetch(ctx: RunContext, session: Session, source: Place, *, validate: bool = False) -> tuple[str, int]:
    """Store a copy of an object; its URI and length. Raises: RefusedError; TaskFailedError."""
    with scratch_file(ctx) as path:
        request = session.client.build_request("GET", session.base + source.path, params={"alt": "media"})
        response = await session.send(request, stream=True)
        try:
            if response.status_code >= 400:
                await response.aread()
                if response.status_code == 404:
                    raise RefusedError(f"there is no object {source}", status=404, reason="notFound")
                check(response)
            md5, size = await _receive(response, path)
        finally:
            await response.aclose()
        promised = _md5_of(response.headers.get("x-goog-hash", ""))
        if validate and promised and promised != md5:
            raise TaskFailedError(f"{source} has the MD5 {promised}, and what came has {md5}")
        name = PurePosixPath(source.name).name or source.bucket
        return await asyncio.to_thread(ctx.store_file, path, name), size


async def _receive(response: Any, path: Path) -> tuple[str, int]:
    import httpx

    digest = hashlib.md5(usedforsecurity=False)
    size = 0
    with path.open("wb") as file:
        try:
            async for portion in response.aiter_bytes(_PORTION):
                digest.update(portion)
                file.write(portion)
                size += len(portion)
        except httpx.HTTPError as cause:
            raise TaskFailedError(
                f"the download broke off after {size} bytes: {cause or type(cause).__name__}"
            ) from cause
    return base64.b64encode(digest.digest()).decode(), size


def _md5_of(header: str) -> str | None:
    """The MD5 in `x-goog-hash: crc32c=…,md5=…`."""
    return next((part.strip()[4:] for part in header.split(",") if part.strip().startswith("md5=")), None)


@task_type(
    "io.kestra.plugin.gcp.gcs.Copy",
    aliases=["gcs_copy"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.gcp.gcs.Copy
            from: gs://my-bucket/in/trips.csv
            to: gs://my-bucket/archive/trips.csv
            delete: true
            """,
            title="Move an object",
            needs=_NEEDS,
        )
    ],
)
class Copy(GcsTask):
    """Copy an object of Google Cloud Storage, or move it; its content does not pass through this machine."""

    class Output(RunnableTask.Output):
        uri: Text = Field(description="Where the copy is, `gs://bucket/name`.")

    from_: Dynamic[Text] = Field(alias="from", description="The object, `gs://bucket/name`.")
    to: Dynamic[Text] = Field(description="Where the copy goes, `gs://bucket/name`.")
    delete: Dynamic[bool] = Field(default=False, description="Whether to delete the first one afterwards.")

    async def run(self, ctx: RunContext) -> Output:
        source, target = Place.read(self.from_, "from"), Place.read(self.to, "to")
        if source == target:
            raise TaskFailedError(f"`from` and `to` are the same: {source}")
        async with self.storage(ctx) as session:
            size = await copy(session, source, target)
            if self.delete:
                await session.call("DELETE", source.path)
        ctx.metric("file.size", size)
        return self.Output(uri=str(target))


async def copy(session: Session, source: Place, target: Place) -> int:
    """Copy an object where it is; its length. Large ones take several calls."""
    token: str | None = None
    while True:
        answer = await session.call(
            "POST",
            f"{source.path}/rewriteTo{target.path.removeprefix('/storage/v1')}",
            params={"rewriteToken": token},
            body={},
        )
        if answer.get("done", True):
            return int(answer.get("objectSize") or 0)
        token = str(answer["rewriteToken"])


@task_type(
    "io.kestra.plugin.gcp.gcs.Delete",
    aliases=["gcs_delete"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.gcp.gcs.Delete
            uri: gs://my-bucket/in/trips.csv
            """,
            needs=_NEEDS,
        )
    ],
)
class Delete(GcsTask):
    """Delete an object of Google Cloud Storage."""

    class Output(RunnableTask.Output):
        uri: Text = Field(description="The object, `gs://bucket/name`.")
        deleted: bool = Field(description="Whether there was one.")

    uri: Dynamic[Text] = Field(description="The object, `gs://bucket/name`.")
    error_on_missing: Dynamic[bool] = Field(default=False, description="Whether to fail when there is none.")

    async def run(self, ctx: RunContext) -> Output:
        place = Place.read(self.uri, "uri")
        async with self.storage(ctx) as session:
            try:
                await session.call("DELETE", place.path)
            except RefusedError as refused:
                if refused.status != 404:
                    raise
                if self.error_on_missing:
                    raise TaskFailedError(f"there is no object {place}") from refused
                return self.Output(uri=str(place), deleted=False)
        return self.Output(uri=str(place), deleted=True)

"""How objects of Google Cloud Storage are named and described, and what its tasks have in common."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Model, RunContext
from nbflow.tasks.gcp.session import GcpAccess, GcpTask, Session

_SERVICE = "https://storage.googleapis.com"
_EMULATOR = "STORAGE_EMULATOR_HOST"


class GcsAccess(GcpAccess):
    """What every task and trigger of Google Cloud Storage declares."""

    @asynccontextmanager
    async def storage(self, ctx: RunContext) -> AsyncIterator[Session]:
        """A session with Cloud Storage."""
        async with self.connect(ctx, _SERVICE, _EMULATOR) as session:
            yield session


class GcsTask(GcsAccess, GcpTask):
    """A task of Google Cloud Storage."""


@dataclass(frozen=True, slots=True)
class Place:
    """An object, or the beginning of names: `gs://bucket/name`."""

    bucket: str
    name: str

    @classmethod
    def read(cls, uri: str, property_name: str, *, needs_name: bool = True) -> Place:
        """The place of a URI. Raises: TaskFailedError when it is none."""
        text = uri.strip()
        bucket, _, name = text.removeprefix("gs://").partition("/")
        if not text.startswith("gs://") or not bucket or (needs_name and not name):
            raise TaskFailedError(
                f"`{property_name}` must be a place such as gs://bucket/path/file.csv, got {text[:200]!r}"
            )
        return cls(bucket, name)

    def __str__(self) -> str:
        return f"gs://{self.bucket}/{self.name}"

    @property
    def path(self) -> str:
        """Where the JSON API has the object."""
        return f"/storage/v1/b/{quote(self.bucket, safe='')}/o/{quote(self.name, safe='')}"

    @property
    def collection(self) -> str:
        """Where the JSON API has all objects of the bucket."""
        return f"/storage/v1/b/{quote(self.bucket, safe='')}/o"


class Blob(Model):
    """What is known of an object."""

    uri: str = Field(description="Where it is: `gs://bucket/name`, or the stored copy's URI.")
    bucket: str = Field(description="Its bucket.")
    name: str = Field(description="Its name in the bucket.")
    generated_id: str | None = Field(default=None, description="Id of this version.")
    self_link: str | None = Field(default=None, description="Address of the description.")
    media_link: str | None = Field(default=None, description="Address of the content.")
    size: int | None = Field(default=None, description="Length in bytes.")
    etag: str | None = Field(default=None, description="Changes with each version.")
    md5: str | None = Field(default=None, description="MD5 of the content, base64.")
    crc32c: str | None = Field(default=None, alias="crc32c", description="CRC32C of the content, base64.")
    metadata: dict[str, str] | None = Field(default=None, description="Metadata of the user's own.")
    meta_generation: int | None = Field(default=None, description="Counts changes of the metadata.")
    content_type: str | None = Field(default=None, description="Type of the content.")
    content_encoding: str | None = Field(default=None, description="How the content is packed, such as gzip.")
    content_disposition: str | None = Field(default=None, description="How a browser shows it.")
    content_language: str | None = Field(default=None, description="Language of the content.")
    cache_control: str | None = Field(default=None, description="How long it may be cached.")
    create_time: datetime | None = Field(default=None, description="When it was made.")
    update_time: datetime | None = Field(default=None, description="When it was changed.")
    delete_time: datetime | None = Field(default=None, description="When this version was deleted.")
    component_count: int | None = Field(default=None, description="Parts it was composed of.")
    kms_key_name: str | None = Field(default=None, description="Key it is encrypted with.")
    is_directory: bool = Field(default=False, description="Whether it stands for all names that begin so.")

    @classmethod
    def of(cls, found: dict[str, Any]) -> Blob:  # Any: JSON of Google's
        """From what the JSON API says."""
        return cls(
            uri=f"gs://{found['bucket']}/{found['name']}",
            generated_id=found.get("id"),
            md5=found.get("md5Hash"),
            meta_generation=found.get("metageneration"),
            create_time=found.get("timeCreated"),
            update_time=found.get("updated"),
            delete_time=found.get("timeDeleted"),
            **{name: found.get(name) for name in _AS_THEY_ARE},
        )

    @classmethod
    def directory(cls, bucket: str, prefix: str) -> Blob:
        """One that stands for all names that begin so."""
        return cls(uri=f"gs://{bucket}/{prefix}", bucket=bucket, name=prefix, size=0, is_directory=True)


_AS_THEY_ARE = (
    "bucket",
    "name",
    "selfLink",
    "mediaLink",
    "size",
    "etag",
    "crc32c",
    "metadata",
    "contentType",
    "contentEncoding",
    "contentDisposition",
    "contentLanguage",
    "cacheControl",
    "componentCount",
    "kmsKeyName",
)

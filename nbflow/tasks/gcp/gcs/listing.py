"""Task types that work on all objects of Google Cloud Storage whose names begin alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from enum import StrEnum
from pathlib import PurePosixPath

from pydantic import Field, PositiveInt

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.regexes import full_match
from nbflow.tasks.fs.finding import Action, Filter
from nbflow.tasks.gcp.gcs.objects import Blob, GcsAccess, GcsTask, Place
from nbflow.tasks.gcp.gcs.transfer import copy, fetch
from nbflow.tasks.gcp.session import RefusedError, Session

_AT_ONCE = 8
_NEEDS = "a bucket of Google Cloud Storage"


class ListingType(StrEnum):
    """How deep to look."""

    DIRECTORY = "DIRECTORY"
    RECURSIVE = "RECURSIVE"


class Listing(GcsAccess):
    """What tasks and triggers on many objects declare."""

    from_: Dynamic[Text] = Field(alias="from", description="How the places begin, `gs://bucket/path/`.")
    all_versions: Dynamic[bool] = Field(default=False, description="Whether to list older versions too.")
    listing_type: Dynamic[ListingType] = Field(
        default=ListingType.DIRECTORY, description="DIRECTORY looks at one level, RECURSIVE at all below."
    )
    reg_exp: Dynamic[Text] | None = Field(
        default=None, description="Regular expression that the whole `gs://bucket/name` has to match."
    )

    async def find(self, session: Session) -> AsyncIterator[Blob]:
        """What there is, page by page."""
        place = Place.read(self.from_, "from", needs_name=False)
        token: str | None = None
        while True:
            page = await session.call(
                "GET",
                place.collection,
                params={
                    "prefix": place.name or None,
                    "delimiter": "/" if self.listing_type is ListingType.DIRECTORY else None,
                    "versions": "true" if self.all_versions else None,
                    "pageToken": token,
                },
            )
            found = [Blob.of(item) for item in page.get("items", [])]
            found += [Blob.directory(place.bucket, prefix) for prefix in page.get("prefixes", [])]
            for blob in found:
                if self.reg_exp is None or full_match(blob.uri, self.reg_exp):
                    yield blob
            token = page.get("nextPageToken")
            if not token:
                return

    async def find_some(self, ctx: RunContext, session: Session, wanted: Filter, longest: int) -> list[Blob]:
        """Those of a kind, `longest` at most; a warning when there are more."""
        found: list[Blob] = []
        async for blob in self.find(session):
            is_directory = blob.is_directory or blob.name.endswith("/")
            if wanted is not Filter.BOTH and is_directory != (wanted is Filter.DIRECTORY):
                continue
            if len(found) == longest:
                ctx.log.warning("there is more below %s: `maxFiles` is %d", self.from_, longest)
                break
            found.append(blob)
        return found


class GcsListing(Listing, GcsTask):
    """A task on many objects."""


@task_type(
    "io.kestra.plugin.gcp.gcs.List",
    aliases=["gcs_list"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.gcp.gcs.List
            from: gs://my-bucket/raw/
            filter: FILES
            regExp: .*\\.csv
            """,
            title="The CSV files of a folder",
            needs=_NEEDS,
        )
    ],
)
class List(GcsListing):
    """List objects of Google Cloud Storage."""

    class Output(RunnableTask.Output):
        blobs: list[Blob] = Field(description="What was found, folders after the files of their level.")

    filter: Dynamic[Filter] = Field(default=Filter.BOTH, description="FILES, DIRECTORY or BOTH.")
    max_files: Dynamic[PositiveInt] = Field(default=25, description="How many to list at most.")

    async def run(self, ctx: RunContext) -> Output:
        async with self.storage(ctx) as session:
            blobs = await self.find_some(ctx, session, self.filter, self.max_files)
        ctx.metric("size", len(blobs))
        return self.Output(blobs=blobs)


@task_type(
    "io.kestra.plugin.gcp.gcs.Downloads",
    aliases=["gcs_downloads"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.gcp.gcs.Downloads
            from: gs://my-bucket/in/
            action: MOVE
            moveDirectory: gs://my-bucket/archive/
            """,
            title="Take what has come in, and put it aside",
            needs=_NEEDS,
        )
    ],
)
class Downloads(GcsListing):
    """Bring several objects of Google Cloud Storage into the internal storage."""

    class Output(RunnableTask.Output):
        blobs: list[Blob] = Field(description="What was downloaded; `uri` is that of the stored file.")
        output_files: dict[str, str] = Field(description="Name of the object → URI of the stored file.")

    action: Dynamic[Action] = Field(default=Action.NONE, description="What happens to the objects then.")
    move_directory: Dynamic[Text] | None = Field(default=None, description="Where MOVE puts them, `gs://bucket/path/`.")
    max_files: Dynamic[PositiveInt] = Field(default=25, description="How many to download at most.")
    validate_checksum: Dynamic[bool] = Field(
        default=False, description="Whether to compare the MD5 of what came with that of each object."
    )

    async def run(self, ctx: RunContext) -> Output:
        if self.action is Action.MOVE and not self.move_directory:
            raise TaskFailedError("`action: MOVE` needs `moveDirectory`", hint="such as gs://bucket/archive/")
        stored: list[Blob] = []
        async with self.storage(ctx) as session:
            found = await self.find_some(ctx, session, Filter.FILES, self.max_files)
            for blob in found:
                uri, _ = await fetch(ctx, session, Place(blob.bucket, blob.name), validate=self.validate_checksum)
                stored.append(blob.model_copy(update={"uri": uri}))
            for blob in found:
                await finish(session, Place(blob.bucket, blob.name), self.action, self.move_directory)
        return self.Output(blobs=stored, output_files={blob.name: blob.uri for blob in stored})


async def finish(session: Session, place: Place, action: Action, folder: str | None) -> None:
    """Do with an object that was taken what `action` says; `folder` is where MOVE puts it."""
    if action is Action.NONE:
        return
    if action is Action.MOVE:
        to = Place.read(folder or "", "moveDirectory", needs_name=False)
        name = "/".join(part for part in (to.name.strip("/"), PurePosixPath(place.name).name) if part)
        await copy(session, place, Place(to.bucket, name))
    await session.call("DELETE", place.path)


@task_type(
    "io.kestra.plugin.gcp.gcs.DeleteList",
    aliases=["gcs_delete_list"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.gcp.gcs.DeleteList
            from: gs://my-bucket/tmp/
            listingType: RECURSIVE
            """,
            needs=_NEEDS,
        )
    ],
)
class DeleteList(GcsListing):
    """Delete all objects of Google Cloud Storage whose places begin alike."""

    class Output(RunnableTask.Output):
        count: int = Field(description="Objects deleted.")
        size: int = Field(description="What they held, in bytes.")

    error_on_empty: Dynamic[bool] = Field(default=False, description="Whether to fail when there is none.")
    concurrent: PositiveInt = Field(default=_AT_ONCE, description="Deletions at once.")

    async def run(self, ctx: RunContext) -> Output:
        async with self.storage(ctx) as session:
            blobs = [blob async for blob in self.find(session) if not blob.is_directory]
            await delete_all(session, blobs, self.concurrent)
        if self.error_on_empty and not blobs:
            raise TaskFailedError(f"there is no object at {self.from_}")
        size = sum(blob.size or 0 for blob in blobs)
        ctx.metric("count", len(blobs))
        ctx.metric("size", size)
        return self.Output(count=len(blobs), size=size)


async def delete_all(session: Session, blobs: list[Blob], at_once: int = _AT_ONCE) -> None:
    """Delete objects, several at a time; one that is gone already is no failure."""
    slots = asyncio.Semaphore(at_once)

    async def delete(blob: Blob) -> None:
        async with slots:
            try:
                await session.call("DELETE", Place(blob.bucket, blob.name).path)
            except RefusedError as refused:
                if refused.status != 404:
                    raise

    await asyncio.gather(*(delete(blob) for blob in blobs))

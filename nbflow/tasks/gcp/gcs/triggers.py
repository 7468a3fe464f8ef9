"""The trigger that looks into a bucket of Google Cloud Storage, and starts the flow when there are objects."""

from __future__ import annotations

import asyncio

from pydantic import Field, PositiveInt

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, Found, Model, RunContext, Text, Trigger, trigger_type
from nbflow.tasks.fs.actions import limited
from nbflow.tasks.fs.finding import Action
from nbflow.tasks.fs.memory import Remembering
from nbflow.tasks.gcp.gcs.listing import Listing, finish
from nbflow.tasks.gcp.gcs.objects import Blob, Place
from nbflow.tasks.gcp.gcs.transfer import fetch
from nbflow.tasks.gcp.session import Session
from nbflow.types import JsonValue


class Receipt(Model):
    """What is to happen to objects that were taken: URI → what the object was like."""

    action: Action
    blobs: dict[str, str]
    folder: str | None = None


@trigger_type(
    "io.kestra.plugin.gcp.gcs.Trigger",
    aliases=["gcs_trigger"],
    examples=[
        Example(
            """
            id: new_orders
            type: io.kestra.plugin.gcp.gcs.Trigger
            from: gs://my-bucket/in/
            interval: PT5M
            action: MOVE
            moveDirectory: gs://my-bucket/archive/
            """,
            title="When something has come in; it is moved away.",
            needs="a bucket of Google Cloud Storage",
        )
    ],
)
class GcsTrigger(Listing, Remembering):
    """Start the flow when there are objects in a bucket."""

    class Output(Trigger.Output):
        blobs: list[Blob] = Field(description="The objects; `uri` is that of the stored copy.")

    max_files: Dynamic[PositiveInt] = Field(default=25, description="At most so many at once; the rest is left.")
    action: Dynamic[Action] = Field(
        default=Action.NONE, description="What happens to objects that were taken: NONE, MOVE, DELETE."
    )
    move_directory: Dynamic[Text] | None = Field(default=None, description="Where MOVE puts them, `gs://bucket/path/`.")

    async def look(self, ctx: RunContext) -> Found | None:
        if self.action is Action.MOVE and not self.move_directory:
            raise TaskFailedError("`action: MOVE` needs `moveDirectory`", hint="such as gs://bucket/archive/")
        async with self.storage(ctx) as session:
            blobs = await self._there(session)
            present = {uri: _mark(blob) for uri, blob in blobs.items()}
            keeps = self.action is Action.NONE
            wanted = await asyncio.to_thread(self.fresh, ctx, present) if keeps else set(present)
            taken = limited(ctx, [blob for uri, blob in blobs.items() if uri in wanted], self.max_files)
            stored = [await self._stored(ctx, session, blob) for blob in taken]
        if not stored:
            return None
        marks = {blob.uri: present[blob.uri] for blob in taken}
        receipt = Receipt(action=self.action, blobs=marks, folder=self.move_directory)
        return Found(self.Output(blobs=stored), receipt.model_dump(mode="json"))

    async def seen(self, ctx: RunContext, receipt: JsonValue) -> None:
        wanted = Receipt.model_validate(receipt)
        if wanted.action is Action.NONE:
            await asyncio.to_thread(self.remember, ctx, wanted.blobs)
            return
        async with self.storage(ctx) as session:
            there = await self._there(session)
            for uri, mark in wanted.blobs.items():
                if uri in there and _mark(there[uri]) == mark:  # gone already, or another one put in its place
                    await finish(session, Place.read(uri, "from"), wanted.action, wanted.folder)

    async def _there(self, session: Session) -> dict[str, Blob]:
        """The objects by URI, no folders."""
        found = {blob.uri: blob async for blob in self.find(session)}
        return {uri: blob for uri, blob in found.items() if not (blob.is_directory or blob.name.endswith("/"))}

    async def _stored(self, ctx: RunContext, session: Session, blob: Blob) -> Blob:
        uri, _ = await fetch(ctx, session, Place(blob.bucket, blob.name), validate=False)
        return blob.model_copy(update={"uri": uri})


def _mark(blob: Blob) -> str:
    """What changes when an object does."""
    return f"{blob.generated_id} {blob.etag} {blob.md5}"

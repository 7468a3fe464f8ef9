"""The trigger that looks into a bucket of Amazon S3 now and then, and starts the flow when there are objects."""

from __future__ import annotations

from pydantic import Field, PositiveInt

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, Found, Model, RunContext, Trigger, trigger_type
from nbflow.tasks.aws.s3.listing import clear
from nbflow.tasks.aws.s3.objects import Listing, S3Object, fetch
from nbflow.tasks.aws.s3.transfer import Target
from nbflow.tasks.aws.session import on_s3
from nbflow.tasks.fs.actions import limited
from nbflow.tasks.fs.finding import Action
from nbflow.tasks.fs.memory import Remembering
from nbflow.tasks.stopping import Stop, in_thread
from nbflow.types import JsonValue


class Receipt(Model):
    """What is to happen to objects that were taken: key → what the object was like."""

    action: Action
    objects: dict[str, str]
    to: Target | None = None


@trigger_type(
    "io.kestra.plugin.aws.s3.Trigger",
    aliases=["s3_trigger"],
    examples=[
        Example(
            """
            id: new_orders
            type: io.kestra.plugin.aws.s3.Trigger
            bucket: my-bucket
            prefix: in/
            interval: PT5M
            action: MOVE
            moveTo:
              key: archive
            """,
            title="When something has come in; it is moved away.",
            needs="a bucket of S3",
        )
    ],
)
class S3Trigger(Listing, Remembering):
    """Start the flow when there are objects in a bucket."""

    class Output(Trigger.Output):
        objects: list[S3Object] = Field(description="The objects; `uri` is that of the stored copy.")

    max_files: Dynamic[PositiveInt] = Field(default=25, description="At most so many at once; the rest is left.")
    action: Dynamic[Action] = Field(
        default=Action.NONE, description="What happens to objects that were taken: NONE, MOVE, DELETE."
    )
    move_to: Dynamic[Target] | None = Field(default=None, description="Where MOVE puts them; `key` is the folder.")

    async def look(self, ctx: RunContext) -> Found | None:
        if self.action is Action.MOVE and (self.move_to is None or not self.move_to.key):
            raise TaskFailedError("`action: MOVE` needs `moveTo` with a `key`")
        return await in_thread(lambda stop: self._look(ctx, stop))

    async def seen(self, ctx: RunContext, receipt: JsonValue) -> None:
        await in_thread(lambda stop: self._clear(ctx, Receipt.model_validate(receipt), stop))

    def _look(self, ctx: RunContext, stop: Stop) -> Found | None:
        with on_s3(self, stop) as client:
            objects = {one.key: one for one in self.found(client, stop) if not one.key.endswith("/")}
            present = {key: one.etag or "" for key, one in objects.items()}
            wanted = self.fresh(ctx, present) if self.action is Action.NONE else set(present)
            taken = limited(ctx, [one for key, one in objects.items() if key in wanted], self.max_files)
            stored = [self._stored(ctx, client, one, stop) for one in stop.watch(taken)]
        if not stored:
            return None
        receipt = Receipt(action=self.action, objects={one.key: present[one.key] for one in stored}, to=self.move_to)
        return Found(self.Output(objects=stored), receipt.model_dump(mode="json"))

    def _stored(self, ctx: RunContext, client: object, found: S3Object, stop: Stop) -> S3Object:
        uri, _ = fetch(ctx, client, self.asked, found.key, stop)
        return found.model_copy(update={"uri": uri})

    def _clear(self, ctx: RunContext, receipt: Receipt, stop: Stop) -> None:
        if receipt.action is Action.NONE:
            self.remember(ctx, receipt.objects)
            return
        with on_s3(self, stop) as client:
            there = {one.key: one.etag or "" for one in self.found(client, stop)}
            for key, mark in stop.watch(receipt.objects.items()):
                if there.get(key) == mark:  # gone already, or another one that was put in its place
                    clear(client, self.asked, key, receipt.action, receipt.to, stop)

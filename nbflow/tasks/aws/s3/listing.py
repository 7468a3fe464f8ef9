"""Task types that work on all objects of Amazon S3 whose keys begin alike."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from pydantic import Field, PositiveInt

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.aws.s3.objects import ListingTask, S3Object, fetch
from nbflow.tasks.aws.s3.transfer import Source, Target, copy
from nbflow.tasks.fs.actions import limited
from nbflow.tasks.fs.finding import Action
from nbflow.tasks.stopping import Stop

_NEEDS = "a bucket of S3"


@task_type(
    "io.kestra.plugin.aws.s3.List",
    aliases=["s3_list"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.aws.s3.List
            bucket: my-bucket
            prefix: in/
            regexp: .*\\.csv
            filter: FILES
            """,
            title="The CSV files of a folder",
            needs=_NEEDS,
        )
    ],
)
class List(ListingTask):
    """List objects of Amazon S3."""

    class Output(RunnableTask.Output):
        objects: list[S3Object] = Field(description="What was found, sorted by key.")

    max_files: Dynamic[PositiveInt] = Field(default=25, description="At most so many; the rest is left out.")

    def act(self, ctx: RunContext, client: Any, stop: Stop) -> Output:
        objects = list(self.found(client, stop))
        ctx.metric("s3.objects.count", len(objects))
        return self.Output(objects=limited(ctx, objects, self.max_files))


@task_type(
    "io.kestra.plugin.aws.s3.Downloads",
    aliases=["s3_downloads"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.aws.s3.Downloads
            bucket: my-bucket
            prefix: in/
            action: MOVE
            moveTo:
              bucket: my-bucket
              key: archive
            """,
            title="Take what has come in, and put it aside",
            needs=_NEEDS,
        )
    ],
)
class Downloads(ListingTask):
    """Bring several objects of Amazon S3 into the internal storage."""

    class Output(RunnableTask.Output):
        objects: list[S3Object] = Field(description="What was downloaded; `uri` is that of the stored file.")
        output_files: dict[str, Text] = Field(description="Key → URI of the stored file.")
        total_size: int = Field(description="Bytes of all files.")

    max_files: Dynamic[PositiveInt] = Field(default=25, description="At most so many; the rest is left out.")
    action: Dynamic[Action] = Field(
        default=Action.NONE, description="What happens then to objects that were taken: NONE, MOVE, DELETE."
    )
    move_to: Dynamic[Target] | None = Field(default=None, description="Where MOVE puts them; `key` is the folder.")

    def act(self, ctx: RunContext, client: Any, stop: Stop) -> Output:
        if self.action is Action.MOVE and (self.move_to is None or not self.move_to.key):
            raise TaskFailedError("`action: MOVE` needs `moveTo` with a `key`")
        objects = [found for found in self.found(client, stop) if not found.key.endswith("/")]
        stored: list[S3Object] = []
        for found in stop.watch(limited(ctx, objects, self.max_files)):
            uri, _ = fetch(ctx, client, self.asked, found.key, stop)
            stored.append(found.model_copy(update={"uri": uri}))
        for found in stop.watch(stored):  # once all are stored: a run that fails before may be repeated
            clear(client, self.asked, found.key, self.action, self.move_to, stop)
        total = sum(found.size for found in stored)
        ctx.metric("files.count", len(stored))
        ctx.metric("files.size.total", total)
        return self.Output(
            objects=stored, output_files={found.key: str(found.uri) for found in stored}, total_size=total
        )


def clear(client: Any, asked: dict[str, Any], key: str, action: Action, to: Target | None, stop: Stop) -> None:
    """Do with an object that was taken what `action` says; one that is to be moved to where it is stays."""
    if action is Action.NONE:
        return
    bucket = str(asked["Bucket"])
    if action is Action.MOVE and to is not None:
        place = {"bucket": to.bucket or bucket, "key": f"{(to.key or '').rstrip('/')}/{PurePosixPath(key).name}"}
        if (place["bucket"], place["key"]) == (bucket, key):
            return
        copy(client, Source(bucket=bucket, key=key), to.model_copy(update=place), stop)
    client.delete_object(**asked, Key=key)


@task_type(
    "io.kestra.plugin.aws.s3.DeleteList",
    aliases=["s3_delete_list"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.aws.s3.DeleteList
            bucket: my-bucket
            prefix: tmp/
            """,
            needs=_NEEDS,
        )
    ],
)
class DeleteList(ListingTask):
    """Delete all objects of Amazon S3 whose keys begin alike."""

    class Output(RunnableTask.Output):
        count: int = Field(description="Objects deleted.")
        size: int = Field(description="What they held, in bytes.")

    error_on_empty: Dynamic[bool] = Field(default=False, description="Whether to fail when there is none.")
    concurrent: PositiveInt | None = Field(default=None, description="Accepted; a thousand go in one request.")

    def act(self, ctx: RunContext, client: Any, stop: Stop) -> Output:
        objects = list(self.found(client, stop))
        if self.error_on_empty and not objects:
            raise TaskFailedError(f"no object of {self.bucket} matches", hint="leave `errorOnEmpty` out")
        for start in stop.watch(range(0, len(objects), 1000)):
            keys = [{"Key": found.key} for found in objects[start : start + 1000]]
            answer = client.delete_objects(**self.asked, Delete={"Objects": keys, "Quiet": True})
            for error in answer.get("Errors", []):
                raise TaskFailedError(
                    f"{error.get('Key')} of {self.bucket} was not deleted: {error.get('Message') or error.get('Code')}"
                )
        size = sum(found.size for found in objects)
        ctx.metric("s3.objects.deleted.count", len(objects))
        ctx.metric("s3.objects.deleted.size", size)
        return self.Output(count=len(objects), size=size)

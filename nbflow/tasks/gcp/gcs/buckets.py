"""Task types that make and delete buckets of Google Cloud Storage."""

from __future__ import annotations

from enum import StrEnum
from typing import Any
from urllib.parse import quote

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, Model, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.gcp.gcs.listing import delete_all
from nbflow.tasks.gcp.gcs.objects import Blob, GcsTask
from nbflow.tasks.gcp.session import RefusedError, Session
from nbflow.types import JsonValue

_NEEDS = "a project of Google Cloud"


class IfExists(StrEnum):
    """What to do when it exists."""

    ERROR = "ERROR"
    UPDATE = "UPDATE"
    SKIP = "SKIP"


class Bucket(Model):
    """What is known of a bucket."""

    name: str = Field(description="Its name, unique in the world.")
    uri: str = Field(description="`gs://name`.")
    location: str | None = Field(default=None, description="Where its data are.")
    storage_class: str | None = Field(default=None, description="What storing costs there, and how soon it is read.")
    generated_id: str | None = Field(default=None, description="Its id.")
    self_link: str | None = Field(default=None, description="Address of the description.")
    etag: str | None = Field(default=None, description="Changes with each change.")
    create_time: str | None = Field(default=None, description="When it was made.")
    labels: dict[str, str] | None = Field(default=None, description="Its labels.")
    versioning_enabled: bool = Field(default=False, description="Whether older versions are kept.")

    @classmethod
    def of(cls, found: dict[str, Any]) -> Bucket:  # Any: JSON of Google's
        """From what the JSON API says."""
        return cls(
            name=found["name"],
            uri=f"gs://{found['name']}",
            location=found.get("location"),
            storage_class=found.get("storageClass"),
            generated_id=found.get("id"),
            self_link=found.get("selfLink"),
            etag=found.get("etag"),
            create_time=found.get("timeCreated"),
            labels=found.get("labels"),
            versioning_enabled=bool((found.get("versioning") or {}).get("enabled")),
        )


class BucketTask(GcsTask):
    """What tasks that shape a bucket declare."""

    class Output(RunnableTask.Output):
        bucket: Bucket = Field(description="The bucket as it is now.")
        created: bool = Field(default=False, description="Whether it was made.")
        updated: bool = Field(default=False, description="Whether it was changed.")

    name: Dynamic[Text] = Field(description="Name of the bucket, unique in the world.")
    location: Dynamic[Text] | None = Field(default=None, description="Where its data are, such as `europe-west2`.")
    storage_class: Dynamic[Text] | None = Field(
        default=None, description="STANDARD, REGIONAL, MULTI_REGIONAL, NEARLINE, COLDLINE or ARCHIVE."
    )
    labels: Dynamic[dict[str, Text]] = Field(default_factory=dict, description="Labels of the bucket.")
    requester_pays: Dynamic[bool] | None = Field(default=None, description="Whether who reads pays.")
    versioning_enabled: Dynamic[bool] | None = Field(default=None, description="Whether older versions are kept.")
    index_page: Dynamic[Text] | None = Field(default=None, description="Page of a website for a folder.")
    not_found_page: Dynamic[Text] | None = Field(default=None, description="Page of a website for what is not there.")
    default_kms_key_name: Dynamic[Text] | None = Field(default=None, description="Key to encrypt objects with.")
    default_event_based_hold: Dynamic[bool] | None = Field(
        default=None, description="Whether new objects are held until released."
    )
    retention_period: Dynamic[int] | None = Field(
        default=None, description="Seconds for which objects cannot be deleted."
    )
    lifecycle_rules: Dynamic[list[JsonValue]] = Field(
        default_factory=list, description="Rules as the JSON API has them: maps of `action` and `condition`."
    )
    cors: Dynamic[list[JsonValue]] = Field(
        default_factory=list, description="Which other sites' pages may read, as the JSON API has it."
    )
    acl: Dynamic[list[JsonValue]] = Field(
        default_factory=list, description="Who may do what, as the JSON API has it: maps of `entity` and `role`."
    )
    default_acl: Dynamic[list[JsonValue]] = Field(default_factory=list, description="The same for new objects.")

    def described(self) -> dict[str, JsonValue]:
        """The bucket as the JSON API has it; what is not set is left out."""
        website = {"mainPageSuffix": self.index_page, "notFoundPage": self.not_found_page}
        values: dict[str, Any] = {
            "name": self.name,
            "location": self.location,
            "storageClass": self.storage_class,
            "labels": self.labels or None,
            "billing": None if self.requester_pays is None else {"requesterPays": self.requester_pays},
            "versioning": None if self.versioning_enabled is None else {"enabled": self.versioning_enabled},
            "website": {name: value for name, value in website.items() if value} or None,
            "encryption": self.default_kms_key_name and {"defaultKmsKeyName": self.default_kms_key_name},
            "defaultEventBasedHold": self.default_event_based_hold,
            "retentionPolicy": self.retention_period and {"retentionPeriod": str(self.retention_period)},
            "lifecycle": {"rule": self.lifecycle_rules} if self.lifecycle_rules else None,
            "cors": self.cors or None,
            "acl": self.acl or None,
            "defaultObjectAcl": self.default_acl or None,
        }
        return {name: value for name, value in values.items() if value is not None}

    async def change(self, session: Session) -> Bucket:
        """Give the bucket what is set here. Where the data are cannot be changed."""
        values = {name: value for name, value in self.described().items() if name not in ("name", "location")}
        return Bucket.of(await session.call("PATCH", path_of(self.name), body=values))


@task_type(
    "io.kestra.plugin.gcp.gcs.CreateBucket",
    aliases=["gcs_create_bucket"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.gcp.gcs.CreateBucket
            name: "{{ kv('GCP_BUCKET_NAME') }}"
            location: europe-west2
            storageClass: REGIONAL
            ifExists: SKIP
            """,
            title="Make sure that there is a bucket",
            needs=_NEEDS,
        )
    ],
)
class CreateBucket(BucketTask):
    """Make a bucket of Google Cloud Storage."""

    if_exists: Dynamic[IfExists] = Field(
        default=IfExists.ERROR, description="When it exists: ERROR fails, UPDATE changes it, SKIP leaves it."
    )

    async def run(self, ctx: RunContext) -> BucketTask.Output:
        async with self.storage(ctx) as session:
            project = session.require_project()
            try:
                found = await session.call("GET", path_of(self.name))
            except RefusedError as refused:
                if refused.status != 404:
                    raise
                params = {"project": project}
                made = await session.call("POST", "/storage/v1/b", params=params, body=self.described())
                ctx.log.info("bucket %s made", self.name)
                return self.Output(bucket=Bucket.of(made), created=True)
            if self.if_exists is IfExists.ERROR:
                raise TaskFailedError(
                    f"there is a bucket `{self.name}` already", hint="set `ifExists` to SKIP or UPDATE"
                )
            if self.if_exists is IfExists.UPDATE:
                return self.Output(bucket=await self.change(session), updated=True)
        ctx.log.debug("bucket %s is there already", self.name)
        return self.Output(bucket=Bucket.of(found))


@task_type(
    "io.kestra.plugin.gcp.gcs.UpdateBucket",
    aliases=["gcs_update_bucket"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.gcp.gcs.UpdateBucket
            name: my-bucket
            labels:
              team: data
            """,
            needs=_NEEDS,
        )
    ],
)
class UpdateBucket(BucketTask):
    """Change a bucket of Google Cloud Storage."""

    async def run(self, ctx: RunContext) -> BucketTask.Output:
        async with self.storage(ctx) as session:
            return self.Output(bucket=await self.change(session), updated=True)


@task_type(
    "io.kestra.plugin.gcp.gcs.DeleteBucket",
    aliases=["gcs_delete_bucket"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.gcp.gcs.DeleteBucket
            name: my-bucket
            force: true
            """,
            title="With all that is in it",
            needs=_NEEDS,
        )
    ],
)
class DeleteBucket(GcsTask):
    """Delete a bucket of Google Cloud Storage."""

    class Output(RunnableTask.Output):
        bucket: Text = Field(description="Its name.")
        bucket_uri: Text = Field(description="`gs://name`.")

    name: Dynamic[Text] = Field(description="Name of the bucket.")
    force: Dynamic[bool] = Field(default=False, description="Whether to delete the objects in it first.")

    async def run(self, ctx: RunContext) -> Output:
        async with self.storage(ctx) as session:
            if self.force:
                await self._empty(session)
            await session.call("DELETE", path_of(self.name))
        return self.Output(bucket=self.name, bucket_uri=f"gs://{self.name}")

    async def _empty(self, session: Session) -> None:
        # A page at a time, from the front: what was deleted is not on the next one.
        while items := (await session.call("GET", f"{path_of(self.name)}/o")).get("items"):
            await delete_all(session, [Blob.of(item) for item in items])


def path_of(bucket: str) -> str:
    """Where the JSON API has a bucket."""
    return f"/storage/v1/b/{quote(bucket, safe='')}"

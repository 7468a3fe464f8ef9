"""How objects of Amazon S3 are described, and what tasks on one bucket have in common."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from pydantic import AliasChoices, Field, PositiveInt

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Model, RunContext, Text
from nbflow.regexes import full_match
from nbflow.tasks.aws.session import AwsAccess, RefusedError, S3Task, given, transfer
from nbflow.tasks.fs.finding import Filter
from nbflow.tasks.stopping import Stop
from nbflow.tasks.storage.scratch import scratch_file


class Bucket(AwsAccess):
    """What tasks and triggers on objects of a bucket declare."""

    bucket: Dynamic[Text] = Field(description="Name of the bucket.")
    request_payer: Dynamic[Text] | None = Field(
        default=None, description="`requester`, where who asks pays for what is sent."
    )
    expected_bucket_owner: Dynamic[Text] | None = Field(
        default=None, description="Id of the account that must own the bucket."
    )

    @property
    def asked(self) -> dict[str, Any]:
        """What goes with every request on the bucket."""
        owner = {"RequestPayer": self.request_payer, "ExpectedBucketOwner": self.expected_bucket_owner}
        return given({"Bucket": self.bucket, **owner})


class BucketTask(Bucket, S3Task):
    """A task on objects of a bucket."""


class Owner(Model):
    """Who owns an object."""

    id: str | None = Field(default=None, description="Id of the account.")
    display_name: str | None = Field(default=None, description="Its name.")


class S3Object(Model):
    """What is known of an object."""

    uri: str | None = Field(default=None, description="URI of the stored copy, once there is one.")
    key: str = Field(description="Its name in the bucket.")
    etag: str | None = Field(default=None, description="Changes with each version.")
    size: int = Field(default=0, description="Its size in bytes.")
    last_modified: datetime | None = Field(default=None, description="When it was changed.")
    owner: Owner | None = Field(default=None, description="Who owns it.")

    @classmethod
    def of(cls, found: dict[str, Any]) -> S3Object:  # Any: what boto3 reads
        """From an item of a listing."""
        owner = found.get("Owner")
        return cls(
            key=found["Key"],
            etag=found.get("ETag"),
            size=int(found.get("Size") or 0),
            last_modified=found.get("LastModified"),
            owner=owner and Owner(id=owner.get("ID"), display_name=owner.get("DisplayName")),
        )


class Listing(Bucket):
    """What tasks and triggers on many objects declare."""

    prefix: Dynamic[Text] | None = Field(default=None, description="How the keys begin.")
    delimiter: Dynamic[Text] | None = Field(
        default=None, description="Where a key has this after the prefix, it is left out: `/` looks at one level."
    )
    marker: Dynamic[Text] | None = Field(default=None, description="Only keys that come after this one.")
    encoding_type: Dynamic[Text] | None = Field(default=None, description="Accepted; keys are read as they are.")
    max_keys: Dynamic[PositiveInt] = Field(
        default=1000, description="How many keys to look at, at most; above 1000 in several requests."
    )
    regexp: Dynamic[Text] | None = Field(
        default=None,
        validation_alias=AliasChoices("regexp", "regExp"),
        description="Regular expression that the whole key has to match.",
    )
    filter: Dynamic[Filter] = Field(default=Filter.BOTH, description="FILES, DIRECTORY (keys that end with /) or BOTH.")

    def found(self, client: Any, stop: Stop) -> Iterator[S3Object]:
        """What there is that matches."""
        asked = given({"Prefix": self.prefix, "Delimiter": self.delimiter, "Marker": self.marker})
        pages = client.get_paginator("list_objects").paginate(
            **self.asked, **asked, PaginationConfig={"MaxItems": self.max_keys, "PageSize": min(self.max_keys, 1000)}
        )
        for page in stop.watch(pages):
            for item in page.get("Contents", []):
                found = S3Object.of(item)
                is_directory = found.key.endswith("/")
                if self.filter is not Filter.BOTH and is_directory != (self.filter is Filter.DIRECTORY):
                    continue
                if self.regexp is None or full_match(found.key, self.regexp):
                    yield found


class ListingTask(Listing, BucketTask):
    """A task on many objects."""


def fetch(
    ctx: RunContext, client: Any, asked: dict[str, Any], key: str, stop: Stop
) -> tuple[str, dict[str, Any]]:  # Any: what boto3 takes and reads
    """Store a copy of an object, in several parts at once if it is large; its URI and what is known of it."""
    where = f"s3://{asked['Bucket']}/{key}"
    try:
        described = client.head_object(**asked, Key=key)
    except client.exceptions.ClientError as cause:
        status = int(cause.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if status == 404:  # the answer says no more than that
            raise RefusedError(f"there is no object {where}", status=status, reason="NoSuchKey") from cause
        raise
    extra = {name: value for name, value in asked.items() if name != "Bucket"}
    with scratch_file(ctx) as path:
        client.download_file(
            asked["Bucket"], key, str(path), ExtraArgs=extra, Callback=lambda _: stop.check(), Config=transfer()
        )
        size = path.stat().st_size
        if size != int(described.get("ContentLength") or 0):
            raise TaskFailedError(f"{where} was changed while it was read", hint="set `retry`, or `versionId`")
        uri = ctx.store_file(path, PurePosixPath(key).name or asked["Bucket"])
    ctx.metric("file.size", size)
    return uri, described

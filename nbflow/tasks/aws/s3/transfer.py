"""Task types that bring objects to Amazon S3, from there, and about."""

from __future__ import annotations

import mimetypes
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, PositiveInt

from nbflow.errors import TaskFailedError
from nbflow.model.dynamic import AS_TEXT
from nbflow.plugins import Dynamic, Example, Model, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.aws.s3.objects import BucketTask, ListingTask, fetch
from nbflow.tasks.aws.session import S3Task, given, transfer
from nbflow.tasks.fs.actions import files_given, limited
from nbflow.tasks.stopping import Stop
from nbflow.tasks.storage.scratch import stored

_NEEDS = "a bucket of S3"


@task_type(
    "io.kestra.plugin.aws.s3.Upload",
    aliases=["s3_upload"],
    examples=[
        Example(
            """
            - {id: report, type: write_file, content: hello}
            - id: upload
              type: io.kestra.plugin.aws.s3.Upload
              from: "{{ outputs.report.uri }}"
              bucket: my-bucket
              key: out/report.txt
              region: eu-central-1
              accessKeyId: "{{ secret('AWS_ACCESS_KEY_ID') }}"
              secretKeyId: "{{ secret('AWS_SECRET_KEY_ID') }}"
            """,
            title="Bring a stored file to a bucket",
            needs=_NEEDS,
        ),
        Example(
            """
            - {id: report, type: write_file, content: hello}
            - id: upload
              type: io.kestra.plugin.aws.s3.Upload
              from:
                - "{{ outputs.report.uri }}"
                - "{{ outputs.report.uri }}"
              bucket: my-bucket
              key: out
              endpointOverride: http://localhost:9000
              forcePathStyle: true
              accessKeyId: "{{ secret('MINIO_USER') }}"
              secretKeyId: "{{ secret('MINIO_PASSWORD') }}"
            """,
            title="Bring several files to a service that speaks as S3 does",
            needs="a server such as MinIO",
        ),
    ],
)
class Upload(BucketTask):
    """Bring stored files to a bucket of Amazon S3, whatever their size."""

    class Output(RunnableTask.Output):
        bucket: Text = Field(description="The bucket.")
        key: Text | None = Field(default=None, description="Key of the object, of one file.")
        e_tag: Text | None = Field(default=None, description="Changes with each version; of one file.")
        version_id: Text | None = Field(default=None, description="Id of the version, where the bucket keeps them.")
        keys: list[Text] = Field(description="Keys of all objects. nbflow's own.")

    from_: Annotated[Dynamic[list[Text] | dict[str, Text] | Text], AS_TEXT] = Field(
        alias="from",
        description="URI of the stored file; or several: a list, a map of name → URI, JSON text of one of these.",
    )
    key: Dynamic[Text] = Field(description="Key to put it at; of several files, the folder.")
    metadata: Dynamic[dict[str, Text]] | None = Field(default=None, description="Metadata of your own.")
    cache_control: Dynamic[Text] | None = Field(default=None, description="How long it may be cached.")
    content_type: Dynamic[Text] | None = Field(
        default=None, description="Type of the content; what the name tells unless said."
    )
    content_encoding: Dynamic[Text] | None = Field(default=None, description="How the content is packed, such as gzip.")
    content_disposition: Dynamic[Text] | None = Field(default=None, description="How a browser shows it.")
    content_language: Dynamic[Text] | None = Field(default=None, description="Language of the content.")
    content_length: Dynamic[int] | None = Field(default=None, description="Accepted; the size is known.")
    expires: Dynamic[datetime] | None = Field(default=None, description="Until when it may be cached.")
    acl: Dynamic[Text] | None = Field(default=None, description="Who may read it, such as `public-read`.")
    storage_class: Dynamic[Text] | None = Field(default=None, description="What storing costs, such as STANDARD_IA.")
    server_side_encryption: Dynamic[Text] | None = Field(
        default=None, description="How it is encrypted there: AES256, aws:kms or aws:kms:dsse."
    )
    kms_key_id: Dynamic[Text] | None = Field(default=None, description="Key of KMS to encrypt with.")
    bucket_key_enabled: Dynamic[bool] | None = Field(default=None, description="Whether KMS's key is the bucket's.")
    checksum_algorithm: Dynamic[Text] | None = Field(
        default=None, description="How the checksum is counted: CRC32, CRC32C, SHA1 or SHA256."
    )
    checksum: Dynamic[Text] | None = Field(
        default=None, description="The checksum that the content must have, in base64, with `checksumAlgorithm`."
    )
    object_lock_mode: Dynamic[Text] | None = Field(default=None, description="GOVERNANCE or COMPLIANCE.")
    object_lock_legal_hold_status: Dynamic[Text] | None = Field(default=None, description="ON or OFF.")
    object_lock_retain_until_date: Dynamic[datetime] | None = Field(
        default=None, description="Until when it cannot be deleted."
    )
    tagging: Dynamic[dict[str, Text]] | None = Field(default=None, description="Tags of the object.")

    def act(self, ctx: RunContext, client: Any, stop: Stop) -> Output:
        files = files_given(ctx, self.from_, may_list=False)
        if not files:
            raise TaskFailedError("`from` names no file")
        is_one = len(files) == 1
        put: list[str] = []
        for name, uri in stop.watch(files):
            source = stored(ctx, uri, "from")
            key = self.key if is_one else f"{self.key.rstrip('/')}/{name.lstrip('/')}"
            client.upload_file(
                str(source),
                self.bucket,
                key,
                ExtraArgs=self._described(key),
                Callback=lambda _: stop.check(),
                Config=transfer(),
            )
            ctx.log.debug("s3://%s/%s uploaded", self.bucket, key)
            ctx.metric("file.count", 1)
            ctx.metric("file.size", source.stat().st_size)
            put.append(key)
        if not is_one:
            return self.Output(bucket=self.bucket, keys=put)
        found = client.head_object(**self.asked, Key=put[0])
        return self.Output(
            bucket=self.bucket, key=put[0], e_tag=found["ETag"], version_id=found.get("VersionId"), keys=put
        )

    def _described(self, key: str) -> dict[str, Any]:
        from urllib.parse import urlencode

        algorithm = self.checksum_algorithm and self.checksum_algorithm.upper().replace("_", "")
        if self.checksum and not algorithm:
            raise TaskFailedError("`checksum` needs `checksumAlgorithm`")
        asked = {name: value for name, value in self.asked.items() if name != "Bucket"}
        values = {
            "Metadata": self.metadata,
            "CacheControl": self.cache_control,
            "ContentType": self.content_type or mimetypes.guess_type(key)[0],
            "ContentEncoding": self.content_encoding,
            "ContentDisposition": self.content_disposition,
            "ContentLanguage": self.content_language,
            "Expires": self.expires,
            "ACL": self.acl,
            "StorageClass": self.storage_class,
            "ServerSideEncryption": encryption(self.server_side_encryption),
            "SSEKMSKeyId": self.kms_key_id,
            "BucketKeyEnabled": self.bucket_key_enabled,
            "ChecksumAlgorithm": algorithm,
            f"Checksum{algorithm}": self.checksum,
            "ObjectLockMode": self.object_lock_mode,
            "ObjectLockLegalHoldStatus": self.object_lock_legal_hold_status,
            "ObjectLockRetainUntilDate": self.object_lock_retain_until_date,
            "Tagging": None if self.tagging is None else urlencode(self.tagging),
        }
        return {**asked, **given(values)}


def encryption(name: str | None) -> str | None:
    """How AWS spells a kind of encryption: `AWS_KMS` is `aws:kms` there; NONE is not said."""
    if name is None or name.upper() in ("", "NONE"):
        return None
    return name if name.upper() == "AES256" else name.lower().replace("_", ":")


class FileInfo(Model):
    """What is known of an object that was stored."""

    uri: Text | None = Field(default=None, description="URI of the stored file.")
    content_length: int | None = Field(default=None, description="Its size in bytes.")
    content_type: Text | None = Field(default=None, description="Type of its content.")
    metadata: dict[str, str] | None = Field(default=None, description="Metadata of the user's own.")
    e_tag: Text | None = Field(default=None, description="Changes with each version.")
    version_id: Text | None = Field(default=None, description="Id of the version, where the bucket keeps them.")


def _info(uri: str, described: dict[str, Any]) -> dict[str, Any]:
    return {
        "uri": uri,
        "content_length": described.get("ContentLength"),
        "content_type": described.get("ContentType"),
        "metadata": described.get("Metadata"),
        "e_tag": described.get("ETag"),
        "version_id": described.get("VersionId"),
    }


@task_type(
    "io.kestra.plugin.aws.s3.Download",
    aliases=["s3_download"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.aws.s3.Download
            bucket: my-bucket
            key: in/orders.csv
            region: eu-central-1
            accessKeyId: "{{ secret('AWS_ACCESS_KEY_ID') }}"
            secretKeyId: "{{ secret('AWS_SECRET_KEY_ID') }}"
            """,
            title="Bring an object into the internal storage",
            needs=_NEEDS,
        )
    ],
)
class Download(ListingTask):
    """Bring an object of Amazon S3 into the internal storage, whatever its size; or all that match a pattern."""

    class Output(FileInfo, RunnableTask.Output):
        files: dict[str, FileInfo] | None = Field(default=None, description="Key → object, of several.")

    key: Dynamic[Text] | None = Field(
        default=None, description="Key of the object; not with `prefix`, `delimiter` or `regexp`, which find several."
    )
    version_id: Dynamic[Text] | None = Field(default=None, description="Version to take; the last unless said.")
    max_files: Dynamic[PositiveInt] = Field(default=25, description="At most so many; the rest is left out.")

    def act(self, ctx: RunContext, client: Any, stop: Stop) -> Output:
        if self.prefix is None and self.delimiter is None and self.regexp is None:
            if not self.key:
                raise TaskFailedError("there is nothing to download", hint="set `key`, or `prefix` for several objects")
            asked = given({**self.asked, "VersionId": self.version_id})
            return self.Output(**_info(*fetch(ctx, client, asked, self.key, stop)))
        keys = [found.key for found in self.found(client, stop) if not found.key.endswith("/")]
        if not keys:
            ctx.log.warning("no object of %s matches", self.bucket)
        files = {key: _info(*fetch(ctx, client, self.asked, key, stop)) for key in limited(ctx, keys, self.max_files)}
        return self.Output(files={key: FileInfo(**info) for key, info in files.items()})


class Target(Model):
    """Where an object lies, or goes to."""

    bucket: Dynamic[Text] | None = Field(default=None, description="Name of the bucket.")
    key: Dynamic[Text] | None = Field(default=None, description="Key of the object.")
    server_side_encryption: Dynamic[Text] | None = Field(
        default=None, description="How it is encrypted there: AES256, AWS_KMS or NONE."
    )
    kms_key_id: Dynamic[Text] | None = Field(default=None, description="Key of KMS to encrypt with.")


class Source(Model):
    """The object to copy."""

    bucket: Dynamic[Text] = Field(description="Name of the bucket.")
    key: Dynamic[Text] = Field(description="Key of the object.")
    version_id: Dynamic[Text] | None = Field(default=None, description="Version to copy; the last unless said.")


@task_type(
    "io.kestra.plugin.aws.s3.Copy",
    aliases=["s3_copy"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.aws.s3.Copy
            from:
              bucket: my-bucket
              key: in/orders.csv
            to:
              bucket: my-bucket
              key: archive/orders.csv
            delete: true
            """,
            title="Move an object",
            needs=_NEEDS,
        )
    ],
)
class Copy(S3Task):
    """Copy an object of Amazon S3, or move it; its content does not pass through this machine."""

    class Output(RunnableTask.Output):
        bucket: Text = Field(description="Bucket of the copy.")
        key: Text = Field(description="Key of the copy.")
        e_tag: Text | None = Field(default=None, description="Changes with each version.")
        version_id: Text | None = Field(default=None, description="Id of the version, where the bucket keeps them.")

    from_: Dynamic[Source] = Field(alias="from", description="The object.")
    to: Dynamic[Target] = Field(
        default_factory=Target, description="Where the copy goes; what is not said is as in `from`."
    )
    delete: Dynamic[bool] = Field(default=False, description="Whether to delete the first one afterwards.")

    def act(self, ctx: RunContext, client: Any, stop: Stop) -> Output:
        bucket, key = self.to.bucket or self.from_.bucket, self.to.key or self.from_.key
        if (bucket, key) == (self.from_.bucket, self.from_.key) and self.delete:
            raise TaskFailedError(f"`from` and `to` are the same: s3://{bucket}/{key}", hint="leave `delete` out")
        found = copy(client, self.from_, Target(**{**dict(self.to), "bucket": bucket, "key": key}), stop)
        if self.delete:
            client.delete_object(Bucket=self.from_.bucket, Key=self.from_.key)
        return self.Output(bucket=bucket, key=key, e_tag=found["ETag"], version_id=found.get("VersionId"))


def copy(client: Any, source: Source, target: Target, stop: Stop) -> dict[str, Any]:  # Any: what boto3 reads
    """Copy an object where it is, in parts if it is large; what is known of the copy."""
    place = given({"Bucket": source.bucket, "Key": source.key, "VersionId": source.version_id})
    kind = encryption(target.server_side_encryption)
    extra = given({"ServerSideEncryption": kind, "SSEKMSKeyId": target.kms_key_id})
    client.copy(place, target.bucket, target.key, ExtraArgs=extra, Callback=lambda _: stop.check(), Config=transfer())
    found: dict[str, Any] = client.head_object(Bucket=target.bucket, Key=target.key)
    return found


@task_type(
    "io.kestra.plugin.aws.s3.Delete",
    aliases=["s3_delete"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.aws.s3.Delete
            bucket: my-bucket
            key: in/orders.csv
            """,
            needs=_NEEDS,
        )
    ],
)
class Delete(BucketTask):
    """Delete an object of Amazon S3. That there is none is no failure."""

    class Output(RunnableTask.Output):
        version_id: Text | None = Field(default=None, description="Id of the version deleted, or of the mark made.")
        delete_marker: bool | None = Field(default=None, description="Whether it was marked as deleted, and is kept.")
        request_charged: Text | None = Field(default=None, description="`requester`, when who asked pays.")

    key: Dynamic[Text] = Field(description="Key of the object.")
    version_id: Dynamic[Text] | None = Field(default=None, description="Version to delete for good.")
    bypass_governance_retention: Dynamic[bool] | None = Field(
        default=None, description="Whether to delete it in spite of its lock."
    )
    mfa: Dynamic[Text] | None = Field(default=None, description="Serial number of a device, a space, and its code.")

    def act(self, ctx: RunContext, client: Any, stop: Stop) -> Output:
        more = {
            "VersionId": self.version_id,
            "BypassGovernanceRetention": self.bypass_governance_retention,
            "MFA": self.mfa,
        }
        found = client.delete_object(**self.asked, Key=self.key, **given(more))
        return self.Output(
            version_id=found.get("VersionId"),
            delete_marker=found.get("DeleteMarker"),
            request_charged=found.get("RequestCharged"),
        )

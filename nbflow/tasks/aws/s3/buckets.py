"""The task type that makes a bucket of Amazon S3."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.aws.session import S3Task, given
from nbflow.tasks.stopping import Stop


@task_type(
    "io.kestra.plugin.aws.s3.CreateBucket",
    aliases=["s3_create_bucket"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.aws.s3.CreateBucket
            bucket: my-bucket
            region: eu-central-1
            accessKeyId: "{{ secret('AWS_ACCESS_KEY_ID') }}"
            secretKeyId: "{{ secret('AWS_SECRET_KEY_ID') }}"
            """,
            needs="an account of AWS",
        )
    ],
)
class CreateBucket(S3Task):
    """Make a bucket of Amazon S3."""

    class Output(RunnableTask.Output):
        bucket: Text = Field(description="Its name.")
        region: Text | None = Field(default=None, description="Where it is, as AWS answers.")

    bucket: Dynamic[Text] = Field(description="Its name, unique in the world.")
    acl: Dynamic[Text] | None = Field(default=None, description="Who may read it, such as `private`.")
    grant_full_control: Dynamic[Text] | None = Field(default=None, description="Who may do all with it.")
    grant_read: Dynamic[Text] | None = Field(default=None, description="Who may list its objects.")
    grant_read_acp: Dynamic[Text] | None = Field(
        default=None, alias="grantReadACP", description="Who may read who may do what."
    )
    grant_write: Dynamic[Text] | None = Field(default=None, description="Who may make objects, and delete them.")
    grant_write_acp: Dynamic[Text] | None = Field(
        default=None, alias="grantWriteACP", description="Who may say who may do what."
    )
    object_lock_enabled_for_bucket: Dynamic[bool] | None = Field(
        default=None, description="Whether objects can be locked."
    )

    def act(self, ctx: RunContext, client: Any, stop: Stop) -> Output:
        region = client.meta.region_name
        asked = {
            "ACL": self.acl,
            "GrantFullControl": self.grant_full_control,
            "GrantRead": self.grant_read,
            "GrantReadACP": self.grant_read_acp,
            "GrantWrite": self.grant_write,
            "GrantWriteACP": self.grant_write_acp,
            "ObjectLockEnabledForBucket": self.object_lock_enabled_for_bucket,
            # The first region is the only one that must not be named.
            "CreateBucketConfiguration": None if region == "us-east-1" else {"LocationConstraint": region},
        }
        found = client.create_bucket(Bucket=self.bucket, **given(asked))
        ctx.log.info("bucket %s made", self.bucket)
        return self.Output(bucket=self.bucket, region=found.get("Location"))

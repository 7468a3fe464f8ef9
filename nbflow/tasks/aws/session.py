"""What every task of Amazon Web Services declares, and the client it works with, logged in."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Duration, Dynamic, Model, RunContext, RunnableTask, Text
from nbflow.tasks.fs.places import library
from nbflow.tasks.stopping import Stop, in_thread

_HINT = (
    "set `accessKeyId` and `secretKeyId`, for instance to `{{ secret('AWS_ACCESS_KEY_ID') }}`, in the task or in "
    "`pluginDefaults` for io.kestra.plugin.aws; or the variables and files that the AWS command line reads"
)
_REGION = "us-east-1"


class RefusedError(TaskFailedError):
    """AWS answered that it cannot do this; `reason` is its slug such as `NoSuchKey`, `status` the HTTP status."""

    def __init__(self, message: str, *, status: int = 0, reason: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.reason = reason


class AwsAccess(Model):
    """What every task and trigger of Amazon Web Services declares."""

    access_key_id: Dynamic[Text] | None = Field(
        default=None, description="Id of the access key; unless said, what the AWS command line would use."
    )
    secret_key_id: Dynamic[Text] | None = Field(default=None, description="The secret of that key.")
    session_token: Dynamic[Text] | None = Field(default=None, description="Token of a key that is good for a while.")
    region: Dynamic[Text] | None = Field(
        default=None, description="Region, such as `eu-central-1`; that of the environment unless said."
    )
    endpoint_override: Dynamic[Text] | None = Field(
        default=None, description="Address of another service that speaks the same, such as `http://localhost:9000`."
    )
    compatibility_mode: Dynamic[bool] = Field(
        default=False, description="Whether to leave out what services other than AWS may not know, such as checksums."
    )
    force_path_style: Dynamic[bool] = Field(
        default=False, description="Whether the bucket goes into the path of addresses, not into the host's name."
    )
    sts_role_arn: Dynamic[Text] | None = Field(default=None, description="ARN of a role to take on.")
    sts_role_external_id: Dynamic[Text] | None = Field(default=None, description="External id that the role asks for.")
    sts_role_session_name: Dynamic[Text] | None = Field(default=None, description="What AWS's logs call this.")
    sts_role_session_duration: Dynamic[Duration] = Field(
        default=timedelta(minutes=15), description="How long the role is taken on for."
    )
    sts_endpoint_override: Dynamic[Text] | None = Field(
        default=None, description="Address of the service that hands out roles."
    )

    def connect(self, service: str) -> Any:  # Any: boto3 has no types
        """A client of a service of AWS. Raises: MissingExtraError; RefusedError when the role is."""
        session = library("boto3", "s3").session.Session(
            aws_access_key_id=self.access_key_id or None,
            aws_secret_access_key=self.secret_key_id or None,
            aws_session_token=self.session_token or None,
            region_name=self.region or None,
        )
        if self.sts_role_arn:
            session = self._with_role(session, self.sts_role_arn)
        sums: dict[str, str] = {}
        if self.compatibility_mode:
            sums = {"request_checksum_calculation": "when_required", "response_checksum_validation": "when_required"}
        config = library("botocore.config", "s3").Config(
            user_agent_extra="nbflow",
            retries={"mode": "standard"},
            s3={"addressing_style": "path" if self.force_path_style else "auto"},
            **sums,
        )
        return session.client(
            service,
            region_name=session.region_name or _REGION,
            endpoint_url=self.endpoint_override or None,
            config=config,
        )

    def _with_role(self, session: Any, role: str) -> Any:
        region = session.region_name or _REGION
        sts = session.client("sts", region_name=region, endpoint_url=self.sts_endpoint_override or None)
        try:
            asked = {
                "RoleArn": role,
                "RoleSessionName": self.sts_role_session_name or "nbflow",
                "DurationSeconds": int(self.sts_role_session_duration.total_seconds()),
                "ExternalId": self.sts_role_external_id,
            }
            key = sts.assume_role(**given(asked))["Credentials"]
        finally:
            sts.close()
        return library("boto3", "s3").session.Session(
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            aws_session_token=key["SessionToken"],
            region_name=region,
        )


def transfer() -> Any:  # Any: boto3 has no types
    """How boto3 sends and receives large files: in so many parts at once that they fit into little memory."""
    return library("boto3.s3.transfer", "s3").TransferConfig(max_concurrency=4, max_io_queue=64)


class AwsTask(AwsAccess, RunnableTask):
    """A task of Amazon Web Services."""


class S3Task(AwsTask):
    """A task on objects of Amazon S3."""

    async def run(self, ctx: RunContext) -> Any:  # Any: each task has its own output
        return await in_thread(lambda stop: self._run(ctx, stop))

    def _run(self, ctx: RunContext, stop: Stop) -> Any:
        with on_s3(self, stop) as client:
            return self.act(ctx, client, stop)

    @abstractmethod
    def act(self, ctx: RunContext, client: Any, stop: Stop) -> Any:
        """Do the work."""


@contextmanager
def on_s3(access: AwsAccess, stop: Stop) -> Iterator[Any]:  # Any: boto3 has no types
    """A client of S3, closed at the end. Raises: as `in_words`; MissingExtraError."""
    library("boto3", "s3")
    with in_words():
        client = access.connect("s3")
        stop.then(client.close)
        try:
            yield client
        finally:
            client.close()


def given(values: dict[str, Any]) -> dict[str, Any]:
    """What is set of the arguments of a call."""
    return {name: value for name, value in values.items() if value is not None}


@contextmanager
def in_words() -> Iterator[None]:
    """Say what AWS, or the way there, did not allow. Raises: RefusedError; TaskFailedError."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

    try:
        yield
    except ClientError as cause:
        raise _refused(cause) from cause
    except (NoCredentialsError, PartialCredentialsError) as cause:
        raise TaskFailedError("there are no credentials for AWS", hint=_HINT) from cause
    except (BotoCoreError, Boto3Error) as cause:
        if isinstance(refused := cause.__context__, ClientError):  # of an upload in parts
            raise _refused(refused) from cause
        raise TaskFailedError(" ".join(str(cause).split())) from cause


def _refused(cause: Any) -> RefusedError:
    error = cause.response.get("Error", {})
    status = int(cause.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    reason, message = str(error.get("Code", "")), str(error.get("Message") or "no reason given")
    hint = _HINT if status in (401, 403) else ""
    where = " ".join(f"`{error[name]}`" for name in ("BucketName", "Key") if error.get(name))
    return RefusedError(
        f"AWS answered {reason or status}: {message}{where and ' ' + where}", status=status, reason=reason, hint=hint
    )

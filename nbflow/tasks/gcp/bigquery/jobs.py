"""How a job of BigQuery is started and followed to its end, and what its tasks have in common."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.model.policies import Retry
from nbflow.plugins import Duration, Dynamic, Model, RunContext, Text
from nbflow.tasks.gcp.session import GcpTask, RefusedError, Session
from nbflow.types import JsonValue

_SERVICE = "https://bigquery.googleapis.com"
_EMULATOR = "BIGQUERY_EMULATOR_HOST"
_LOOKS = (0.1, 0.3, 1.0, 2.0, 5.0)
"""Seconds between looks at a job; the last ones repeat."""
_TRIES = 5
_FIRST_WAIT = timedelta(seconds=5)
Start = Callable[[dict[str, JsonValue]], Awaitable[dict[str, Any]]]
"""Starts a job under a name."""

_TABLE = re.compile(r"(?:(?P<project>[a-z0-9.:-]+)\.)?(?P<dataset>\w+)\.(?P<table>[^.`]+)", re.ASCII | re.IGNORECASE)


class WriteDisposition(StrEnum):
    """What happens to rows that a table has."""

    WRITE_TRUNCATE = "WRITE_TRUNCATE"
    WRITE_TRUNCATE_DATA = "WRITE_TRUNCATE_DATA"
    WRITE_APPEND = "WRITE_APPEND"
    WRITE_EMPTY = "WRITE_EMPTY"


class CreateDisposition(StrEnum):
    """What happens when a table is not there."""

    CREATE_IF_NEEDED = "CREATE_IF_NEEDED"
    CREATE_NEVER = "CREATE_NEVER"


class PartitionType(StrEnum):
    """How long the span of one partition is."""

    HOUR = "HOUR"
    DAY = "DAY"
    MONTH = "MONTH"
    YEAR = "YEAR"


class DestinationTable(Model):
    """A table."""

    project: str = Field(description="Its project.")
    dataset: str = Field(description="Its dataset.")
    table: str = Field(description="Its name.")


class BigQueryTask(GcpTask):
    """What every task of BigQuery declares."""

    location: Dynamic[Text] | None = Field(default=None, description="Where the data are, such as `EU`.")
    retry_auto: Retry | None = Field(
        default=None, description="How a job is tried again that failed for one of the reasons below."
    )
    retry_reasons: Dynamic[list[Text]] = Field(
        default_factory=lambda: [
            "rateLimitExceeded",
            "jobBackendError",
            "backendError",
            "internalError",
            "jobInternalError",
        ],
        description="Reasons of BigQuery's after which a job is tried again.",
    )
    retry_messages: Dynamic[list[Text]] = Field(
        default_factory=lambda: ["due to concurrent update", "Retrying the job may solve the problem"],
        description="Parts of messages after which a job is tried again.",
    )

    @asynccontextmanager
    async def bigquery(self, ctx: RunContext) -> AsyncIterator[Session]:
        """A session with BigQuery."""
        async with self.connect(ctx, _SERVICE, _EMULATOR) as session:
            yield session

    async def run_job(self, session: Session, configuration: Mapping[str, JsonValue]) -> dict[str, Any]:
        """Run a job to its end, again if need be; what BigQuery says of it then. A kill cancels it.

        Raises: RefusedError; TaskFailedError when the job failed.
        """
        return await self.until_done(session, lambda reference: insert(session, configuration, reference))

    async def until_done(self, session: Session, start: Start) -> dict[str, Any]:
        """Start a job and follow it to its end, again if need be, as `run_job` does."""
        again = self.retry_auto
        tries = (again.max_attempts if again else None) or _TRIES
        wait = (again.interval if again and again.interval is not None else _FIRST_WAIT).total_seconds()
        for number in range(1, tries + 1):
            reference = job_reference(session, self.location)
            try:
                return await follow(session, await start(reference))
            except RefusedError as refused:
                if number == tries or not self._may_pass(refused):
                    raise
                session.log.warning("%s; tried again in %s s", refused.message, wait)
            except asyncio.CancelledError:
                await cancel(session, reference)
                raise
            await asyncio.sleep(wait)
            wait *= 2
        raise AssertionError("the last try returns or raises")

    def _may_pass(self, refused: RefusedError) -> bool:
        message = refused.message.lower()
        return refused.reason in self.retry_reasons or any(part.lower() in message for part in self.retry_messages)


class JobTask(BigQueryTask):
    """What tasks declare that write a table."""

    destination_table: Dynamic[Text] | None = Field(
        default=None, description="Table to write, `dataset.table` or `project.dataset.table`."
    )
    write_disposition: Dynamic[WriteDisposition] | None = Field(
        default=None, description="What happens to rows it has: WRITE_TRUNCATE, WRITE_APPEND or WRITE_EMPTY."
    )
    create_disposition: Dynamic[CreateDisposition] | None = Field(
        default=None, description="Whether it may be made: CREATE_IF_NEEDED or CREATE_NEVER."
    )
    clustering_fields: Dynamic[list[Text]] = Field(default_factory=list, description="Fields to order the table by.")
    schema_update_options: Dynamic[list[Text]] = Field(
        default_factory=list, description="ALLOW_FIELD_ADDITION, ALLOW_FIELD_RELAXATION."
    )
    time_partitioning_field: Dynamic[Text] | None = Field(default=None, description="Field to part the table by.")
    time_partitioning_type: Dynamic[PartitionType] = Field(
        default=PartitionType.DAY, description="How long the span of one partition is."
    )
    labels: Dynamic[dict[str, Text]] = Field(default_factory=dict, description="Labels of the job.")
    job_timeout: Dynamic[Duration] | None = Field(default=None, description="BigQuery ends the job after this.")
    dry_run: Dynamic[bool] = Field(default=False, description="Whether to check the job only.")

    def job_options(self) -> dict[str, JsonValue]:
        """What belongs beside the kind of job in its configuration."""
        options: dict[str, JsonValue] = {}
        if self.labels:
            options["labels"] = dict(self.labels)
        if self.job_timeout is not None:
            options["jobTimeoutMs"] = str(int(self.job_timeout.total_seconds() * 1000))
        if self.dry_run:
            options["dryRun"] = True
        return options

    def table_options(self, session: Session) -> dict[str, JsonValue]:
        """What is said of the table to write."""
        options: dict[str, JsonValue] = {}
        if self.destination_table:
            options["destinationTable"] = table_reference(self.destination_table, session.require_project())
        if self.write_disposition:
            options["writeDisposition"] = self.write_disposition.value
        if self.create_disposition:
            options["createDisposition"] = self.create_disposition.value
        if self.clustering_fields:
            options["clustering"] = {"fields": list(self.clustering_fields)}
        if self.schema_update_options:
            options["schemaUpdateOptions"] = list(self.schema_update_options)
        if self.time_partitioning_field:
            options["timePartitioning"] = {
                "field": self.time_partitioning_field,
                "type": self.time_partitioning_type.value,
            }
        return options


def table_reference(name: str, project: str) -> dict[str, JsonValue]:
    """A table as REST names it. Raises: TaskFailedError when it is not written `dataset.table`."""
    match = _TABLE.fullmatch(name.strip().strip("`"))
    if match is None:
        raise TaskFailedError(f"`{name}` is no table", hint="write `dataset.table` or `project.dataset.table`")
    return {"projectId": match["project"] or project, "datasetId": match["dataset"], "tableId": match["table"]}


def job_reference(session: Session, location: str | None) -> dict[str, JsonValue]:
    """A name for a new job: with it, a request that was sent twice starts one job."""
    reference: dict[str, JsonValue] = {"projectId": session.require_project(), "jobId": f"nbflow_{uuid4().hex}"}
    if location:
        reference["location"] = location
    return reference


async def insert(
    session: Session, configuration: Mapping[str, JsonValue], reference: Mapping[str, JsonValue]
) -> dict[str, Any]:
    """Start a job under the name that `reference` gives it."""
    body = {"jobReference": dict(reference), "configuration": dict(configuration)}
    try:
        started = await session.call("POST", f"/bigquery/v2/projects/{session.require_project()}/jobs", body=body)
    except RefusedError as refused:
        if refused.status != 409:
            raise
        # The first try arrived after all, only its answer was lost.
        started = {"jobReference": dict(reference), "status": {"state": "PENDING"}}
    return dict(started)


async def follow(session: Session, job: dict[str, Any]) -> dict[str, Any]:
    """Wait until a job is done; what BigQuery says of it then. Raises: RefusedError when it failed."""
    is_dry = bool(job.get("configuration", {}).get("dryRun"))
    looks = 0
    while job["status"]["state"] != "DONE" and not is_dry:
        await asyncio.sleep(_LOOKS[min(looks, len(_LOOKS) - 1)])
        looks += 1
        reference = job["jobReference"]
        job = await session.call("GET", job_path(session, reference), params={"location": reference.get("location")})
    failure = job["status"].get("errorResult")
    if failure:
        others = [error.get("message", "") for error in job["status"].get("errors", [])]
        said = "; ".join(dict.fromkeys([str(failure.get("message", "")), *others]))
        raise RefusedError(f"the job failed: {said}", status=400, reason=str(failure.get("reason", "")))
    return job


async def cancel(session: Session, reference: Mapping[str, Any]) -> None:
    """Have a job end, if there is one; nobody waits for it any more."""
    with suppress(TaskFailedError, TimeoutError):
        async with asyncio.timeout(5):
            place = {"location": reference.get("location")}
            await session.call("POST", f"{job_path(session, reference)}/cancel", params=place)


def job_path(session: Session, reference: Mapping[str, Any]) -> str:
    """Where REST has a job."""
    return f"/bigquery/v2/projects/{session.require_project()}/jobs/{reference['jobId']}"

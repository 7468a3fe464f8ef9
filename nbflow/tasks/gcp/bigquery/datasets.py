"""Task types that make and delete datasets and tables of BigQuery."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.gcp.bigquery.jobs import BigQueryTask
from nbflow.tasks.gcp.session import RefusedError, Session
from nbflow.types import JsonValue

_NEEDS = "a project of Google Cloud"


class IfExists(StrEnum):
    """What to do when it exists."""

    ERROR = "ERROR"
    UPDATE = "UPDATE"
    SKIP = "SKIP"


class DatasetTask(BigQueryTask):
    """What tasks that shape a dataset declare."""

    class Output(RunnableTask.Output):
        dataset: Text = Field(description="Its id.")
        project: Text = Field(description="Its project.")
        friendly_name: Text | None = Field(default=None, description="Its name for people.")
        description: Text | None = Field(default=None, description="What it is for.")
        location: Text | None = Field(default=None, description="Where its data are.")

    name: Dynamic[Text] = Field(description="Id of the dataset.")
    friendly_name: Dynamic[Text] | None = Field(default=None, description="Its name for people.")
    default_table_lifetime: Dynamic[int] | None = Field(
        default=None, description="Milliseconds after which a new table is deleted."
    )
    default_partition_expiration_ms: Dynamic[int] | None = Field(
        default=None, description="Milliseconds after which a new partition is deleted."
    )
    labels: Dynamic[dict[str, Text]] = Field(default_factory=dict, description="Its labels.")
    acl: Dynamic[list[JsonValue]] = Field(
        default_factory=list, description="Who may do what, as REST has it: maps such as `role` and `userByEmail`."
    )
    default_encryption_configuration: Dynamic[dict[str, JsonValue]] | None = Field(
        default=None, description="Key that tables are encrypted with: a map with `kmsKeyName`."
    )

    def described(self, project: str) -> dict[str, JsonValue]:
        """The dataset as REST has it; what is not set is left out."""
        lifetimes = (self.default_table_lifetime, self.default_partition_expiration_ms)
        values: dict[str, Any] = {
            "datasetReference": {"projectId": project, "datasetId": self.name},
            "location": self.location,
            "description": self.description,
            "friendlyName": self.friendly_name,
            "defaultTableExpirationMs": None if lifetimes[0] is None else str(lifetimes[0]),
            "defaultPartitionExpirationMs": None if lifetimes[1] is None else str(lifetimes[1]),
            "labels": self.labels or None,
            "access": self.acl or None,
            "defaultEncryptionConfiguration": self.default_encryption_configuration,
        }
        return {name: value for name, value in values.items() if value is not None}

    async def change(self, session: Session) -> dict[str, Any]:
        """Give the dataset what is set here. Where the data are cannot be changed."""
        values = {
            name: value for name, value in self.described(session.require_project()).items() if name != "location"
        }
        changed = await session.call("PATCH", f"{_datasets(session)}/{self.name}", body=values)
        return dict(changed)


@task_type(
    "io.kestra.plugin.gcp.bigquery.CreateDataset",
    aliases=["bigquery_create_dataset"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.gcp.bigquery.CreateDataset
            name: "{{ kv('GCP_DATASET') }}"
            location: EU
            ifExists: SKIP
            """,
            title="Make sure that there is a dataset",
            needs=_NEEDS,
        )
    ],
)
class CreateDataset(DatasetTask):
    """Make a dataset of BigQuery."""

    if_exists: Dynamic[IfExists] = Field(
        default=IfExists.ERROR, description="When it exists: ERROR fails, UPDATE changes it, SKIP leaves it."
    )

    async def run(self, ctx: RunContext) -> DatasetTask.Output:
        async with self.bigquery(ctx) as session:
            body = self.described(session.require_project())
            try:
                found = await session.call("POST", _datasets(session), body=body)
                ctx.log.info("dataset %s made", self.name)
            except RefusedError as refused:
                if refused.status != 409:
                    raise
                if self.if_exists is IfExists.ERROR:
                    raise TaskFailedError(
                        f"there is a dataset `{self.name}` already", hint="set `ifExists` to SKIP or UPDATE"
                    ) from refused
                if self.if_exists is IfExists.UPDATE:
                    found = await self.change(session)
                else:
                    found = await session.call("GET", f"{_datasets(session)}/{self.name}")
        return self.Output(**_told(found))


@task_type(
    "io.kestra.plugin.gcp.bigquery.UpdateDataset",
    aliases=["bigquery_update_dataset"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.gcp.bigquery.UpdateDataset
            name: zoomcamp
            friendlyName: Taxi trips
            """,
            needs=_NEEDS,
        )
    ],
)
class UpdateDataset(DatasetTask):
    """Change a dataset of BigQuery."""

    async def run(self, ctx: RunContext) -> DatasetTask.Output:
        async with self.bigquery(ctx) as session:
            return self.Output(**_told(await self.change(session)))


@task_type(
    "io.kestra.plugin.gcp.bigquery.DeleteDataset",
    aliases=["bigquery_delete_dataset"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.gcp.bigquery.DeleteDataset
            name: zoomcamp
            deleteContents: true
            """,
            title="With its tables",
            needs=_NEEDS,
        )
    ],
)
class DeleteDataset(BigQueryTask):
    """Delete a dataset of BigQuery."""

    class Output(RunnableTask.Output):
        dataset: Text = Field(description="Its id.")

    name: Dynamic[Text] = Field(description="Id of the dataset.")
    delete_contents: Dynamic[bool] = Field(default=False, description="Whether to delete its tables too; else fail.")

    async def run(self, ctx: RunContext) -> Output:
        async with self.bigquery(ctx) as session:
            params: dict[str, str | int | None] = {"deleteContents": str(self.delete_contents).lower()}
            await session.call("DELETE", f"{_datasets(session)}/{self.name}", params=params)
        return self.Output(dataset=self.name)


@task_type(
    "io.kestra.plugin.gcp.bigquery.DeleteTable",
    aliases=["bigquery_delete_table"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.gcp.bigquery.DeleteTable
            dataset: zoomcamp
            table: staging
            """,
            needs=_NEEDS,
        )
    ],
)
class DeleteTable(BigQueryTask):
    """Delete a table of BigQuery."""

    class Output(RunnableTask.Output):
        project_id: Text = Field(description="Its project.")
        dataset_id: Text = Field(description="Its dataset.")
        table: Text = Field(description="Its name.")

    dataset: Dynamic[Text] = Field(description="Dataset of the table.")
    table: Dynamic[Text] = Field(description="Name of the table.")

    async def run(self, ctx: RunContext) -> Output:
        async with self.bigquery(ctx) as session:
            await session.call("DELETE", f"{_datasets(session)}/{self.dataset}/tables/{self.table}")
            return self.Output(project_id=session.require_project(), dataset_id=self.dataset, table=self.table)


def _datasets(session: Session) -> str:
    return f"/bigquery/v2/projects/{session.require_project()}/datasets"


def _told(found: dict[str, Any]) -> dict[str, Any]:
    reference = found["datasetReference"]
    return {
        "dataset": reference["datasetId"],
        "project": reference["projectId"],
        "friendly_name": found.get("friendlyName"),
        "description": found.get("description"),
        "location": found.get("location"),
    }

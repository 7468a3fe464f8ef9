"""The task type that runs SQL with BigQuery."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field, PositiveInt

from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.gcp.bigquery.jobs import DestinationTable, JobTask
from nbflow.tasks.gcp.bigquery.rows import Pages
from nbflow.tasks.gcp.session import Session
from nbflow.tasks.sql.values import json_line
from nbflow.tasks.storage.scratch import scratch_file
from nbflow.types import JsonValue


class FetchType(StrEnum):
    """What to do with the rows of a query."""

    STORE = "STORE"
    FETCH = "FETCH"
    FETCH_ONE = "FETCH_ONE"
    NONE = "NONE"


class Priority(StrEnum):
    """When a query is run."""

    INTERACTIVE = "INTERACTIVE"
    BATCH = "BATCH"


@task_type(
    "io.kestra.plugin.gcp.bigquery.Query",
    aliases=["bigquery"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.gcp.bigquery.Query
            projectId: my-project
            serviceAccount: "{{ secret('GCP_CREDS') }}"
            fetchType: FETCH_ONE
            sql: SELECT count(*) AS trips FROM `my-project.zoomcamp.yellow_tripdata`
            """,
            title="Ask for one row",
            needs="a project of Google Cloud",
        ),
        Example(
            """
            type: io.kestra.plugin.gcp.bigquery.Query
            destinationTable: my-project.zoomcamp.daily
            writeDisposition: WRITE_TRUNCATE
            sql: |
              SELECT DATE(pickup) AS day, count(*) AS trips
              FROM `my-project.zoomcamp.trips` GROUP BY day
            """,
            title="Keep the rows as a table",
            needs="a project of Google Cloud",
        ),
    ],
)
class Query(JobTask):
    """Run SQL with BigQuery: one statement, or several as a script."""

    class Output(RunnableTask.Output):
        job_id: Text = Field(description="Id of the job.")
        row: dict[str, JsonValue] | None = Field(default=None, description="The first row, with fetchType FETCH_ONE.")
        rows: list[dict[str, JsonValue]] | None = Field(default=None, description="All rows, with fetchType FETCH.")
        uri: Text | None = Field(default=None, description="URI of the stored rows (JSON Lines), with fetchType STORE.")
        size: int | None = Field(default=None, description="Number of rows fetched or stored.")
        destination_table: DestinationTable | None = Field(
            default=None, description="The table with the rows, BigQuery's temporary one unless it was named."
        )

    sql: Dynamic[Text] = Field(description="The statements.")
    fetch_type: Dynamic[FetchType] = Field(
        default=FetchType.NONE, description="STORE, FETCH, FETCH_ONE, or NONE, which leaves the rows in BigQuery."
    )
    fetch: bool = Field(default=False, description="Older form of `fetchType: FETCH`.")
    store: bool = Field(default=False, description="Older form of `fetchType: STORE`.")
    fetch_one: bool = Field(default=False, description="Older form of `fetchType: FETCH_ONE`.")
    legacy_sql: Dynamic[bool] = Field(default=False, description="Whether this is BigQuery's legacy SQL.")
    use_legacy_sql: Dynamic[bool] = Field(default=False, description="The same.")
    default_dataset: Dynamic[Text] | None = Field(default=None, description="Dataset of tables that name none.")
    priority: Dynamic[Priority] = Field(default=Priority.INTERACTIVE, description="INTERACTIVE or BATCH.")
    use_query_cache: Dynamic[bool] | None = Field(default=None, description="Whether an earlier result may be taken.")
    allow_large_results: Dynamic[bool] | None = Field(default=None, description="For legacy SQL: results of any size.")
    flatten_results: Dynamic[bool] | None = Field(default=None, description="For legacy SQL: no nested fields.")
    maximum_bytes_billed: Dynamic[int] | None = Field(default=None, description="Fail when it would cost more.")
    maximum_billing_tier: Dynamic[int] | None = Field(default=None, description="Accepted; BigQuery ignores it now.")
    max_results: Dynamic[PositiveInt] | None = Field(default=None, description="Rows to take at most.")
    range_partitioning_field: Dynamic[Text] | None = Field(
        default=None, description="Whole-number field to part the table by."
    )
    range_partitioning_start: Dynamic[int] | None = Field(default=None, description="First number.")
    range_partitioning_end: Dynamic[int] | None = Field(default=None, description="Last number.")
    range_partitioning_interval: Dynamic[int] | None = Field(default=None, description="Numbers in one partition.")

    @property
    def wanted(self) -> FetchType:
        """What to do with the rows, in whichever form it was written."""
        if self.fetch_type is not FetchType.NONE:
            return self.fetch_type
        if self.fetch:
            return FetchType.FETCH
        if self.fetch_one:
            return FetchType.FETCH_ONE
        return FetchType.STORE if self.store else FetchType.NONE

    async def run(self, ctx: RunContext) -> Output:
        async with self.bigquery(ctx) as session:
            configuration = {"query": self._query(session), **self.job_options()}
            job = await self.run_job(session, configuration)
            self._measure(ctx, job)
            output = self.Output(
                job_id=job["jobReference"]["jobId"],
                destination_table=_table(job.get("configuration", {}).get("query", {}).get("destinationTable")),
            )
            if not self.dry_run:
                await self._take(ctx, session, job, output)
        return output

    async def _take(self, ctx: RunContext, session: Session, job: dict[str, Any], output: Output) -> None:
        wanted = self.wanted
        if wanted is FetchType.NONE:
            return
        pages = Pages(session, job, 1 if wanted is FetchType.FETCH_ONE else self.max_results)
        if wanted is FetchType.STORE:
            output.uri, output.size = await _store(ctx, pages)
        else:
            rows = [row async for row in pages.rows()]
            output.size = len(rows)
            if wanted is FetchType.FETCH:
                output.rows = rows
            else:
                output.row = rows[0] if rows else {}
        ctx.metric("total.rows", pages.total)
        ctx.metric("fetch.rows", output.size)

    def _query(self, session: Session) -> dict[str, JsonValue]:
        query: dict[str, JsonValue] = {
            "query": self.sql,
            "useLegacySql": self.legacy_sql or self.use_legacy_sql,
            "priority": self.priority.value,
            **self.table_options(session),
        }
        if self.default_dataset:
            project, _, dataset = self.default_dataset.rpartition(".")
            query["defaultDataset"] = {"projectId": project or session.require_project(), "datasetId": dataset}
        others: dict[str, JsonValue] = {
            "useQueryCache": self.use_query_cache,
            "allowLargeResults": self.allow_large_results,
            "flattenResults": self.flatten_results,
            "maximumBytesBilled": None if self.maximum_bytes_billed is None else str(self.maximum_bytes_billed),
            "maximumBillingTier": self.maximum_billing_tier,
        }
        query.update({name: value for name, value in others.items() if value is not None})
        if self.range_partitioning_field:
            bounds = {
                "start": self.range_partitioning_start,
                "end": self.range_partitioning_end,
                "interval": self.range_partitioning_interval,
            }
            texts: dict[str, JsonValue] = {name: str(value) for name, value in bounds.items() if value is not None}
            query["rangePartitioning"] = {"field": self.range_partitioning_field, "range": texts}
        return query

    def _measure(self, ctx: RunContext, job: dict[str, Any]) -> None:
        statistics = job.get("statistics", {})
        asked = statistics.get("query", {})
        for metric, value in (
            ("total.bytes.processed", asked.get("totalBytesProcessed")),
            ("total.bytes.billed", asked.get("totalBytesBilled")),
            ("num.dml.affected.rows", asked.get("numDmlAffectedRows")),
            ("total.slot.ms", asked.get("totalSlotMs")),
            ("cache.hit", int(asked["cacheHit"]) if "cacheHit" in asked else None),
        ):
            if value is not None:
                ctx.metric(metric, float(value))
        if "startTime" in statistics and "endTime" in statistics:
            ctx.metric("duration", float(statistics["endTime"]) - float(statistics["startTime"]), type="timer")


async def _store(ctx: RunContext, pages: Pages) -> tuple[str, int]:
    size = 0
    with scratch_file(ctx) as path:
        with path.open("w", encoding="utf-8") as lines:
            async for row in pages.rows():
                lines.write(json_line(row))
                size += 1
        return ctx.store_file(path, "rows.jsonl"), size


def _table(found: dict[str, Any] | None) -> DestinationTable | None:
    if not found:
        return None
    return DestinationTable(project=found["projectId"], dataset=found["datasetId"], table=found["tableId"])

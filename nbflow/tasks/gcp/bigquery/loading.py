"""Task types that bring files into tables of BigQuery, and tables into files."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, Model, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.gcp.bigquery.jobs import BigQueryTask, JobTask, table_reference
from nbflow.tasks.gcp.session import Session, check
from nbflow.tasks.storage.scratch import stored
from nbflow.types import JsonValue

_PORTION = 1 << 20
_NEEDS = "a project of Google Cloud"


class Format(StrEnum):
    """How the rows of a file are written; JSON is one value a line."""

    CSV = "CSV"
    JSON = "JSON"
    AVRO = "AVRO"
    PARQUET = "PARQUET"
    ORC = "ORC"


_CAPITAL = re.compile("([A-Z])")
_REST_FORMATS = {Format.JSON: "NEWLINE_DELIMITED_JSON"}
_SUFFIXES = {
    ".csv": Format.CSV,
    ".json": Format.JSON,
    ".jsonl": Format.JSON,
    ".ndjson": Format.JSON,
    ".avro": Format.AVRO,
    ".parquet": Format.PARQUET,
    ".orc": Format.ORC,
}


class CsvOptions(Model):
    """How a CSV file is read."""

    allow_jagged_rows: Dynamic[bool] | None = Field(default=None, description="Whether rows may lack last columns.")
    allow_quoted_new_lines: Dynamic[bool] | None = Field(
        default=None, description="Whether quoted values may have several lines."
    )
    encoding: Dynamic[Text] | None = Field(default=None, description="UTF-8 or ISO-8859-1.")
    field_delimiter: Dynamic[Text] | None = Field(default=None, description="What stands between values.")
    quote: Dynamic[Text] | None = Field(default=None, description="What stands around values.")
    skip_leading_rows: Dynamic[int] | None = Field(default=None, description="Lines to leave out at the top.")


class AvroOptions(Model):
    """How an Avro file is read."""

    use_avro_logical_types: Dynamic[bool] | None = Field(
        default=None, description="Whether dates and the like become such, not numbers."
    )


class LoadTask(JobTask):
    """What tasks declare that fill a table from files."""

    class Output(RunnableTask.Output):
        job_id: Text = Field(description="Id of the job.")
        rows: int | None = Field(default=None, description="Rows that were loaded.")
        destination_table: Text | None = Field(default=None, description="The table, as `project.dataset.table`.")

    destination_table: Dynamic[Text] = Field(description="Table to fill, `dataset.table` or `project.dataset.table`.")
    format: Dynamic[Format] | None = Field(
        default=None, description="CSV, JSON (one value a line), AVRO, PARQUET or ORC; what the name tells unless said."
    )
    autodetect: Dynamic[bool] | None = Field(default=None, description="Whether BigQuery finds out the columns.")
    schema_: Dynamic[dict[str, JsonValue]] | None = Field(
        default=None, alias="schema", description="The columns: `fields`, a list of maps with `name`, `type`, `mode`."
    )
    csv_options: Dynamic[CsvOptions] | None = Field(default=None, description="How a CSV file is read.")
    avro_options: Dynamic[AvroOptions] | None = Field(default=None, description="How an Avro file is read.")
    ignore_unknown_values: Dynamic[bool] | None = Field(
        default=None, description="Whether values without a column are left out; else their row is bad."
    )
    max_bad_records: Dynamic[int] | None = Field(default=None, description="Bad rows to leave out before it fails.")

    def load_options(self, session: Session, name: str) -> dict[str, JsonValue]:
        """The configuration of the job, without the source; `name` is a file's."""
        kind = self.format or _SUFFIXES.get(Path(name.removesuffix(".gz")).suffix.lower())
        if kind is None:
            raise TaskFailedError(f"how is `{name}` written?", hint=f"set `format` to one of {', '.join(Format)}")
        options: dict[str, JsonValue] = {
            "sourceFormat": _REST_FORMATS.get(kind, kind.value),
            **self.table_options(session),
        }
        others: dict[str, JsonValue] = {
            "autodetect": self.autodetect,
            "schema": self.schema_,
            "ignoreUnknownValues": self.ignore_unknown_values,
            "maxBadRecords": self.max_bad_records,
        }
        if kind is Format.CSV and self.csv_options:
            csv = self.csv_options.model_dump(by_alias=True, exclude_none=True, mode="json")
            csv["allowQuotedNewlines"] = csv.pop("allowQuotedNewLines", None)
            others.update(csv)
        if self.avro_options:
            others.update(self.avro_options.model_dump(by_alias=True, exclude_none=True, mode="json"))
        options.update({name: value for name, value in others.items() if value is not None})
        return options

    def loaded(self, ctx: RunContext, job: dict[str, Any]) -> Output:
        """What there is to say of a job that has ended."""
        statistics = job.get("statistics", {}).get("load", {})
        for name in ("outputRows", "outputBytes", "badRecords", "inputBytes", "inputFiles"):
            if name in statistics:
                ctx.metric(_CAPITAL.sub(r".\1", name).lower(), float(statistics[name]))
        found = job.get("configuration", {}).get("load", {}).get("destinationTable")
        return self.Output(
            job_id=job["jobReference"]["jobId"],
            rows=int(statistics["outputRows"]) if "outputRows" in statistics else None,
            destination_table=".".join((found["projectId"], found["datasetId"], found["tableId"])) if found else None,
        )


@task_type(
    "io.kestra.plugin.gcp.bigquery.Load",
    aliases=["bigquery_load"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.gcp.bigquery.Load
            from: "{{ inputs.file }}"
            destinationTable: zoomcamp.trips
            format: CSV
            autodetect: true
            csvOptions:
              skipLeadingRows: 1
            """,
            title="Fill a table from a CSV file",
            needs=_NEEDS,
        )
    ],
)
class Load(LoadTask):
    """Fill a table of BigQuery from a stored file."""

    from_: Dynamic[Text] = Field(alias="from", description="URI of the stored file.")
    failed_on_empty: Dynamic[bool] = Field(default=True, description="Whether an empty file is a failure.")

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        source = await asyncio.to_thread(stored, ctx, self.from_, "from")
        size = source.stat().st_size
        if not size:
            if self.failed_on_empty:
                raise TaskFailedError("the file is empty", hint="set `failedOnEmpty: false` to accept it")
            return RunnableTask.Output()
        async with self.bigquery(ctx) as session:
            configuration: dict[str, JsonValue] = {
                "load": self.load_options(session, self.from_.strip()),
                **self.job_options(),
            }
            job = await self.until_done(
                session, lambda reference: _upload(session, configuration, reference, source, size)
            )
        return self.loaded(ctx, job)


async def _upload(
    session: Session, configuration: dict[str, JsonValue], reference: dict[str, JsonValue], source: Path, size: int
) -> dict[str, Any]:
    """Start a load job and send it the file. Source: BigQuery's "resumable upload"."""
    project = session.require_project()
    begin = session.client.build_request(
        "POST",
        f"{session.base}/upload/bigquery/v2/projects/{project}/jobs",
        params={"uploadType": "resumable"},
        json={"jobReference": reference, "configuration": configuration},
        headers={"X-Upload-Content-Type": "application/octet-stream"},
    )
    begun = await session.send(begin)
    check(begun)

    async def portions() -> AsyncIterator[bytes]:
        with source.open("rb") as file:
            while portion := await asyncio.to_thread(file.read, _PORTION):
                yield portion

    headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
    response = await session.send(
        session.client.build_request("PUT", begun.headers["location"], content=portions(), headers=headers)
    )
    check(response)
    return dict(response.json())


@task_type(
    "io.kestra.plugin.gcp.bigquery.LoadFromGcs",
    aliases=["bigquery_load_from_gcs"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.gcp.bigquery.LoadFromGcs
            from:
              - gs://my-bucket/raw/*.parquet
            destinationTable: zoomcamp.trips
            writeDisposition: WRITE_TRUNCATE
            """,
            needs=_NEEDS,
        )
    ],
)
class LoadFromGcs(LoadTask):
    """Fill a table of BigQuery from objects of Google Cloud Storage."""

    from_: Dynamic[list[Text]] = Field(alias="from", description="The objects; a `*` stands for any characters.")

    async def run(self, ctx: RunContext) -> LoadTask.Output:
        if not self.from_:
            raise TaskFailedError("`from` names no object", hint="such as gs://bucket/path/*.csv")
        async with self.bigquery(ctx) as session:
            load = {**self.load_options(session, self.from_[0]), "sourceUris": list[JsonValue](self.from_)}
            job = await self.run_job(session, {"load": load, **self.job_options()})
        return self.loaded(ctx, job)


@task_type(
    "io.kestra.plugin.gcp.bigquery.ExtractToGcs",
    aliases=["bigquery_extract_to_gcs"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.gcp.bigquery.ExtractToGcs
            sourceTable: my-project.zoomcamp.trips
            destinationUris:
              - gs://my-bucket/out/trips-*.csv
            format: CSV
            """,
            needs=_NEEDS,
        )
    ],
)
class ExtractToGcs(BigQueryTask):
    """Write a table of BigQuery into objects of Google Cloud Storage."""

    class Output(RunnableTask.Output):
        job_id: Text = Field(description="Id of the job.")
        source_table: Text = Field(description="The table, as `project.dataset.table`.")
        destination_uris: list[str] = Field(description="Where the files are.")
        file_counts: list[int] = Field(description="Files for each of these.")

    source_table: Dynamic[Text] = Field(description="Table to write, `dataset.table` or `project.dataset.table`.")
    destination_uris: Dynamic[list[Text]] = Field(
        description="Where the files go, `gs://bucket/name`; a `*` becomes a number, which large tables need."
    )
    format: Dynamic[Text] | None = Field(default=None, description="CSV, NEWLINE_DELIMITED_JSON, AVRO or PARQUET.")
    compression: Dynamic[Text] | None = Field(default=None, description="NONE, GZIP, DEFLATE, SNAPPY or ZSTD.")
    field_delimiter: Dynamic[Text] | None = Field(default=None, description="What stands between values of CSV.")
    print_header: Dynamic[bool] | None = Field(default=None, description="Whether CSV begins with the columns' names.")
    use_avro_logical_types: Dynamic[bool] | None = Field(
        default=None, description="Whether dates and the like stay such in Avro, not numbers."
    )
    job_timeout_ms: Dynamic[int] | None = Field(default=None, description="BigQuery ends the job after this.")
    labels: Dynamic[dict[str, Text]] = Field(default_factory=dict, description="Labels of the job.")

    async def run(self, ctx: RunContext) -> Output:
        async with self.bigquery(ctx) as session:
            source = table_reference(self.source_table, session.require_project())
            extract: dict[str, JsonValue] = {
                "sourceTable": source,
                "destinationUris": list[JsonValue](self.destination_uris),
                "destinationFormat": "NEWLINE_DELIMITED_JSON" if self.format == "JSON" else self.format,
                "compression": self.compression,
                "fieldDelimiter": self.field_delimiter,
                "printHeader": self.print_header,
                "useAvroLogicalTypes": self.use_avro_logical_types,
            }
            configuration: dict[str, JsonValue] = {
                "extract": {name: value for name, value in extract.items() if value is not None}
            }
            if self.labels:
                configuration["labels"] = dict(self.labels)
            if self.job_timeout_ms is not None:
                configuration["jobTimeoutMs"] = str(self.job_timeout_ms)
            job = await self.run_job(session, configuration)
        counts = job.get("statistics", {}).get("extract", {}).get("destinationUriFileCounts", [])
        return self.Output(
            job_id=job["jobReference"]["jobId"],
            source_table=".".join(str(part) for part in source.values()),
            destination_uris=self.destination_uris,
            file_counts=[int(count) for count in counts],
        )

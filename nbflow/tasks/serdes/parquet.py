"""Task types that convert between Parquet and records; DuckDB does the work."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field, PositiveInt

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, task_type
from nbflow.tasks.serdes.avro import SchemaWriter
from nbflow.tasks.serdes.avro_values import Schema, named_types
from nbflow.tasks.serdes.conversion import OnBadLines, ToIon
from nbflow.tasks.serdes.rows import read_records, write_records
from nbflow.tasks.stopping import Stop
from nbflow.tasks.storage.scratch import scratch_file

_SAMPLE = 20_480


class ParquetCompression(StrEnum):
    """How a Parquet file is compressed."""

    UNCOMPRESSED = "UNCOMPRESSED"
    SNAPPY = "SNAPPY"
    GZIP = "GZIP"
    ZSTD = "ZSTD"


class ParquetVersion(StrEnum):
    """Version of the Parquet format."""

    V1 = "V1"
    V2 = "V2"


@task_type(
    "io.kestra.plugin.serdes.parquet.IonToParquet",
    aliases=["ion_to_parquet"],
    old_names=["io.kestra.plugin.serdes.parquet.ParquetWriter"],
    examples=[
        Example(
            """
            - {id: csv, type: write_file, content: "city,orders\\nOslo,3\\nLima,12\\n", extension: .csv}
            - {id: records, type: csv_to_ion, from: "{{ outputs.csv.uri }}"}
            - id: parquet
              type: io.kestra.plugin.serdes.parquet.IonToParquet
              from: "{{ outputs.records.uri }}"
            - id: sum
              type: duckdb
              sql: "select sum(orders::int) as orders from read_parquet('{{ outputs.parquet.uri }}')"
              fetchType: FETCH_ONE
            """,
            title="A Parquet file from records, which DuckDB reads.",
        )
    ],
)
class IonToParquet(SchemaWriter):
    """Convert records into Parquet. Without a `schema`, types are found from the records: also dates, in texts."""

    class Output(SchemaWriter.Output):
        pass

    suffix = ".parquet"

    compression_codec: Dynamic[ParquetCompression] = Field(
        default=ParquetCompression.GZIP, description="How to compress: UNCOMPRESSED, SNAPPY, GZIP or ZSTD."
    )
    parquet_version: Dynamic[ParquetVersion] = Field(default=ParquetVersion.V2, description="V1 or V2 of the format.")
    row_group_size: Dynamic[PositiveInt] = Field(
        default=128 * 1024 * 1024, description="Accepted; a group has 122,880 rows."
    )
    page_size: Dynamic[PositiveInt] = Field(default=1024 * 1024, description="Accepted.")
    dictionary_page_size: Dynamic[PositiveInt] = Field(default=1024 * 1024, description="Accepted.")

    def convert(self, ctx: RunContext, source: Path, target: Path, stop: Stop) -> int:
        if self.schema_ is None and not self.infer_all_fields and _is_json_lines(source):
            return self._copy(source, target, None)
        return super().convert(ctx, source, target, stop)

    def write(self, ctx: RunContext, records: Iterable[object], target: Path) -> int:
        schema, rest = self.with_schema(records)
        with scratch_file(ctx, "-rows") as lines:
            write_records(lines, self.fitting(ctx, schema, rest))
            return self._copy(lines, target, schema)

    def _copy(self, lines: Path, target: Path, schema: Schema | None) -> int:
        import duckdb

        if not lines.stat().st_size and schema is None:
            raise TaskFailedError("there are no records, so the columns are not known", hint="give a `schema`")
        query = (
            f"SELECT * FROM read_json({_quoted(str(lines))}, format = 'newline_delimited', records = true, "
            f"sample_size = {max(self.number_of_rows_to_scan, _SAMPLE)}, "
            f"ignore_errors = {'false' if self.on_bad_lines is OnBadLines.ERROR else 'true'})"
            if schema is None
            else _typed_query(lines, schema)
        )
        options = f"FORMAT PARQUET, COMPRESSION {self.compression_codec}, PARQUET_VERSION {self.parquet_version}"
        try:
            with closing(_connect()) as connection:
                row = connection.execute(f"COPY ({query}) TO {_quoted(str(target))} ({options})").fetchone()
                return int(row[0]) if row else 0
        except duckdb.Error as wrong:
            raise TaskFailedError(
                f"the records cannot be written: {' '.join(str(wrong).split())[:500]}",
                hint="give a `schema`, or raise `numberOfRowsToScan`",
            ) from wrong


@task_type(
    "io.kestra.plugin.serdes.parquet.ParquetToIon",
    aliases=["parquet_to_ion"],
    old_names=["io.kestra.plugin.serdes.parquet.ParquetReader"],
    examples=[
        Example(
            """
            - {id: csv, type: write_file, content: "city,orders\\nOslo,3\\nLima,12\\n", extension: .csv}
            - {id: records, type: csv_to_ion, from: "{{ outputs.csv.uri }}"}
            - {id: parquet, type: ion_to_parquet, from: "{{ outputs.records.uri }}"}
            - id: again
              type: io.kestra.plugin.serdes.parquet.ParquetToIon
              from: "{{ outputs.parquet.uri }}"
            - id: show
              type: log
              message: "{{ read(outputs.again.uri) }}"
            """,
            title="Records from a Parquet file.",
        )
    ],
)
class ParquetToIon(ToIon):
    """Convert Parquet into records."""

    class Output(ToIon.Output):
        pass

    def records(self, ctx: RunContext, source: Path) -> Any:
        import duckdb

        with source.open("rb") as file:
            if file.read(4) != b"PAR1":
                raise TaskFailedError("the file is no Parquet")
        try:
            yield from read_records(source)
        except duckdb.Error as wrong:
            raise TaskFailedError(f"the file is no Parquet, or damaged: {wrong}") from wrong


def _is_json_lines(source: Path) -> bool:
    """Whether DuckDB can read the records as they are."""
    import json

    with source.open("rb") as file:
        first = file.readline(1 << 20)
        try:
            return isinstance(json.loads(first), dict)
        except ValueError:
            return False


def _connect() -> Any:  # Any: DuckDB has no types here
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads = 1; SET memory_limit = '400MB'; SET TimeZone = 'UTC'")
    return connection


def _typed_query(lines: Path, schema: Schema) -> str:
    """Reads records that fit a schema, with its types."""
    named = named_types(schema)
    columns, chosen = [], []
    for field in schema["fields"]:
        name, kind = field["name"], _sql_type(field["type"], named)
        is_binary = kind == "BLOB"  # in JSON it is base64
        columns.append(f"{_quoted(name)}: {_quoted('VARCHAR' if is_binary else kind)}")
        chosen.append(f"from_base64({_name(name)}) AS {_name(name)}" if is_binary else _name(name))
    return (
        f"SELECT {', '.join(chosen)} FROM read_json({_quoted(str(lines))}, format = 'newline_delimited', "
        f"columns = {{{', '.join(columns)}}})"
    )


_SQL = {
    "null": "VARCHAR",
    "boolean": "BOOLEAN",
    "int": "INTEGER",
    "long": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "enum": "VARCHAR",
    "bytes": "BLOB",
    "fixed": "BLOB",
    "uuid": "UUID",
    "date": "DATE",
    "time-millis": "TIME",
    "time-micros": "TIME",
    "timestamp-millis": "TIMESTAMPTZ",
    "timestamp-micros": "TIMESTAMPTZ",
    "local-timestamp-millis": "TIMESTAMP",
    "local-timestamp-micros": "TIMESTAMP",
}


def _sql_type(schema: Schema, named: dict[str, Schema]) -> str:
    """The type of DuckDB for one of Avro."""
    if isinstance(schema, list):
        others = [one for one in schema if one != "null"]
        return _sql_type(others[0], named) if len(others) == 1 else "VARCHAR"
    if isinstance(schema, str):
        return _SQL.get(schema) or _sql_type(named[schema], named)
    kind = schema["type"]
    if isinstance(kind, dict | list):
        return _sql_type(kind, named)
    if schema.get("logicalType") == "decimal":
        return f"DECIMAL({schema.get('precision', 18)}, {schema.get('scale', 0)})"
    if kind == "record":
        fields = (f"{_name(one['name'])} {_sql_type(one['type'], named)}" for one in schema["fields"])
        return f"STRUCT({', '.join(fields)})"
    if kind == "array":
        return f"{_sql_type(schema['items'], named)}[]"
    if kind == "map":
        return f"MAP(VARCHAR, {_sql_type(schema['values'], named)})"
    return _SQL.get(schema.get("logicalType", "")) or _SQL.get(kind) or _sql_type(named[kind], named)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'

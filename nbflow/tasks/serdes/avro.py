"""Task types that convert between Avro and records."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PositiveInt

from nbflow.errors import MissingExtraError, TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.serdes import avro_values
from nbflow.tasks.serdes.avro_inference import infer_schema
from nbflow.tasks.serdes.avro_values import Reader, Schema, UnfitError, named_types
from nbflow.tasks.serdes.conversion import FromIon, OnBadLines, ToIon, note_bad_line
from nbflow.tasks.serdes.rows import records_of
from nbflow.tasks.serdes.writing import zone_of
from nbflow.tasks.stopping import in_thread

_Character = Annotated[Text, Field(min_length=1, max_length=1)]


class SchemaWriter(FromIon):
    """A conversion of records by a schema of Avro."""

    schema_: Dynamic[Text] | None = Field(
        default=None, alias="schema", description="Schema of Avro, as JSON; found from the records unless given."
    )
    number_of_rows_to_scan: Dynamic[PositiveInt] = Field(
        default=100, description="How many records are looked at to find the schema."
    )
    true_values: Dynamic[list[Text]] = Field(
        default_factory=lambda: list(avro_values.TRUE), description="Texts that mean true."
    )
    false_values: Dynamic[list[Text]] = Field(
        default_factory=lambda: list(avro_values.FALSE), description="Texts that mean false."
    )
    null_values: Dynamic[list[Text]] = Field(
        default_factory=lambda: list(avro_values.NULL), description="Texts that mean null."
    )
    date_format: Dynamic[Text] = Field(default="yyyy-MM-dd[XXX]", description="Pattern of dates.")
    time_format: Dynamic[Text] = Field(default="HH:mm[:ss][.SSSSSS][XXX]", description="Pattern of times.")
    datetime_format: Dynamic[Text] = Field(
        default="yyyy-MM-dd'T'HH:mm[:ss][.SSSSSS][XXX]", description="Pattern of instants."
    )
    decimal_separator: Dynamic[_Character] = Field(default=".", description="What the decimals of a number follow.")
    strict_schema: Dynamic[bool] = Field(
        default=False, description="Whether a field that is not in the schema makes a record a bad one."
    )
    infer_all_fields: Dynamic[bool] = Field(
        default=False, description="Whether texts that mean true, false or null do so where no schema says so."
    )
    time_zone_id: Dynamic[Text] = Field(default="UTC", description="Zone of instants that name none.")
    on_bad_lines: Dynamic[OnBadLines] = Field(
        default=OnBadLines.ERROR, description="What to do with records that do not fit the schema."
    )

    def reader(self, schema: Schema) -> Reader:
        """Reads values as this task's properties say."""
        return Reader(
            true_values=self.true_values,
            false_values=self.false_values,
            null_values=self.null_values,
            date_format=self.date_format,
            time_format=self.time_format,
            datetime_format=self.datetime_format,
            decimal_separator=self.decimal_separator,
            strict_schema=self.strict_schema,
            time_zone=zone_of(self.time_zone_id),
            zone_id=self.time_zone_id,
            named=named_types(schema),
        )

    def with_schema(self, records: Iterable[object]) -> tuple[Schema, Iterator[object]]:
        """The schema given, or that of the first records; and all the records. Raises: TaskFailedError."""
        if self.infer_all_fields:
            records = map(self._inferred, records)
        if self.schema_ is not None:
            return read_schema(self.schema_), iter(records)
        rest = iter(records)
        first = list(islice(rest, self.number_of_rows_to_scan))
        return infer_schema(first), chain(first, rest)

    def fitting(self, ctx: RunContext, schema: Schema, records: Iterable[object]) -> Iterator[object]:
        """The records as the schema wants them; what happens to others, `onBadLines` says."""
        reader = self.reader(schema)
        for number, record in enumerate(records, 1):
            try:
                yield reader.read(schema, record)
            except UnfitError as wrong:
                note_bad_line(ctx, self.on_bad_lines, f"record {number}: {wrong}")

    def _inferred(self, value: object) -> object:
        if isinstance(value, dict):
            return {key: self._inferred(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._inferred(item) for item in value]
        if not isinstance(value, str):
            return value
        if value in self.null_values:
            return None
        text = value.lower()
        return True if text in self.true_values else False if text in self.false_values else value


def read_schema(text: str) -> Schema:
    """A schema from its text. Raises: TaskFailedError."""
    try:
        schema = json.loads(text)
    except ValueError as cause:
        raise TaskFailedError(f"`schema` is no JSON: {cause}", hint="write it as a text block, with |") from cause
    if not isinstance(schema, dict) or schema.get("type") != "record" or "fields" not in schema:
        raise TaskFailedError("`schema` must be a record type of Avro: `type: record`, `name` and `fields`")
    return schema


@task_type(
    "io.kestra.plugin.serdes.avro.IonToAvro",
    aliases=["ion_to_avro"],
    old_names=["io.kestra.plugin.serdes.avro.AvroWriter"],
    examples=[
        Example(
            """
            - {id: csv, type: write_file, content: "city,orders\\nOslo,3\\nLima,12\\n", extension: .csv}
            - {id: records, type: csv_to_ion, from: "{{ outputs.csv.uri }}"}
            - id: avro
              type: io.kestra.plugin.serdes.avro.IonToAvro
              from: "{{ outputs.records.uri }}"
              schema: |
                {"type": "record", "name": "order", "fields": [
                  {"name": "city", "type": "string"}, {"name": "orders", "type": "int"}]}
            """,
            title="An Avro file from records.",
        )
    ],
)
class IonToAvro(SchemaWriter):
    """Convert records into Avro."""

    class Output(SchemaWriter.Output):
        pass

    suffix = ".avro"

    def write(self, ctx: RunContext, records: Iterable[object], target: Path) -> int:
        fastavro = library()
        schema, rest = self.with_schema(records)
        count = 0

        def counted() -> Iterator[object]:
            nonlocal count
            for record in self.fitting(ctx, schema, rest):
                count += 1
                yield record

        try:
            parsed = fastavro.parse_schema(schema)
        except (fastavro.schema.SchemaParseException, fastavro.schema.UnknownType, KeyError) as cause:
            raise TaskFailedError(f"`schema` is no schema of Avro: {cause}") from cause
        with target.open("wb") as file:
            fastavro.writer(file, parsed, counted(), codec="deflate")
        return count


@task_type(
    "io.kestra.plugin.serdes.avro.AvroToIon",
    aliases=["avro_to_ion"],
    old_names=["io.kestra.plugin.serdes.avro.AvroReader"],
    examples=[
        Example(
            """
            - {id: csv, type: write_file, content: "city,orders\\nOslo,3\\nLima,12\\n", extension: .csv}
            - {id: records, type: csv_to_ion, from: "{{ outputs.csv.uri }}"}
            - {id: avro, type: ion_to_avro, from: "{{ outputs.records.uri }}"}
            - id: again
              type: io.kestra.plugin.serdes.avro.AvroToIon
              from: "{{ outputs.avro.uri }}"
            - id: show
              type: log
              message: "{{ read(outputs.again.uri) }}"
            """,
            title="Records from an Avro file.",
        )
    ],
)
class AvroToIon(ToIon):
    """Convert Avro into records."""

    class Output(ToIon.Output):
        pass

    on_bad_lines: Dynamic[OnBadLines] = Field(
        default=OnBadLines.ERROR, description="What to do when a record cannot be read: the rest of the file is lost."
    )

    def records(self, ctx: RunContext, source: Path) -> Iterator[object]:
        fastavro = library()
        with source.open("rb") as file:
            try:
                yield from fastavro.reader(file)
            except (ValueError, EOFError, IndexError, KeyError, TypeError) as wrong:
                note_bad_line(ctx, self.on_bad_lines, f"the file is no Avro, or damaged: {wrong}")


@task_type(
    "io.kestra.plugin.serdes.avro.InferAvroSchemaFromIon",
    aliases=["infer_avro_schema"],
    examples=[
        Example(
            """
            - {id: csv, type: write_file, content: "city,orders\\nOslo,3\\nLima,12\\n", extension: .csv}
            - {id: records, type: csv_to_ion, from: "{{ outputs.csv.uri }}"}
            - id: schema
              type: io.kestra.plugin.serdes.avro.InferAvroSchemaFromIon
              from: "{{ outputs.records.uri }}"
            - id: show
              type: log
              message: "{{ read(outputs.schema.uri) }}"
            """,
            title="The schema that records fit.",
        )
    ],
)
class InferAvroSchemaFromIon(RunnableTask):
    """Find the schema of Avro that records fit."""

    class Output(RunnableTask.Output):
        uri: Text = Field(description="URI of the schema.")

    from_: Dynamic[Text] = Field(alias="from", description="URI of the records.")
    number_of_rows_to_scan: Dynamic[PositiveInt] = Field(default=100, description="How many records are looked at.")

    async def run(self, ctx: RunContext) -> Output:
        return self.Output(uri=await in_thread(lambda _: self._infer(ctx)))

    def _infer(self, ctx: RunContext) -> str:
        schema = infer_schema(islice(records_of(ctx, self.from_, "from"), self.number_of_rows_to_scan))
        return ctx.store_bytes(json.dumps(schema, indent=2).encode(), "schema.avsc")


def library() -> Any:  # Any: fastavro is imported as it is used
    """The package that reads and writes Avro. Raises: MissingExtraError."""
    try:
        import fastavro
        import fastavro.schema
    except ImportError as missing:
        raise MissingExtraError(
            "Avro needs the package `fastavro`", hint="pip install 'jupyter-nbflow[avro]'"
        ) from missing
    return fastavro

"""Task types that convert between JSON and records."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, Text, task_type
from nbflow.tasks.serdes.conversion import Conversion, FromIon, ToIon, checked_charset
from nbflow.tasks.serdes.json_stream import values
from nbflow.tasks.serdes.rows import json_text
from nbflow.tasks.stopping import Stop


@task_type(
    "io.kestra.plugin.serdes.json.JsonToIon",
    aliases=["json_to_ion"],
    old_names=["io.kestra.plugin.serdes.json.JsonReader"],
    examples=[
        Example(
            """
            - {id: json, type: write_file, content: '[{"city": "Oslo"}, {"city": "Lima"}]', extension: .json}
            - id: records
              type: io.kestra.plugin.serdes.json.JsonToIon
              from: "{{ outputs.json.uri }}"
              newLine: false
            - id: show
              type: log
              message: "{{ read(outputs.records.uri) }}"
            """,
            title="Records from a JSON array.",
        )
    ],
)
class JsonToIon(ToIon):
    """Convert JSON into records."""

    class Output(ToIon.Output):
        pass

    charset: Dynamic[Text] = Field(default="UTF-8", description="How the text is encoded.")
    new_line: Dynamic[bool] = Field(
        default=True,
        description="Whether each line is a record; else the items of an array are, or the whole. "
        "A file that is one array is read as such all the same.",
    )

    def records(self, ctx: RunContext, source: Path) -> Iterator[object]:
        if not self.new_line:
            with source.open("rb") as file:
                yield from values(file, checked_charset(self.charset))
            return
        yield from _lines(source, checked_charset(self.charset))


def _lines(source: Path, charset: str) -> Iterator[object]:
    decode = json.JSONDecoder().decode
    with source.open(encoding=charset) as lines:
        for number, line in enumerate(lines, 1):
            text = line.strip().removesuffix(",")
            if not text:
                continue
            try:
                value = decode(text)
            except ValueError as cause:
                if number > 1 or text[0] not in "[{":
                    raise TaskFailedError(
                        f"line {number} is no JSON: {text[:100]!r}", hint="set `newLine: false` for other JSON"
                    ) from cause
                break
            if number == 1 and isinstance(value, list) and value and isinstance(value[0], dict):
                break
            yield value
        else:
            return
    with source.open("rb") as file:  # it is one value over many lines
        yield from values(file, charset)


@task_type(
    "io.kestra.plugin.serdes.json.IonToJson",
    aliases=["ion_to_json"],
    old_names=["io.kestra.plugin.serdes.json.JsonWriter"],
    examples=[
        Example(
            """
            - {id: csv, type: write_file, content: "city,orders\\nOslo,3\\nLima,12\\n", extension: .csv}
            - {id: records, type: csv_to_ion, from: "{{ outputs.csv.uri }}"}
            - id: array
              type: io.kestra.plugin.serdes.json.IonToJson
              from: "{{ outputs.records.uri }}"
              newLine: false
            - id: show
              type: log
              message: "{{ read(outputs.array.uri) }}"
            """,
            title="A JSON array from records.",
        )
    ],
)
class IonToJson(FromIon):
    """Convert records into JSON."""

    class Output(FromIon.Output):
        pass

    charset: Dynamic[Text] = Field(default="UTF-8", description="How to encode the text.")
    new_line: Dynamic[bool] = Field(
        default=True, description="Whether to write one line a record; else an array, or a single record by itself."
    )
    time_zone_id: Dynamic[Text] | None = Field(default=None, description="Accepted; instants keep their zone.")
    should_keep_annotations: Dynamic[bool] = Field(
        default=False, description="Accepted; annotations of Ion are left out."
    )

    @property
    def suffix(self) -> str:  # type: ignore[override]  # it depends on what is asked for
        return ".jsonl" if self.new_line else ".json"

    def write(self, ctx: RunContext, records: Iterable[object], target: Path) -> int:
        charset = checked_charset(self.charset).replace("utf-8-sig", "utf-8")
        with target.open("w", encoding=charset, newline="\n") as file:
            if self.new_line:
                count = 0
                for count, record in enumerate(records, 1):  # noqa: B007  # what it counted to is the outcome
                    file.write(json_text(record) + "\n")
                return count
            return write_whole(iter(records), file)


def write_whole(records: Iterator[object], file: IO[str]) -> int:
    """Write values as one JSON text: an array, or a single one by itself; returns how many these were."""
    write = file.write
    first = list(_take(records, 2))
    if len(first) < 2:
        write(json_text(first[0]) if first else "[]")
        return len(first)
    count = 0
    for count, record in enumerate(chain(first, records), 1):
        write(("[" if count == 1 else ",\n") + json_text(record))
    write("]")
    return count


def _take(records: Iterator[object], count: int) -> Iterator[object]:
    for _, record in zip(range(count), records, strict=False):
        yield record


@task_type(
    "io.kestra.plugin.serdes.json.JsonToJsonl",
    aliases=["json_to_jsonl"],
    examples=[
        Example(
            """
            - {id: json, type: write_file, content: '[{"city": "Oslo"}, {"city": "Lima"}]', extension: .json}
            - id: lines
              type: io.kestra.plugin.serdes.json.JsonToJsonl
              from: "{{ outputs.json.uri }}"
            - id: show
              type: log
              message: "{{ read(outputs.lines.uri) }}"
            """,
            title="A line for each item of an array.",
        )
    ],
)
class JsonToJsonl(Conversion):
    """Convert JSON into JSON Lines: the items of an array, or the values one after another, become lines."""

    class Output(Conversion.Output):
        pass

    suffix = ".jsonl"

    charset: Dynamic[Text] = Field(default="UTF-8", description="How both texts are encoded.")

    def convert(self, ctx: RunContext, source: Path, target: Path, stop: Stop) -> int:
        charset = checked_charset(self.charset)
        count = 0
        with (
            source.open("rb") as file,
            target.open("w", encoding=charset.replace("utf-8-sig", "utf-8"), newline="\n") as lines,
        ):
            for count, value in enumerate(stop.watch(values(file, charset)), 1):  # noqa: B007  # the outcome
                lines.write(json_text(value) + "\n")
        return count

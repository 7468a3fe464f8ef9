"""Task types that convert between CSV and records."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO

from pydantic import Field, PositiveInt

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, Text, task_type
from nbflow.tasks.serdes.conversion import OnBadLines, ToIon, checked_charset, note_bad_line
from nbflow.tasks.serdes.rows import read_records
from nbflow.tasks.serdes.writing import TextWriter
from nbflow.tasks.stopping import Stop

_Character = Annotated[Text, Field(min_length=1, max_length=1)]
_LARGEST = 16 * 1024 * 1024
_NULL = "\\N"


class OnEmptyHeader(StrEnum):
    """What happens to columns without a name."""

    DROP = "DROP"
    RENAME = "RENAME"


class QuoteMode(StrEnum):
    """Which fields are quoted."""

    ALWAYS = "ALWAYS"
    REQUIRED = "REQUIRED"
    NON_NUMERIC = "NON_NUMERIC"


@task_type(
    "io.kestra.plugin.serdes.csv.CsvToIon",
    aliases=["csv_to_ion"],
    old_names=["io.kestra.plugin.serdes.csv.CsvReader"],
    examples=[
        Example(
            """
            - {id: csv, type: write_file, content: "city,orders\\nOslo,3\\nLima,12\\n", extension: .csv}
            - id: records
              type: io.kestra.plugin.serdes.csv.CsvToIon
              from: "{{ outputs.csv.uri }}"
            - id: show
              type: log
              message: "{{ read(outputs.records.uri) }}"
            """,
            title="Records from a CSV.",
        )
    ],
)
class CsvToIon(ToIon):
    """Convert CSV into records: one map a row, or one list without a header. All values are text, `\\\\N` is null."""

    class Output(ToIon.Output):
        pass

    header: Dynamic[bool] = Field(default=True, description="Whether the first row names the columns.")
    field_separator: Dynamic[_Character] = Field(default=",", description="What separates fields.")
    text_delimiter: Dynamic[_Character] = Field(default='"', description="What fields are quoted with.")
    skip_empty_rows: Dynamic[bool] = Field(default=False, description="Whether to leave empty rows out.")
    skip_rows: Dynamic[int] = Field(default=0, description="Rows to leave out at the beginning, before the header.")
    error_on_different_field_count: Dynamic[bool] | None = Field(
        default=None,
        description="Older form of `onBadLines`: with false, rows keep the fields that they have.",
    )
    on_bad_lines: Dynamic[OnBadLines] = Field(
        default=OnBadLines.ERROR, description="What to do with rows of too many or too few fields."
    )
    on_empty_header: Dynamic[OnEmptyHeader] = Field(
        default=OnEmptyHeader.DROP,
        description="What to do with columns without a name: DROP the last ones, or RENAME them to `col_3`.",
    )
    charset: Dynamic[Text] = Field(default="UTF-8", description="How the text is encoded.")
    allow_extra_chars_after_closing_quote: Dynamic[bool] = Field(
        default=False, description="Whether text may follow a closing quote."
    )
    max_field_size: Dynamic[PositiveInt] = Field(default=_LARGEST, description="Longest field, in characters.")
    max_buffer_size: Dynamic[PositiveInt] = Field(default=_LARGEST, description="Accepted; rows are read one by one.")

    def records(self, ctx: RunContext, source: Path) -> Iterator[object]:
        if csv.field_size_limit() < self.max_field_size:
            csv.field_size_limit(self.max_field_size)  # it holds for the whole process: never made smaller
        with source.open(encoding=checked_charset(self.charset), newline="") as file:
            try:
                yield from self._rows(ctx, file)
            except UnicodeDecodeError as cause:
                raise TaskFailedError(
                    f"the file is not encoded in {self.charset}: {cause}", hint="say how in `charset`"
                ) from cause

    def _rows(self, ctx: RunContext, file: TextIO) -> Iterator[object]:
        rows = self._parsed(ctx, file)
        for _ in range(max(self.skip_rows, 0)):
            next(rows, None)
        if not self.header:
            for _, row in rows:
                yield [None if value == _NULL else value for value in row]
            return
        _, first = next(rows, (0, None))
        if first is None:
            return
        names = self._names(ctx, first)
        count, kept = len(first), len(names)
        is_lenient = self.error_on_different_field_count is False and self.on_bad_lines is OnBadLines.ERROR
        for number, row in rows:
            if len(row) != count and not is_lenient:
                note_bad_line(ctx, self.on_bad_lines, f"row {number} has {len(row)} fields, the header {count}")
                continue
            values: list[str | None] = [*row[:kept]]
            if _NULL in row:
                values = [None if value == _NULL else value for value in values]
            yield dict(zip(names, values, strict=False))

    def _parsed(self, ctx: RunContext, file: TextIO) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(
            file,
            delimiter=self.field_separator,
            quotechar=self.text_delimiter,
            strict=not self.allow_extra_chars_after_closing_quote,
        )
        number = 0
        while True:
            number += 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as wrong:
                note_bad_line(ctx, self.on_bad_lines, f"row {number} is no CSV: {wrong}")
                continue
            if row:
                yield number, row
            elif not self.skip_empty_rows:
                yield number, [""]

    def _names(self, ctx: RunContext, row: list[str]) -> list[str]:
        if self.on_empty_header is OnEmptyHeader.RENAME:
            return _renamed(row)
        kept = max((index for index, name in enumerate(row) if name), default=len(row) - 1) + 1
        if kept < len(row):
            ctx.log.warning(
                "%d columns at the end have no name and are left out: `onEmptyHeader: RENAME` keeps them",
                len(row) - kept,
            )
        if len(set(row[:kept])) < kept:
            ctx.log.warning("some columns have the same name: the last one of these is kept")
        return row[:kept]


def _renamed(row: list[str]) -> list[str]:
    """The names of columns, with one for each that has none."""
    taken = set(row)
    names = []
    for index, name in enumerate(row):
        unique, attempt = name or f"col_{index}", 1
        while not name and unique in taken:
            attempt += 1
            unique = f"col_{index}_{attempt}"
        taken.add(unique)
        names.append(unique)
    return names


@task_type(
    "io.kestra.plugin.serdes.csv.IonToCsv",
    aliases=["ion_to_csv"],
    old_names=["io.kestra.plugin.serdes.csv.CsvWriter"],
    examples=[
        Example(
            """
            - {id: csv, type: write_file, content: "city,orders\\nOslo,3\\nLima,12\\n", extension: .csv}
            - {id: records, type: csv_to_ion, from: "{{ outputs.csv.uri }}"}
            - id: semicolons
              type: io.kestra.plugin.serdes.csv.IonToCsv
              from: "{{ outputs.records.uri }}"
              fieldSeparator: ";"
            - id: show
              type: log
              message: "{{ read(outputs.semicolons.uri) }}"
            """,
            title="A CSV from records.",
        )
    ],
)
class IonToCsv(TextWriter):
    """Convert records into CSV. The first one says which columns there are."""

    class Output(TextWriter.Output):
        pass

    suffix = ".csv"

    header: Dynamic[bool] = Field(default=True, description="Whether the first row names the columns.")
    field_separator: Dynamic[_Character] = Field(default=",", description="What separates fields.")
    text_delimiter: Dynamic[_Character] = Field(default='"', description="What fields are quoted with.")
    line_delimiter: Dynamic[Text] = Field(default="\n", description="What ends a row.")
    always_delimit_text: Dynamic[bool] = Field(default=False, description="Older form of `quoteMode: ALWAYS`.")
    quote_mode: Dynamic[QuoteMode] | None = Field(
        default=None, description="Which fields are quoted: ALWAYS, REQUIRED, NON_NUMERIC."
    )
    charset: Dynamic[Text] = Field(default="UTF-8", description="How to encode the text.")

    def convert(self, ctx: RunContext, source: Path, target: Path, stop: Stop) -> int:
        return self.write(ctx, stop.watch(read_records(source, _Number)), target)  # 1.10 stays 1.10

    def write(self, ctx: RunContext, records: Iterable[object], target: Path) -> int:
        count = 0
        columns: list[str] | None = None
        charset = checked_charset(self.charset).replace("utf-8-sig", "utf-8")
        try:
            with target.open("w", encoding=charset, newline="") as file:
                writer = self._writer(file)
                for record in records:
                    count += 1
                    if isinstance(record, Mapping):
                        if columns is None:
                            columns = [str(name) for name in record]
                            if self.header:
                                writer.writerow(columns)
                        values = [record.get(name) for name in columns]
                        if len(record) > len(columns) or not all(name in record for name in columns):
                            self._check_columns(count, record, columns)
                    elif isinstance(record, list):
                        if self.header:
                            raise TaskFailedError(
                                f"record {count} is a list, which names no columns", hint="set `header: false`"
                            )
                        values = record
                    else:
                        raise TaskFailedError(f"record {count} is neither a map nor a list: {record!r:.100}")
                    writer.writerow([self._field(value) for value in values])
        except UnicodeEncodeError as cause:
            raise TaskFailedError(
                f"record {count} holds what {self.charset} does not have: {cause}", hint="choose another `charset`"
            ) from cause
        return count

    def _check_columns(self, number: int, record: Mapping[object, object], columns: list[str]) -> None:
        """Raises: TaskFailedError for a column that the first record does not have: its values would be lost."""
        added = [str(name) for name in record if name not in columns]
        if added:
            raise TaskFailedError(
                f"record {number} has a column `{added[0]}` that the first record does not have",
                hint="give every record the same columns",
            )

    def _writer(self, file: TextIO) -> Any:  # Any: csv's writers have no public type
        mode = self.quote_mode or (QuoteMode.ALWAYS if self.always_delimit_text else QuoteMode.REQUIRED)
        quoting: Literal[0, 1, 2] = {
            QuoteMode.ALWAYS: csv.QUOTE_ALL,
            QuoteMode.REQUIRED: csv.QUOTE_MINIMAL,
            QuoteMode.NON_NUMERIC: csv.QUOTE_NONNUMERIC,
        }[mode]  # type: ignore[assignment]  # these are the constants
        return csv.writer(
            file,
            delimiter=self.field_separator,
            quotechar=self.text_delimiter,
            lineterminator=self.line_delimiter,
            quoting=quoting,
        )

    def _field(self, value: object) -> object:
        if isinstance(value, _Number):
            return value if self.quote_mode is not QuoteMode.NON_NUMERIC else _Plain(value)
        if isinstance(value, str):
            if self.quote_mode is QuoteMode.NON_NUMERIC and _is_number(value):
                return _Plain(value)
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        return self.text_of(value)


class _Number(str):
    """A number of a JSON text, as it was written."""

    __slots__ = ()


class _Plain(float):
    """A number that csv writes without quotes, and as it was written."""

    def __new__(cls, text: str) -> _Plain:
        plain = super().__new__(cls, text)
        plain.text = text
        return plain

    text: str

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text[-1].isdigit() and text[0] in "+-.0123456789"

"""Task types that convert between Excel and records."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar
from zipfile import BadZipFile

from pydantic import Field

from nbflow.errors import MissingExtraError, TaskFailedError
from nbflow.model.dynamic import AS_TEXT
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.serdes.rows import ION, json_text, read_records, write_records
from nbflow.tasks.serdes.writing import zone_of
from nbflow.tasks.stopping import Stop, in_thread
from nbflow.tasks.storage.scratch import scratch_file, stored
from nbflow.tasks.working_files import is_stored

_UNSAFE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_NOT_IN_NAMES = re.compile(r"[^\w.-]+")
_EXACT = 2**53


class ValueRender(StrEnum):
    """How values are given."""

    FORMATTED_VALUE = "FORMATTED_VALUE"
    UNFORMATTED_VALUE = "UNFORMATTED_VALUE"
    FORMULA = "FORMULA"


class DateTimeRender(StrEnum):
    """How dates are given."""

    FORMATTED_STRING = "FORMATTED_STRING"
    SERIAL_NUMBER = "SERIAL_NUMBER"
    UNFORMATTED_VALUE = "UNFORMATTED_VALUE"


@task_type(
    "io.kestra.plugin.serdes.excel.ExcelToIon",
    aliases=["excel_to_ion"],
    examples=[
        Example(
            """
            - {id: csv, type: write_file, content: "city,orders\\nOslo,3\\nLima,12\\n", extension: .csv}
            - {id: records, type: csv_to_ion, from: "{{ outputs.csv.uri }}"}
            - {id: excel, type: ion_to_excel, from: "{{ outputs.records.uri }}", sheetsTitle: Orders}
            - id: again
              type: io.kestra.plugin.serdes.excel.ExcelToIon
              from: "{{ outputs.excel.uri }}"
            - id: show
              type: log
              message: "{{ read(outputs.again.uris.Orders) }}"
            """,
            title="Records from a sheet.",
        )
    ],
)
class ExcelToIon(RunnableTask):
    """Convert the sheets of an Excel file (.xlsx) into records, a file of them for each sheet."""

    class Output(RunnableTask.Output):
        uris: dict[str, Text] = Field(description="Title of the sheet → URI of its records.")
        size: int = Field(description="How many records there are in all sheets.")

    from_: Dynamic[Text] = Field(alias="from", description="URI of the file.")
    sheets_title: Dynamic[list[Text]] = Field(default_factory=list, description="Sheets to take; all unless said.")
    charset: Dynamic[Text] = Field(default="UTF-8", description="Accepted; these files say how they are encoded.")
    value_render: Dynamic[ValueRender] = Field(
        default=ValueRender.UNFORMATTED_VALUE,
        description="How values are given: as such, as text in their format, or formulas as they are written.",
    )
    date_time_render: Dynamic[DateTimeRender] = Field(
        default=DateTimeRender.UNFORMATTED_VALUE,
        description="How dates are given: as ISO 8601, as text in their format, or as Excel's number of days.",
    )
    header: Dynamic[bool] = Field(default=True, description="Whether the first row names the columns.")
    skip_empty_rows: Dynamic[bool] = Field(default=False, description="Whether to leave empty rows out.")
    skip_rows: Dynamic[int] = Field(default=0, description="Rows to leave out at the beginning of each sheet.")
    typed: Dynamic[bool] = Field(
        default=False, description="Whether to write Ion text with its own types, such as timestamps; else JSON Lines."
    )

    async def run(self, ctx: RunContext) -> Output:
        uris, size = await in_thread(lambda stop: self._convert(ctx, stop))
        ctx.metric("sheets", len(uris))
        ctx.metric("records", size)
        return self.Output(uris=uris, size=size)

    def _convert(self, ctx: RunContext, stop: Stop) -> tuple[dict[str, str], int]:
        openpyxl = library()
        source = stored(ctx, self.from_, "from")
        uris: dict[str, str] = {}
        total = 0
        try:
            with source.open("rb") as file:
                # Formulas and the values that they had are never in one view of a file.
                book = openpyxl.load_workbook(
                    file, read_only=True, data_only=self.value_render is not ValueRender.FORMULA
                )
                wanted = set(self.sheets_title)
                sheets = [sheet for sheet in book.worksheets if not wanted or sheet.title in wanted]
                missing = wanted - {sheet.title for sheet in sheets}
                if missing:
                    ctx.log.warning("there is no sheet `%s`", "`, `".join(sorted(missing)))
                for sheet in sheets:
                    with scratch_file(ctx) as target:
                        total += write_records(target, stop.watch(self._records(sheet)), typed=self.typed)
                        name = _NOT_IN_NAMES.sub("_", sheet.title)
                        uris[sheet.title] = ctx.store_file(target, f"{len(uris)}-{name}{ION}")
                book.close()
        except (openpyxl.utils.exceptions.InvalidFileException, BadZipFile, OSError, KeyError, ValueError) as wrong:
            raise TaskFailedError(f"the file is no Excel file (.xlsx), or damaged: {wrong}") from wrong
        return uris, total

    def _records(self, sheet: Any) -> Iterator[object]:  # Any: a sheet of openpyxl
        rows = sheet.iter_rows()
        for _ in range(max(self.skip_rows, 0)):
            next(rows, None)
        names: list[str] | None = None
        for row in rows:
            values = [self._value(cell) for cell in row]
            if names is None and self.header:
                while values and values[-1] is None:
                    values.pop()
                names = [f"Column{index}" if value is None else str(value) for index, value in enumerate(values)]
                continue
            if self.skip_empty_rows and all(value is None for value in values):
                continue
            if names is None:
                yield values
            else:
                yield dict(zip(names, [*values, *[None] * (len(names) - len(values))], strict=False))

    def _value(self, cell: Any) -> object:
        value = cell.value
        if isinstance(value, datetime | date | time | timedelta):
            return self._moment(value, cell)
        if value is None or cell.data_type == "e":
            return None
        if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
            value = int(value)
        if self.value_render is ValueRender.FORMATTED_VALUE:
            return formatted(value, cell.number_format)
        return value if isinstance(value, str | bool | int | float) else str(getattr(value, "text", value))

    def _moment(self, value: Any, cell: Any) -> object:
        if self.date_time_render is DateTimeRender.SERIAL_NUMBER:
            from openpyxl.utils.datetime import to_excel

            serial = to_excel(value)
            return int(serial) if serial == int(serial) else serial
        if self.date_time_render is DateTimeRender.FORMATTED_STRING and isinstance(value, datetime | date | time):
            return formatted_moment(value, cell.number_format)
        if isinstance(value, datetime) and "h" not in cell.number_format.lower() and value.time() == time():
            return value.date()
        return value


@task_type(
    "io.kestra.plugin.serdes.excel.IonToExcel",
    aliases=["ion_to_excel"],
    examples=[
        Example(
            """
            - {id: csv, type: write_file, content: "city,orders\\nOslo,3\\nLima,12\\n", extension: .csv}
            - {id: records, type: csv_to_ion, from: "{{ outputs.csv.uri }}"}
            - id: excel
              type: io.kestra.plugin.serdes.excel.IonToExcel
              from: "{{ outputs.records.uri }}"
              sheetsTitle: Orders
            """,
            title="An Excel file from records.",
        )
    ],
)
class IonToExcel(RunnableTask):
    """Convert records into an Excel file (.xlsx), a sheet for each file of records."""

    class Output(RunnableTask.Output):
        uri: Text = Field(description="URI of the file.")
        size: int = Field(description="How many records there are in all sheets.")

    suffix: ClassVar[str] = ".xlsx"

    from_: Annotated[Dynamic[dict[str, Text] | Text], AS_TEXT] = Field(
        alias="from", description="URI of the records; or a map, title of a sheet → URI, for several sheets."
    )
    charset: Dynamic[Text] = Field(default="UTF-8", description="Accepted; these files are always UTF-8.")
    sheets_title: Dynamic[Text] = Field(default="Sheet", description="Title of the sheet, when there is one.")
    header: Dynamic[bool] = Field(default=True, description="Whether the first row names the columns.")
    styles: Dynamic[bool] = Field(default=True, description="Whether dates get a format; else they are numbers.")
    date_format: Dynamic[Text] = Field(default="yyyy-MM-dd", description="Format of dates.")
    time_format: Dynamic[Text] = Field(default="HH:mm:ss", description="Format of times.")
    date_time_format: Dynamic[Text] = Field(default="yyyy-MM-dd HH:mm:ss", description="Format of instants.")
    time_zone_id: Dynamic[Text] = Field(
        default="UTC", description="Zone in which instants are written: Excel's have none."
    )

    async def run(self, ctx: RunContext) -> Output:
        uri, size = await in_thread(lambda stop: self._convert(ctx, stop))
        ctx.metric("records", size)
        return self.Output(uri=uri, size=size)

    def _convert(self, ctx: RunContext, stop: Stop) -> tuple[str, int]:
        openpyxl = library()
        book = openpyxl.Workbook(write_only=True)
        total = 0
        for title, uri in self._sheets().items():
            try:
                sheet = book.create_sheet(title)
            except ValueError as cause:
                raise TaskFailedError(f"`{title}` cannot be the title of a sheet: {cause}") from cause
            total += self._fill(sheet, stop.watch(read_records(stored(ctx, uri, "from"))))
        with scratch_file(ctx) as target:
            book.save(str(target))
            return ctx.store_file(target, f"records{self.suffix}"), total

    def _sheets(self) -> Mapping[str, str]:
        if not isinstance(self.from_, str):
            return self.from_
        text = self.from_.strip()
        if is_stored(text) or not text.startswith("{"):
            return {self.sheets_title: text}
        try:
            read = json.loads(text)
        except ValueError as cause:
            raise TaskFailedError(f"`from` is text that is no JSON: {text[:200]!r}") from cause
        return {str(title): str(uri) for title, uri in read.items()}

    def _fill(self, sheet: Any, records: Iterable[object]) -> int:
        columns: list[str] | None = None
        count = 0
        for count, record in enumerate(records, 1):  # what it counted to is the outcome
            values: Sequence[object]
            if isinstance(record, Mapping):
                if columns is None:
                    columns = [str(name) for name in record]
                    if self.header:
                        sheet.append([self._cell(sheet, name) for name in columns])
                columns.extend(str(name) for name in record if name not in columns)
                values = [record.get(name) for name in columns]
            elif isinstance(record, list):
                if self.header:
                    raise TaskFailedError(
                        f"record {count} is a list, which names no columns", hint="set `header: false`"
                    )
                values = record
            else:
                raise TaskFailedError(f"record {count} is neither a map nor a list: {record!r:.100}")
            sheet.append([self._cell(sheet, value) for value in values])
        return count

    def _cell(self, sheet: Any, value: object) -> object:
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.utils.datetime import to_excel

        if isinstance(value, datetime | date | time):
            moment: Any = value
            if isinstance(moment, datetime):
                moment = moment.astimezone(zone_of(self.time_zone_id)) if moment.tzinfo else moment
                pattern, moment = self.date_time_format, moment.replace(tzinfo=None)
            elif isinstance(moment, time):
                pattern, moment = self.time_format, moment.replace(tzinfo=None)
            else:
                pattern = self.date_format
            if not self.styles:
                return to_excel(moment)
            cell = WriteOnlyCell(sheet, moment)
            cell.number_format = pattern.partition("[")[0].replace("'", "")
            return cell
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float) and abs(value) < _EXACT:
            return value
        if isinstance(value, Decimal) and value.is_finite():
            return value
        text = _UNSAFE.sub("", value if isinstance(value, str) else json_text(value))
        if not text.startswith("="):
            return text
        cell = WriteOnlyCell(sheet, "")  # what comes from data is never to be run as a formula
        cell.value, cell.data_type = text, "s"
        return cell


_TOKENS = (
    ("yyyy", "%Y"), ("yy", "%y"), ("mmmm", "%B"), ("mmm", "%b"), ("dddd", "%A"), ("ddd", "%a"),
    ("dd", "%d"), ("hh", "%H"), ("ss", "%S"), ("am/pm", "%p"),
)  # fmt: skip


def formatted_moment(value: datetime | date | time, number_format: str) -> str:
    """A date as Excel shows it, for the usual formats."""
    pattern = re.sub(r'\[[^\]]*\]|[\\"]', "", number_format.partition(";")[0]).lower()
    for token, code in _TOKENS:
        pattern = pattern.replace(token, code)
    pattern = re.sub(r"(?<=%H:)mm?|mm?(?=:%S)", "%M", pattern)
    pattern = re.sub(r"(?<!%)\bmm\b", "%m", pattern)
    shown = value.strftime(pattern)
    plain = value if isinstance(value, datetime | date) else datetime.combine(date(1900, 1, 1), value, UTC)
    shown = re.sub(r"(?<![A-Za-z%])m(?![A-Za-z])", str(plain.month), shown)
    shown = re.sub(r"(?<![A-Za-z%])d(?![A-Za-z])", str(plain.day), shown)
    return re.sub(r"(?<![A-Za-z%])h(?![A-Za-z])", str(getattr(value, "hour", 0)), shown)


def formatted(value: object, number_format: str) -> str:
    """A value as Excel shows it, for the usual formats of numbers."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if not isinstance(value, int | float):
        return str(value)
    pattern = number_format.partition(";")[0]
    match = re.search(r"(#,##)?0(?:\.(0+))?(%)?", pattern)
    if match is None or pattern.lower() == "general":
        return str(value)
    digits, percent = len(match[2] or ""), bool(match[3])
    text = f"{value * 100 if percent else value:{',' if match[1] else ''}.{digits}f}" + ("%" if percent else "")
    return (pattern[: match.start()] + text + pattern[match.end() :]).replace('"', "").replace("\\", "")


def library() -> Any:  # Any: openpyxl has no types
    """The package that reads and writes Excel files. Raises: MissingExtraError."""
    try:
        import openpyxl
    except ImportError as missing:
        raise MissingExtraError(
            "Excel files need the package `openpyxl`", hint="pip install 'jupyter-nbflow[excel]'"
        ) from missing
    return openpyxl

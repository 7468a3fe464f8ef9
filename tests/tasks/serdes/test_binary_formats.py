"""Excel, Parquet and Avro."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import fastavro
import openpyxl
import pytest

from nbflow.tasks.serdes.avro import AvroToIon, InferAvroSchemaFromIon, IonToAvro
from nbflow.tasks.serdes.excel import ExcelToIon, IonToExcel, formatted, formatted_moment
from nbflow.tasks.serdes.parquet import IonToParquet, ParquetToIon
from tests.tasks.serdes.conftest import convert, lines

SCHEMA = json.dumps(
    {
        "type": "record",
        "name": "order",
        "fields": [
            {"name": "id", "type": "int"},
            {"name": "paid", "type": ["null", "boolean"], "default": None},
            {"name": "day", "type": {"type": "int", "logicalType": "date"}},
            {"name": "at", "type": ["null", {"type": "long", "logicalType": "timestamp-micros"}]},
            {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 8, "scale": 2}},
            {"name": "tags", "type": {"type": "array", "items": "string"}},
        ],
    }
)
TEXTS = lines(
    {"id": "1", "paid": "yes", "day": "2024-05-06", "at": "06.05.2024 07:08", "price": "1,5", "tags": ["a"]},
    {"id": "2", "paid": "", "day": "2024-05-07", "at": "NA", "price": "2", "tags": []},
)
OPTIONS = {"schema": SCHEMA, "datetimeFormat": "dd.MM.yyyy HH:mm", "decimalSeparator": ","}


def book(*sheets: tuple[str, list[list[object]]]) -> bytes:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, rows in sheets:
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def test_each_sheet_becomes_records() -> None:
    content = book(
        ("Orders 1", [["id", "day", None, "ok"], [1, date(2024, 5, 6), 2.5, True], [2, None, None, None]]),
        ("Other", [["x"], ["y"]]),
    )
    result = convert(ExcelToIon, content).result
    uris = result.outputs["uris"]
    assert isinstance(uris, dict)
    rows = {title: [json.loads(line) for line in result.files[str(uri)].splitlines()] for title, uri in uris.items()}
    assert rows == {
        "Orders 1": [
            {"id": 1, "day": "2024-05-06", "Column2": 2.5, "ok": True},
            {"id": 2, "day": None, "Column2": None, "ok": None},
        ],
        "Other": [{"x": "y"}],
    }
    assert result.outputs["size"] == 3
    one = convert(ExcelToIon, content, sheetsTitle=["Other"], header=False).result
    assert [*one.files.values()] == [b'["x"]\n["y"]\n']
    more = {"dateTimeRender": "SERIAL_NUMBER", "skipRows": 1, "header": False, "skipEmptyRows": True}
    serial = convert(ExcelToIon, content, sheetsTitle=["Orders 1"], **more).result
    assert [*serial.files.values()] == [b"[1,45418,2.5,true]\n[2,null,null,null]\n"]


def test_records_become_sheets_and_formulas_stay_text() -> None:
    ion = '$ion_1_0\n{id: 1, at: 2024-05-06T07:08:09Z, name: "=1+1", big: 12345678901234567890, price: 1.5}\n{id: 2}\n'
    made = convert(IonToExcel, ion, timeZoneId="Europe/Paris", sheetsTitle="Rows")
    sheet = openpyxl.load_workbook(io.BytesIO(made.content))["Rows"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows == [
        ["id", "at", "name", "big", "price"],
        [1, datetime(2024, 5, 6, 9, 8, 9), "=1+1", "12345678901234567890", 1.5],
        [2, None, None, None, None],
    ]
    assert sheet["C2"].data_type == "s"
    again = convert(ExcelToIon, made.content).result
    assert b'"name":"=1+1"' in next(iter(again.files.values()))


def test_several_files_become_one_book() -> None:
    made = convert(
        IonToExcel, lines({"a": 1}), **{"from": {"One": "{{ vars.files['in'] }}", "Two": "{{ vars.files['in'] }}"}}
    )
    assert openpyxl.load_workbook(io.BytesIO(made.content)).sheetnames == ["One", "Two"]
    assert made.result.outputs["size"] == 2


@pytest.mark.parametrize(
    ("value", "pattern", "shown"),
    [(1234.5, "#,##0.00", "1,234.50"), (0.25, "0%", "25%"), (1.5, "General", "1.5"), (5, '0.0" kg"', "5.0 kg")],
)
def test_numbers_are_shown_in_their_format(value: float, pattern: str, shown: str) -> None:
    assert formatted(value, pattern) == shown


def test_dates_are_shown_in_their_format() -> None:
    assert formatted_moment(datetime(2024, 5, 6, 7, 8), "yyyy-mm-dd hh:mm") == "2024-05-06 07:08"
    assert formatted_moment(date(2024, 5, 6), "d/m/yy") == "6/5/24"


def test_a_file_that_is_no_excel_fails_with_words() -> None:
    assert "the file is no Excel file (.xlsx)" in convert(ExcelToIon, "a,b\n").error


def query(content: bytes, sql: str, tmp: object) -> list[tuple[object, ...]]:
    path = tmp / "made.parquet"  # type: ignore[operator]  # pytest's path
    path.write_bytes(content)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(sql.replace("made", f"'{path}'")).fetchall()


def test_records_become_parquet_of_types_that_are_found(tmp_path: object) -> None:
    rows = lines({"id": 1, "day": "2024-05-06", "zip": "00123", "n": 1.5, "in": {"a": [1]}}, {"id": None, "x": True})
    made = convert(IonToParquet, rows)
    assert made.result.outputs["size"] == 2
    columns = query(made.content, "DESCRIBE SELECT * FROM made", tmp_path)
    assert [row[:2] for row in columns] == [
        ("id", "BIGINT"),
        ("day", "DATE"),
        ("zip", "VARCHAR"),
        ("n", "DOUBLE"),
        ("in", "STRUCT(a BIGINT[])"),
        ("x", "BOOLEAN"),
    ]
    back = convert(ParquetToIon, made.content)
    assert back.rows[0] == {"id": 1, "day": "2024-05-06", "zip": "00123", "n": 1.5, "in": {"a": [1]}, "x": None}
    codec = query(made.content, "SELECT DISTINCT compression FROM parquet_metadata(made)", tmp_path)
    assert codec == [("GZIP",)]
    zstd = convert(IonToParquet, rows, compressionCodec="ZSTD", parquetVersion="V1")
    assert query(zstd.content, "SELECT DISTINCT compression FROM parquet_metadata(made)", tmp_path) == [("ZSTD",)]


def test_a_schema_gives_parquet_its_types(tmp_path: object) -> None:
    made = convert(IonToParquet, TEXTS, **OPTIONS)
    assert query(made.content, "SELECT * FROM made", tmp_path) == [
        (1, True, date(2024, 5, 6), datetime(2024, 5, 6, 7, 8, tzinfo=UTC), Decimal("1.50"), ["a"]),
        (2, None, date(2024, 5, 7), None, Decimal("2.00"), []),
    ]


def test_records_become_avro_and_come_back() -> None:
    made = convert(IonToAvro, TEXTS, **OPTIONS)
    records = list(fastavro.reader(io.BytesIO(made.content)))
    assert records[0] == {
        "id": 1,
        "paid": True,
        "day": date(2024, 5, 6),
        "at": datetime(2024, 5, 6, 7, 8, tzinfo=UTC),
        "price": Decimal("1.50"),
        "tags": ["a"],
    }
    assert convert(AvroToIon, made.content).rows[1] == {
        "id": 2,
        "paid": None,
        "day": "2024-05-07",
        "at": None,
        "price": 2.0,
        "tags": [],
    }
    typed = convert(AvroToIon, made.content, typed=True)
    assert "at:2024-05-06T07:08:00Z,price:1.50" in typed.text
    again = convert(IonToAvro, typed.content)
    assert next(fastavro.reader(io.BytesIO(again.content)))["price"] == Decimal("1.50")


def test_records_that_do_not_fit_are_named_or_left_out() -> None:
    bad = TEXTS + lines({"id": "three"})
    assert convert(IonToAvro, bad, **OPTIONS).error == (
        "record 3: `id` is no int: 'three' (set `onBadLines: WARN` or SKIP to leave such records out)"
    )
    assert convert(IonToAvro, bad, **OPTIONS, onBadLines="SKIP").result.outputs["size"] == 2
    strict = convert(IonToAvro, TEXTS.replace('"tags"', '"labels"'), **OPTIONS, strictSchema=True)
    assert "`labels` is not in the schema" in strict.error


def test_the_schema_of_records_is_found() -> None:
    made = convert(
        InferAvroSchemaFromIon, lines({"id": 1, "big": 2**40, "in": {"x": "a"}, "n": [1, 2.5]}, {"id": None})
    )
    schema = json.loads(made.text)
    kinds = {field["name"]: field["type"] for field in schema["fields"]}
    assert kinds["id"] == ["null", "int"]
    assert kinds["big"] == ["null", "long"]
    assert kinds["in"][1]["fields"][0]["type"] == ["null", "string"]
    assert kinds["n"] == ["null", {"type": "array", "items": ["null", "double"]}]
    assert fastavro.parse_schema(schema)


def test_texts_mean_null_and_true_where_asked_for() -> None:
    made = convert(IonToAvro, lines({"a": "yes", "b": "NA", "c": "x"}), inferAllFields=True)
    assert list(fastavro.reader(io.BytesIO(made.content))) == [{"a": True, "b": None, "c": "x"}]


def test_damaged_files_say_so() -> None:
    assert "the file is no Parquet" in convert(ParquetToIon, "abc").error
    assert "the file is no Parquet, or damaged" in convert(ParquetToIon, b"PAR1" + bytes(50)).error
    assert "the file is no Avro" in convert(AvroToIon, "abc").error

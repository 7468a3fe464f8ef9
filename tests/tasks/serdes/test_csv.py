"""CSV to records and back."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from nbflow.tasks.serdes.csv_files import CsvToIon, IonToCsv
from nbflow.tasks.serdes.rows import read_records, write_records
from nbflow.testing import run_task
from tests.tasks.serdes.conftest import convert, lines


def test_rows_become_maps_of_texts_by_the_header() -> None:
    made = convert(CsvToIon, '\ufeffid,name\n1,"Ada, Countess"\n2,\\N\n3,""\n')
    assert made.rows == [{"id": "1", "name": "Ada, Countess"}, {"id": "2", "name": None}, {"id": "3", "name": ""}]
    assert made.result.outputs["size"] == 3
    assert str(made.result.outputs["uri"]).endswith(".ion")


def test_without_a_header_rows_are_lists() -> None:
    assert convert(CsvToIon, "1;a\n2;b\n", header=False, fieldSeparator=";").rows == [["1", "a"], ["2", "b"]]


@pytest.mark.parametrize(
    ("content", "properties", "rows"),
    [
        ("a,b\r\n'x''y',2\r\n", {"textDelimiter": "'"}, [{"a": "x'y", "b": "2"}]),
        ("about\nand more\na,b\n1,2\n", {"skipRows": 2}, [{"a": "1", "b": "2"}]),
        ("a\n\n1\n\n", {"skipEmptyRows": True}, [{"a": "1"}]),
        ("a\n\n1\n", {}, [{"a": ""}, {"a": "1"}]),
        ("a,b\n1,2,3\n4,5\n", {"onBadLines": "SKIP"}, [{"a": "4", "b": "5"}]),
        ("a,b\n1,2,3\n4\n", {"errorOnDifferentFieldCount": False}, [{"a": "1", "b": "2"}, {"a": "4"}]),
        ("a,b,\n1,2,\n", {}, [{"a": "1", "b": "2"}]),
        ("a,,col_1\n1,2,3\n", {"onEmptyHeader": "RENAME"}, [{"a": "1", "col_1_2": "2", "col_1": "3"}]),
        ('a,b\n"x"y,2\n', {"allowExtraCharsAfterClosingQuote": True}, [{"a": "xy", "b": "2"}]),
        ("", {}, []),
    ],
)
def test_options_of_reading(content: str, properties: dict[str, object], rows: list[object]) -> None:
    assert convert(CsvToIon, content, **properties).rows == rows


def test_another_charset_is_read() -> None:
    assert convert(CsvToIon, "a\nü\n".encode("latin-1"), charset="ISO-8859-1").rows == [{"a": "ü"}]
    failed = convert(CsvToIon, "a\nü\n".encode("latin-1"))
    assert "the file is not encoded in UTF-8" in failed.error
    assert "(say how in `charset`)" in failed.error


def test_a_bad_row_fails_with_its_number_and_a_way_out() -> None:
    assert convert(CsvToIon, "a,b\n1,2\n3\n").error == (
        "row 3 has 1 fields, the header 2 (set `onBadLines: WARN` or SKIP to leave such records out)"
    )
    warned = convert(CsvToIon, 'a,b\n"1"x,2\n3,4\n', onBadLines="WARN")
    assert warned.rows == [{"a": "3", "b": "4"}]
    assert any("row 2 is no CSV" in message for message in warned.result.messages)


def test_records_become_rows() -> None:
    made = convert(
        IonToCsv, lines({"id": 1, "name": "Ada, Countess", "ok": True}, {"id": 2, "name": None, "ok": False})
    )
    assert made.text == 'id,name,ok\n1,"Ada, Countess",true\n2,,false\n'
    assert str(made.result.outputs["uri"]).endswith(".csv")


def test_numbers_stay_as_they_were_written() -> None:
    assert convert(IonToCsv, '{"price": 1.10, "big": 1e3}\n').text == "price,big\n1.10,1e3\n"


@pytest.mark.parametrize(
    ("properties", "text"),
    [
        ({"header": False}, "1.5,x\n"),
        ({"fieldSeparator": ";", "lineDelimiter": "\r\n"}, "n;t\r\n1.5;x\r\n"),
        ({"alwaysDelimitText": True}, '"n","t"\n"1.5","x"\n'),
        ({"quoteMode": "NON_NUMERIC", "textDelimiter": "'"}, "'n','t'\n1.5,'x'\n"),
    ],
)
def test_options_of_writing(properties: dict[str, object], text: str) -> None:
    assert convert(IonToCsv, lines({"n": 1.5, "t": "x"}), **properties).text == text


def test_records_of_other_columns_are_never_written_into_the_wrong_ones() -> None:
    assert convert(IonToCsv, lines({"a": 1, "b": 2}, {"b": 3, "a": 4}, {"b": 5})).text == "a,b\n1,2\n4,3\n,5\n"
    assert "record 2 has a column `c`" in convert(IonToCsv, lines({"a": 1}, {"a": 1, "c": 2})).error


def test_moments_of_ion_are_written_in_patterns() -> None:
    ion = "$ion_1_0\n{at: 2024-05-06T07:08:09.5Z, day: 2024-05-06, amount: 1.10, raw: {{ aGk= }}}\n"
    assert convert(IonToCsv, ion).text == "at,day,amount,raw\n2024-05-06T07:08:09.500Z,2024-05-06,1.10,aGk=\n"
    there = convert(
        IonToCsv, ion, dateTimeFormat="dd.MM.yyyy HH:mm", dateFormat="dd/MM/yy", timeZoneId="Europe/Paris", header=False
    )
    assert there.text == "06.05.2024 09:08,06/05/24,1.10,aGk=\n"


def test_a_large_file_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.ion"
    with source.open("w") as file:
        file.write("id,name,text\n")
        file.writelines(f"{number},name {number},{'x' * 200}\n" for number in range(40_000))
    task = CsvToIon(id="convert", from_="kestra:///x")
    run_task(task.model_copy(update={"from_": "{{ vars.files['in'] }}"}), files={"in": b"a\n1\n"})  # imports are made
    tracemalloc.start()
    try:
        with source.open(encoding="utf-8", newline="") as file:
            assert write_records(target, task._rows(None, file)) == 40_000  # type: ignore[arg-type]  # no bad rows
        assert sum(1 for _ in read_records(target)) == 40_000
        assert tracemalloc.get_traced_memory()[1] < 2_000_000 < source.stat().st_size
    finally:
        tracemalloc.stop()

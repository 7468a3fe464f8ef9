"""JSON, YAML, XML, Ion and Markdown."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from nbflow.tasks.compress.streams import Readable
from nbflow.tasks.serdes.json_files import IonToJson, JsonToIon, JsonToJsonl
from nbflow.tasks.serdes.json_stream import values
from nbflow.tasks.serdes.markdown import MarkdownToHtml, MarkdownToText
from nbflow.tasks.serdes.rows import typed_ion
from nbflow.tasks.serdes.xml_files import IonToXml, XmlToIon
from nbflow.tasks.serdes.yaml_files import IonToYaml, JsonToYaml, YamlToIon, YamlToJson
from tests.tasks.serdes.conftest import convert, lines


@pytest.mark.parametrize(
    ("content", "properties", "rows"),
    [
        ('{"a": 1}\n{"a": 2}\n', {}, [{"a": 1}, {"a": 2}]),
        ('{"a": 1},\n{"a": 2}\n', {}, [{"a": 1}, {"a": 2}]),
        ('[{"a": 1}, {"a": 2}]', {}, [{"a": 1}, {"a": 2}]),
        ('[\n  {"a": 1},\n  {"a": 2}\n]\n', {}, [{"a": 1}, {"a": 2}]),
        ('[\n  {"a": 1},\n  {"a": [2]}\n]\n', {"newLine": False}, [{"a": 1}, {"a": [2]}]),
        ('{\n  "a": 1\n}\n', {"newLine": False}, [{"a": 1}]),
    ],
)
def test_json_becomes_records(content: str, properties: dict[str, object], rows: list[object]) -> None:
    assert convert(JsonToIon, content, **properties).rows == rows


def test_a_line_that_is_no_json_is_named() -> None:
    assert "line 2 is no JSON: '{oops}'" in convert(JsonToIon, '{"a": 1}\n{oops}\n').error


class Dribble(io.BytesIO):
    """Gives a few bytes at a time."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(3)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("[]", []),
        ('[1.25, "zwölf", [3, [4]], {"a": {"b": null}}]', [1.25, "zwölf", [3, [4]], {"a": {"b": None}}]),
        ('{"a": 1} {"a": 12345}\n7', [{"a": 1}, {"a": 12345}, 7]),
        ("[1] [2,\n3]", [1, 2, 3]),
    ],
)
def test_values_come_one_by_one(text: str, found: list[object]) -> None:
    files: list[Readable] = [Dribble(text.encode()), io.BytesIO(text.encode())]
    assert [list(values(file)) for file in files] == [found, found]


def test_records_become_json() -> None:
    rows = lines({"a": 1}, {"a": "ü"})
    assert convert(IonToJson, rows).text == '{"a":1}\n{"a":"ü"}\n'
    assert json.loads(convert(IonToJson, rows, newLine=False).text) == [{"a": 1}, {"a": "ü"}]
    assert json.loads(convert(IonToJson, lines({"a": 1}), newLine=False).text) == {"a": 1}


def test_json_becomes_json_lines() -> None:
    made = convert(JsonToJsonl, '[{"a": 1},\n {"b": [2]}]')
    assert made.text == '{"a":1}\n{"b":[2]}\n'
    assert made.result.outputs["size"] == 2


def test_ion_is_read_and_written_with_its_types() -> None:
    ion = "{id: 1, name: \"Ada\", at: 2024-05-06T07:08:09Z, price: 1.10, tags: [a, 'b c'], none: null}\n{id: 2}\n"
    assert convert(IonToJson, ion).rows == [
        {
            "id": 1,
            "name": "Ada",
            "at": "2024-05-06T07:08:09+00:00",
            "price": 1.1,
            "tags": ["a", "b c"],
            "none": None,
        },
        {"id": 2},
    ]
    row = {"at": datetime(2024, 5, 6, tzinfo=UTC), "day": date(2024, 5, 6), "price": Decimal("1.10"), "a b": [True]}
    from amazon.ion import simpleion

    again = simpleion.loads(typed_ion(row))
    assert (again["at"].year, str(again["price"]), again["a b"][0]) == (2024, "1.10", True)
    assert convert(JsonToIon, '{"a": 1}\n', typed=True).text == "$ion_1_0\n{a:1}\n"


def test_binary_ion_is_read() -> None:
    from amazon.ion import simpleion

    assert convert(IonToJson, simpleion.dumps({"a": 1}, binary=True)).rows == [{"a": 1}]


def test_what_is_neither_json_nor_ion_says_so() -> None:
    assert "the file is neither JSON Lines nor Ion" in convert(IonToJson, "id;name\n1;{\n").error


def test_yaml_becomes_records_and_json() -> None:
    text = "a: 1\nb: [x, {y: 2024-01-01}]\n---\n- 1\n- two\n"
    first = {"a": 1, "b": ["x", {"y": "2024-01-01"}]}
    assert convert(YamlToIon, text).rows == [first, [1, "two"]]
    assert json.loads(convert(YamlToJson, text).text) == [first, [1, "two"]]
    assert convert(YamlToJson, text, jsonl=True).rows == [first, 1, "two"]
    assert "the file is no YAML: " in convert(YamlToIon, "a: [1").error


def test_records_and_json_become_yaml() -> None:
    assert convert(IonToYaml, lines({"b": 1, "a": ["ü"]}, {"b": 2})).text == "- b: 1\n  a:\n  - ü\n- b: 2\n"
    assert convert(JsonToYaml, '{"b": {"c": null}}').text == "b:\n  c: null\n"
    assert convert(JsonToYaml, lines({"a": 1}, {"a": 2}), jsonl=True).text == "- a: 1\n- a: 2\n"


BOOKS = """<?xml version="1.0" encoding="UTF-8"?>
<catalog xmlns="urn:x"><book id="1"><title>A &amp; B</title><tag>x</tag><tag>y</tag></book>
<book id="2"><title>C</title><tag>z</tag></book></catalog>"""


def test_xml_becomes_records() -> None:
    books = [{"id": 1, "title": "A & B", "tag": ["x", "y"]}, {"id": 2, "title": "C", "tag": "z"}]
    assert convert(XmlToIon, BOOKS).rows == books
    assert convert(XmlToIon, BOOKS, query="/catalog/book").rows == books
    assert convert(XmlToIon, BOOKS, query="/catalog/book/title").rows == ["A & B", "C"]
    assert convert(XmlToIon, BOOKS, query="//tag").rows == ["x", "y", "z"]
    forced = convert(XmlToIon, BOOKS, parserConfiguration={"forceList": ["tag"]})
    assert forced.rows[1] == {"id": 2, "title": "C", "tag": ["z"]}
    assert convert(XmlToIon, "<a><b>1.5</b>text</a>").rows == [{"a": {"b": 1.5, "content": "text"}}]


def test_xml_that_grows_without_end_is_refused() -> None:
    entities = "".join(f'<!ENTITY x{n} "{f"&x{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE a [<!ENTITY x0 "{"lol" * 10}">{entities}]><a>&x11;</a>'
    assert "the file is no XML" in convert(XmlToIon, bomb).error
    outside = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    assert "the file is no XML" in convert(XmlToIon, outside).error


def test_records_become_xml_and_come_back() -> None:
    rows = lines({"id": 1, "a b": "<&>", "tags": ["x", "y"], "in": {"none": None}}, {"id": 2})
    made = convert(IonToXml, rows, rootName="rows")
    assert "<item><id>1</id><a_b>&lt;&amp;&gt;</a_b><tags>x</tags><tags>y</tags>" in made.text
    assert convert(XmlToIon, made.text).rows == [
        {"id": 1, "a_b": "<&>", "tags": ["x", "y"], "in": {"none": ""}},
        {"id": 2},
    ]


def test_markdown_becomes_html_and_text() -> None:
    text = "# Title\n\nSome *words* and `code`.\n\n- one\n- two [link](https://x.org)\n"
    assert "<h1>Title</h1>\n<p>Some <em>words</em>" in convert(MarkdownToHtml, text).text
    assert convert(MarkdownToText, text).text == "Title\nSome words and code.\none\ntwo link\n"

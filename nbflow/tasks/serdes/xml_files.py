"""Task types that convert between XML and records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree as Tree
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, Model, RunContext, Text, task_type
from nbflow.tasks.serdes.conversion import ToIon, checked_charset
from nbflow.tasks.serdes.writing import TextWriter
from nbflow.types import JsonValue

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+([eE][+-]?[0-9]+)?")
_CONTENT = "content"
_NOT_A_NAME = re.compile(r"[^\w.-]+")


class ParserConfiguration(Model):
    """How XML is read."""

    force_list: Dynamic[list[Text]] = Field(
        default_factory=list, description="Elements that become lists, even when there is one of them."
    )


@task_type(
    "io.kestra.plugin.serdes.xml.XmlToIon",
    aliases=["xml_to_ion"],
    old_names=["io.kestra.plugin.serdes.xml.XmlReader"],
    examples=[
        Example(
            """
            - id: xml
              type: write_file
              content: |
                <orders>
                  <order><city>Oslo</city></order>
                  <order><city>Lima</city></order>
                </orders>
              extension: .xml
            - id: records
              type: io.kestra.plugin.serdes.xml.XmlToIon
              from: "{{ outputs.xml.uri }}"
            - id: show
              type: log
              message: "{{ read(outputs.records.uri) }}"
            """,
            title="A record from XML.",
        )
    ],
)
class XmlToIon(ToIon):
    """Convert XML into records: those that `query` names, else the list that the root holds, else the whole."""

    class Output(ToIon.Output):
        pass

    charset: Dynamic[Text] | None = Field(
        default=None, description="How the text is encoded; what the file itself says, unless given."
    )
    query: Dynamic[Text] | None = Field(
        default=None, description="Path of the elements to take one by one, such as `/catalog/book`."
    )
    parser_configuration: Dynamic[ParserConfiguration] | None = Field(default=None, description="How XML is read.")

    def records(self, ctx: RunContext, source: Path) -> Iterator[object]:
        parser = Tree.XMLParser(encoding=checked_charset(self.charset).removesuffix("-sig") if self.charset else None)
        force = frozenset(self.parser_configuration.force_list if self.parser_configuration else ())
        try:
            if self.query is not None:
                yield from _matching(source, parser, self.query, force)
                return
            root = Tree.parse(source, parser).getroot()  # expat refuses what grows, and fetches nothing
        except (Tree.ParseError, LookupError, ValueError) as wrong:
            raise TaskFailedError(f"the file is no XML: {wrong}") from wrong
        yield from _unwrapped(_name(root), _value(root, force))


def _matching(source: Path, parser: Tree.XMLParser, query: str, force: frozenset[str]) -> Iterator[object]:
    """The elements at a path, each forgotten once it has been taken."""
    wanted = [step for step in query.split("/") if step]
    start = -len(wanted) if query.startswith("//") else 0
    path: list[Tree.Element] = []
    matches = 0  # how many of those that are open are wanted
    for event, element in Tree.iterparse(source, ("start", "end"), parser):
        if event == "start":
            path.append(element)
        is_wanted = [_name(part) for part in path][start:] == wanted
        if event == "start":
            matches += is_wanted
            continue
        path.pop()
        if is_wanted:
            matches -= 1
            yield _value(element, force)
        if path and not matches:
            path[-1].remove(element)


def _unwrapped(name: str, value: JsonValue) -> Iterator[object]:
    """A list at the root, or in the one element that the root holds, gives its items."""
    inner = value
    if isinstance(value, dict) and len(value) == 1:
        inner = next(iter(value.values()))
    if isinstance(inner, list):
        yield from inner
    else:
        yield {name: value}


def _value(element: Tree.Element, force: frozenset[str]) -> JsonValue:
    """An element: a map of its attributes and elements, `content` its text; text alone where there is nothing else."""
    found: dict[str, JsonValue] = {_plain(name): _read(text) for name, text in element.attrib.items()}
    for child in element:
        name, value = _name(child), _value(child, force)
        there = found.get(name)
        if name in found:
            if isinstance(there, list):
                there.append(value)
            else:
                found[name] = [there, value]
        else:
            found[name] = [value] if name in force else value
    text = "".join([element.text or "", *(child.tail or "" for child in element)]).strip()
    if not found:
        return _read(text)
    if text:
        found[_CONTENT] = _read(text)
    return found


def _read(text: str) -> JsonValue:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    return {"true": True, "false": False, "null": None}.get(text, text)


def _name(element: Tree.Element) -> str:
    return _plain(str(element.tag))


def _plain(name: str) -> str:
    return name.rpartition("}")[2]


@task_type(
    "io.kestra.plugin.serdes.xml.IonToXml",
    aliases=["ion_to_xml"],
    old_names=["io.kestra.plugin.serdes.xml.XmlWriter"],
    examples=[
        Example(
            """
            - {id: csv, type: write_file, content: "city,orders\\nOslo,3\\nLima,12\\n", extension: .csv}
            - {id: records, type: csv_to_ion, from: "{{ outputs.csv.uri }}"}
            - id: xml
              type: io.kestra.plugin.serdes.xml.IonToXml
              from: "{{ outputs.records.uri }}"
              rootName: orders
            - id: show
              type: log
              message: "{{ read(outputs.xml.uri) }}"
            """,
            title="XML from records.",
        )
    ],
)
class IonToXml(TextWriter):
    """Convert records into XML: a root that holds an `item` for each."""

    class Output(TextWriter.Output):
        pass

    suffix = ".xml"

    charset: Dynamic[Text] = Field(default="UTF-8", description="How to encode the text.")
    root_name: Dynamic[Text] = Field(default="items", description="Name of the root.")

    def write(self, ctx: RunContext, records: Iterable[object], target: Path) -> int:
        charset = checked_charset(self.charset).replace("utf-8-sig", "utf-8")
        count = 0
        with target.open("wb") as file:
            xml = XMLGenerator(file, charset.upper(), short_empty_elements=True)
            xml.startDocument()
            xml.startElement(_element_name(self.root_name), AttributesImpl({}))
            for count, record in enumerate(records, 1):  # noqa: B007  # what it counted to is the outcome
                xml.ignorableWhitespace("\n  ")
                self._write(xml, "item", record)
            xml.ignorableWhitespace("\n")
            xml.endElement(_element_name(self.root_name))
            xml.endDocument()
        return count

    def _write(self, xml: XMLGenerator, name: str, value: object) -> None:
        if isinstance(value, list):
            for item in value:
                self._write(xml, name, item)
            return
        name = _element_name(name)
        xml.startElement(name, AttributesImpl({}))
        if isinstance(value, Mapping):
            for key, item in value.items():
                self._write(xml, str(key), item)
        else:
            xml.characters(_without_controls(self.text_of(value)))
        xml.endElement(name)


def _element_name(name: str) -> str:
    plain = _NOT_A_NAME.sub("_", name) or "_"
    return plain if plain[0].isalpha() or plain[0] == "_" else f"_{plain}"


def _without_controls(text: str) -> str:
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", text)

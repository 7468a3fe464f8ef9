"""Task types that convert between YAML and records, or JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import yaml
from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, Text, task_type
from nbflow.tasks.serdes.conversion import Conversion, FromIon, ToIon, checked_charset
from nbflow.tasks.serdes.json_files import write_whole
from nbflow.tasks.serdes.json_stream import values
from nbflow.tasks.serdes.rows import json_text
from nbflow.tasks.sql.values import json_value
from nbflow.tasks.stopping import Stop


@task_type(
    "io.kestra.plugin.serdes.yaml.YamlToIon",
    aliases=["yaml_to_ion"],
    examples=[
        Example(
            """
            - {id: text, type: write_file, content: "city: Oslo\\norders: 3\\n", extension: .yaml}
            - id: records
              type: io.kestra.plugin.serdes.yaml.YamlToIon
              from: "{{ outputs.text.uri }}"
            - id: show
              type: log
              message: "{{ read(outputs.records.uri) }}"
            """,
            title="A record from YAML.",
        )
    ],
)
class YamlToIon(ToIon):
    """Convert YAML into records: each document is one."""

    class Output(ToIon.Output):
        pass

    charset: Dynamic[Text] = Field(default="UTF-8", description="How the text is encoded.")

    def records(self, ctx: RunContext, source: Path) -> Iterator[object]:
        yield from _documents(source, self.charset)


@task_type(
    "io.kestra.plugin.serdes.yaml.IonToYaml",
    aliases=["ion_to_yaml"],
    examples=[
        Example(
            """
            - {id: csv, type: write_file, content: "city,orders\\nOslo,3\\nLima,12\\n", extension: .csv}
            - {id: records, type: csv_to_ion, from: "{{ outputs.csv.uri }}"}
            - id: text
              type: io.kestra.plugin.serdes.yaml.IonToYaml
              from: "{{ outputs.records.uri }}"
            - id: show
              type: log
              message: "{{ read(outputs.text.uri) }}"
            """,
            title="YAML from records.",
        )
    ],
)
class IonToYaml(FromIon):
    """Convert records into YAML: a list of all of them."""

    class Output(FromIon.Output):
        pass

    suffix = ".yaml"

    charset: Dynamic[Text] = Field(default="UTF-8", description="How to encode the text.")

    def write(self, ctx: RunContext, records: Iterable[object], target: Path) -> int:
        return _write_list(records, target, self.charset)


@task_type(
    "io.kestra.plugin.serdes.yaml.YamlToJson",
    aliases=["yaml_to_json"],
    examples=[
        Example(
            """
            - {id: text, type: write_file, content: "city: Oslo\\norders: 3\\n", extension: .yaml}
            - id: json
              type: io.kestra.plugin.serdes.yaml.YamlToJson
              from: "{{ outputs.text.uri }}"
            - id: show
              type: log
              message: "{{ read(outputs.json.uri) }}"
            """,
            title="JSON from YAML.",
        )
    ],
)
class YamlToJson(Conversion):
    """Convert YAML into JSON: one document by itself, several as an array."""

    class Output(Conversion.Output):
        pass

    charset: Dynamic[Text] = Field(default="UTF-8", description="How both texts are encoded.")
    jsonl: Dynamic[bool] = Field(
        default=False, description="Whether to write JSON Lines: one line a document, or an item of its list."
    )

    @property
    def suffix(self) -> str:  # type: ignore[override]  # it depends on what is asked for
        return ".jsonl" if self.jsonl else ".json"

    def convert(self, ctx: RunContext, source: Path, target: Path, stop: Stop) -> int:
        documents = stop.watch(_documents(source, self.charset))
        with target.open("w", encoding=_plain(self.charset), newline="\n") as file:
            if not self.jsonl:
                return write_whole(iter(documents), file)
            count = 0
            for document in documents:
                for item in document if isinstance(document, list) else [document]:
                    file.write(json_text(item) + "\n")
                    count += 1
            return count


@task_type(
    "io.kestra.plugin.serdes.yaml.JsonToYaml",
    aliases=["json_to_yaml"],
    examples=[
        Example(
            """
            - {id: json, type: write_file, content: '[{"city": "Oslo"}, {"city": "Lima"}]', extension: .json}
            - id: text
              type: io.kestra.plugin.serdes.yaml.JsonToYaml
              from: "{{ outputs.json.uri }}"
            - id: show
              type: log
              message: "{{ read(outputs.text.uri) }}"
            """,
            title="YAML from JSON.",
        )
    ],
)
class JsonToYaml(Conversion):
    """Convert JSON into YAML."""

    class Output(Conversion.Output):
        pass

    suffix = ".yaml"

    charset: Dynamic[Text] = Field(default="UTF-8", description="How both texts are encoded.")
    jsonl: Dynamic[bool] = Field(
        default=False, description="Whether it is JSON Lines; its records become the items of a list then."
    )

    def convert(self, ctx: RunContext, source: Path, target: Path, stop: Stop) -> int:
        with source.open("rb") as file:
            is_list = self.jsonl or file.read(1000).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"["
            file.seek(0)
            records = stop.watch(values(file, checked_charset(self.charset)))
            if is_list:
                return _write_list(records, target, self.charset)
            with target.open("w", encoding=_plain(self.charset), newline="\n") as text:
                whole = list(records)
                for value in whole:
                    _dump(value, text)
                return len(whole)


def _documents(source: Path, charset: str) -> Iterator[object]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with source.open(encoding=checked_charset(charset)) as file:
        try:
            yield from yaml.load_all(file, loader)
        except (yaml.YAMLError, UnicodeDecodeError) as wrong:
            raise TaskFailedError(f"the file is no YAML: {' '.join(str(wrong).split())}") from wrong


def _write_list(records: Iterable[object], target: Path, charset: str) -> int:
    count = 0
    with target.open("w", encoding=_plain(charset), newline="\n") as file:
        for record in records:
            _dump([record], file)
            count += 1
        if not count:
            file.write("[]\n")
    return count


def _dump(value: object, file: IO[str]) -> None:
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    yaml.dump(json_value(value), file, dumper, allow_unicode=True, sort_keys=False, default_flow_style=False)


def _plain(charset: str) -> str:
    return checked_charset(charset).replace("utf-8-sig", "utf-8")

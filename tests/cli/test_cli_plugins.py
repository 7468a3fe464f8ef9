"""`nbflow plugins`: types listed, explained, as schemas, as pages."""

from __future__ import annotations

from pathlib import Path

from tests.cli.cli_calls import Nbflow


def test_a_type_is_explained_with_its_defaults_examples_and_outputs(nbflow: Nbflow) -> None:
    explained = nbflow("plugins", "doc", "return").out
    assert "  format: Text to render. [text, dynamic]" in explained
    assert "outputs:\n  value: The rendered text. [text]" in explained
    assert "example: Make a value for later tasks\n\n  - id: name" in explained
    assert "beside these, those of every task: description, disabled, runIf" in explained
    answer = nbflow("plugins", "doc", "log", "-o", "json").json
    assert answer["properties"]["level"]["default"] == "INFO"
    assert answer["examples"][0]["title"] == "Write a line."


def test_a_schema_is_printed_of_one_type_or_of_flows(nbflow: Nbflow) -> None:
    assert "message" in nbflow("plugins", "schema", "log").json["properties"]["properties"]
    assert "tasks" in nbflow("plugins", "schema").json["properties"]


def test_pages_of_all_types_are_written_and_those_of_none_removed(nbflow: Nbflow, tmp_path: Path) -> None:
    stale = tmp_path / "pages" / "tasks" / "gone.md"
    stale.parent.mkdir(parents=True)
    stale.write_text("old")
    assert "pages are in" in nbflow("plugins", "doc", "--all", str(tmp_path / "pages")).out
    page = (tmp_path / "pages" / "tasks" / "io.kestra.plugin.core.log.Log.md").read_text()
    assert "- `message` (text or list of text, required, dynamic): " in page
    assert "- `level` (`TRACE` or `DEBUG` or `INFO` or `WARN` or `ERROR`, default `INFO`, dynamic): " in page
    assert "[those of every task](../every-task.md)" in page
    assert not stale.exists()
    readme = (tmp_path / "pages" / "README.md").read_text()
    assert "(tasks/io.kestra.plugin.core.log.Log.md) (`log`)" in readme


def test_doc_wants_a_type_or_a_folder(nbflow: Nbflow) -> None:
    refused = nbflow("plugins", "doc")
    assert (refused.status, "name a type, or a directory with --all" in refused.err) == (2, True)

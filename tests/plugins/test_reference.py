"""Every type is documented, its examples do what they say, and the pages in the notebooks are the present ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nbflow.model.example import Example
from nbflow.model.plugin import Plugin
from nbflow.plugins import registry
from nbflow.plugins.reference import KINDS, types_of
from nbflow.testing import run_example, undocumented

FOLDER = Path(__file__).parents[2] / "notebooks" / "reference"
TYPES = [cls for kind in KINDS for cls in types_of(kind) if cls.__module__.startswith("nbflow.")]
EXAMPLES = [(cls, example) for cls in TYPES for example in cls.examples]


def test_every_type_of_the_catalog_can_be_imported() -> None:
    """Otherwise it would be left out of all that follows."""
    for base in KINDS.values():
        for name in registry().names(base.plugin_kind):
            assert registry().find(base, name)


def test_every_type_says_what_it_is_for_and_shows_an_example() -> None:
    lacking = {cls.type_name: missing for cls in TYPES if (missing := undocumented(cls))}
    assert not lacking, "\n".join(f"{name} lacks {', '.join(missing)}" for name, missing in lacking.items())


@pytest.mark.parametrize(
    ("cls", "example"), EXAMPLES, ids=[f"{cls.type_name}-{example.title}" for cls, example in EXAMPLES]
)
def test_examples_do_what_they_say(cls: type[Plugin], example: Example) -> None:
    run_example(cls, example)


@pytest.mark.parametrize("cls", [cls for cls in TYPES if cls.examples], ids=lambda cls: cls.type_name)
def test_examples_show_their_type_and_differ_in_their_titles(cls: type[Plugin]) -> None:
    for example in cls.examples:
        assert any(name in example.yaml for name in (cls.type_name, *cls.aliases))
        assert not example.needs.endswith("."), "`needs` goes on a sentence"
    titles = {example.title for example in cls.examples}
    assert len(titles) == len(cls.examples)


def test_the_pages_in_the_notebooks_are_the_present_ones(tmp_path: Path) -> None:
    # In a process of its own: tests of other files register types, too.
    subprocess.run([sys.executable, "-m", "nbflow.cli.main", "plugins", "doc", "--all", tmp_path], check=True)
    pages = {path.relative_to(tmp_path).as_posix(): _read(path) for path in tmp_path.rglob("*.md")}
    stale = [name for name, page in pages.items() if _read(FOLDER / name) != page]
    left = {f"{path.parent.name}/{path.name}" for path in FOLDER.glob("*/*.md")} - pages.keys()
    assert not stale, f"write them again: nbflow plugins doc --all notebooks/reference ({', '.join(stale)})"
    assert not left, f"these are pages of no type: {', '.join(sorted(left))}"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""

"""Whole flows: the valid ones and those of the seeds load, the others are refused with the words beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbflow.errors import FlowValidationError
from nbflow.source import load_flow, read_document, render_problems, validate
from nbflow.source.writer import dump_flow

KNOWN = (
    "is an older name",
    "is an older spelling",
    "run as a Dag",
    "reads as a subtraction",
    "print as it is written",
    "no task `previous_task` in this flow",
)
"""How what there is to say of the seeds ends: they are excerpts, and written in spellings of several years."""

FLOWS = Path(__file__).parent.parent / "flows"


def paths(folder: str) -> list[Path]:
    found = sorted((FLOWS / folder).glob("*.yaml"))
    assert found
    return found


@pytest.mark.parametrize("path", paths("valid"), ids=lambda path: path.stem)
def test_valid_flows_load_without_a_word(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert render_problems(validate(text), text, path.name) == ""


@pytest.mark.parametrize("path", paths("seeds"), ids=lambda path: path.stem)
def test_flows_of_the_seeds_load(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    alarms = [problem for problem in validate(text) if problem.is_error or not problem.message.endswith(KNOWN)]
    assert render_problems(alarms, text, path.name) == ""
    assert load_flow(text).flow.id


@pytest.mark.parametrize("path", paths("invalid"), ids=lambda path: path.stem)
def test_invalid_flows_are_refused_in_these_words(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    expected = path.with_suffix(".txt").read_text(encoding="utf-8")
    with pytest.raises(FlowValidationError) as refused:
        load_flow(text)
    assert render_problems(refused.value.problems, text, path.name) + "\n" == expected


@pytest.mark.parametrize("path", [*paths("valid"), *paths("seeds")], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_is_written_again_is_the_same_flow(path: Path) -> None:
    values = read_document(path.read_text(encoding="utf-8")).value
    assert isinstance(values, dict)
    written = dump_flow(values)
    assert read_document(written).value == values
    assert [problem for problem in validate(written) if problem.is_error] == []

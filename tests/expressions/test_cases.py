"""Expressions come to what the real engine makes of them: the tables in `cases/` were recorded from it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from nbflow.errors import TemplateError
from nbflow.expressions import Environment

CASES = Path(__file__).parent / "cases"
TOPICS = (
    "absence",
    "attributes",
    "date_filters",
    "jq",
    "json",
    "lists_and_maps",
    "literals",
    "loops",
    "macros",
    "numbers",
    "operators",
    "rendering",
    "tags",
    "texts",
    "white_space",
    "yaml_and_ion",
)
VARIABLES = yaml.safe_load((CASES / "variables.yaml").read_text(encoding="utf-8"))
ENVIRONMENT = Environment()


def cases() -> Iterator[Any]:  # what a table holds is known to YAML alone
    for topic in TOPICS:
        for number, case in enumerate(yaml.safe_load((CASES / f"{topic}.yaml").read_text(encoding="utf-8"))):
            yield pytest.param(case, id=f"{topic}-{number}-{case['expression'][:60]}")


@pytest.fixture(autouse=True)
def utc_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


@pytest.mark.parametrize("case", list(cases()))
def test_expression_agrees_with_the_recorded_engine(case: dict[str, Any]) -> None:
    variables = case.get("variables", VARIABLES)
    before = copy.deepcopy(variables)
    if "error" in case:
        with pytest.raises(TemplateError):
            ENVIRONMENT.render(case["expression"], variables)
    else:
        assert ENVIRONMENT.render(case["expression"], variables) == case["expected"]
    assert variables == before, "a rendering must not change what its caller owns"

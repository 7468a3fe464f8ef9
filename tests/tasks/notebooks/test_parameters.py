"""What a parameters cell declares becomes inputs of a flow, and given values are read as it says."""

from __future__ import annotations

from typing import Any

import pytest

from nbflow.errors import TaskFailedError
from nbflow.source.loader import load_flow
from nbflow.tasks.notebooks.loading import from_percent, read_notebook
from nbflow.tasks.notebooks.parameters import assignments, checked, declared_in, inject, inputs_of


def notebook(source: str) -> dict[str, Any]:
    return from_percent(f'# %% tags=["parameters"]\n{source}\n# %%\nprint(1)')


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("n = 3  # How many", {"id": "n", "type": "INT", "description": "How many", "defaults": 3}),
        ("n: int", {"id": "n", "type": "INT"}),
        ("n: int | None = None", {"id": "n", "type": "INT", "required": False}),
        ("n: Optional[float] = 0.5", {"id": "n", "type": "FLOAT", "defaults": 0.5}),
        ("name = None", {"id": "name", "type": "STRING", "required": False}),
        ("day: datetime.date = datetime.date.today()", {"id": "day", "type": "DATE", "required": False}),
        ("at: 'datetime' = None", {"id": "at", "type": "DATETIME", "required": False}),
        ("on = True", {"id": "on", "type": "BOOLEAN", "defaults": True}),
        ("names: list[str] = ['a']", {"id": "names", "type": "ARRAY", "itemType": "STRING", "defaults": ["a"]}),
        ("rows = [1, {'a': 2}]", {"id": "rows", "type": "JSON", "defaults": [1, {"a": 2}]}),
        ("rows = {}  # type: dict", {"id": "rows", "type": "JSON", "defaults": {}}),
        (
            "mode: Literal['fast', 'full'] = 'fast'",
            {"id": "mode", "type": "SELECT", "values": ["fast", "full"], "defaults": "fast"},
        ),
        ("path: Path = Path('x.csv')", {"id": "path", "type": "STRING", "required": False}),
    ],
)
def test_a_declaration_becomes_an_input(source: str, expected: dict[str, Any]) -> None:
    assert inputs_of(notebook(source)) == [expected]


def test_the_inputs_make_a_flow() -> None:
    inputs = inputs_of(notebook("n = 1\nnames: list[int] = [1]\nmode: Literal['a'] = 'a'\nrows = {'a': 1}\nx: str"))
    flow = load_flow(
        f"id: f\nnamespace: n\ninputs: {inputs}\ntasks: [{{id: t, type: log, message: m}}]".replace("'", '"')
    )
    assert [declared.id for declared in flow.flow.inputs] == ["n", "names", "mode", "rows", "x"]


def test_magics_and_other_lines_are_passed_over() -> None:
    assert [each.name for each in declared_in(notebook("%load_ext nbflow\nimport os\nn = 1\nos.x = 2"))] == ["n"]


def test_nothing_is_declared_without_the_tag_or_with_a_broken_cell() -> None:
    assert inputs_of(from_percent("n = 1")) == []
    assert inputs_of(notebook("n = (")) == []


@pytest.mark.parametrize(
    ("source", "given", "read"),
    [
        ("n: int = 1", "2", 2),
        ("n: float = 1", 2, 2.0),
        ("n: bool = False", "true", True),
        ("n = 1", 2.5, 2.5),
        ("n = 1", "2", 2),
        ("n = 1", "many", "many"),
        ("n: str = ''", 5, "5"),
        ("n: list[int] = []", '["1", 2]', [1, 2]),
        ("n: dict = {}", '{"a": 1}', {"a": 1}),
        ("n: Literal[1, 2] = 1", "2", 2),
    ],
)
def test_a_value_is_read_as_it_was_declared(source: str, given: Any, read: Any) -> None:
    assert checked(notebook(source), {"n": given}) == ({"n": read}, [])


@pytest.mark.parametrize(
    ("source", "given", "message"),
    [
        ("n: int = 1", {"n": "x"}, "`n` must be an integer, got 'x'"),
        ("mode: Literal['a', 'b'] = 'a'", {"mode": "c"}, "`mode` must be one of a, b, got 'c'"),
        ("name: str", {}, "`name` is required, and no value is given"),
        ("rows = 1", {"row": 1}, "the notebook has no parameter `row`: did you mean `rows`?"),
        ("n = 1", {"a b": 1}, "`a b` is no name"),
    ],
)
def test_a_value_that_does_not_fit_is_told(source: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(TaskFailedError) as error:
        checked(notebook(source), given)
    assert error.value.message == f"the parameters do not fit the notebook: {message}"


def test_null_leaves_the_default_of_the_notebook() -> None:
    assert checked(notebook("n: int = 1\nm: int | None = 1"), {"n": None, "m": None}) == ({"m": None}, [])


def test_a_name_that_is_not_declared_is_set_with_a_warning() -> None:
    values, odd = checked(notebook("n = 1"), {"other": 2})
    assert values == {"other": 2}
    assert odd == ["the notebook declares no parameter `other`; it is set all the same"]


def test_values_are_put_behind_the_parameters_in_place_of_earlier_ones() -> None:
    target = notebook("n = 1")
    for value in (2, 3):
        inject(target, {"n": value}, ["token"], "python3", "python")
    assert [cell["source"] for cell in target["cells"]] == [
        "n = 1",
        "# Parameters\nn = 3\n# token: a secret, set in the memory of the kernel alone",
        "print(1)",
    ]


def test_values_are_written_in_the_language_of_the_kernel() -> None:
    assert assignments(notebook("x = 1"), {"a": [True, None, float("inf")]}, "python3", "python").splitlines()[1:] == [
        "a = [True, None, float('inf')]"
    ]
    assert "a = TRUE" in assignments(notebook("x = 1"), {"a": True}, "ir", "r")


def test_notebooks_of_older_formats_are_read() -> None:
    old = (
        '{"nbformat": 4, "nbformat_minor": 2, "metadata": {}, "cells": [{"cell_type": "code", "source": ["a\\n", "b"], '
    )
    old += '"metadata": {}, "outputs": [], "execution_count": null}]}'
    [cell] = read_notebook(old)["cells"]
    assert cell["source"] == "a\nb"
    assert cell["id"]


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', '{"cells": 3}'])
def test_what_is_no_notebook_is_told(text: str) -> None:
    with pytest.raises(TaskFailedError, match="`report` is no notebook"):
        read_notebook(text, "report")


def test_the_percent_format_has_titles_tags_and_markdown() -> None:
    cells = from_percent('x = 1\n# %% [markdown]\n# # Head\n# text\n# %% Load data tags=["a"]\ny = 2')["cells"]
    assert [(cell["cell_type"], cell["source"]) for cell in cells] == [
        ("code", "x = 1"),
        ("markdown", "# Head\ntext"),
        ("code", "y = 2"),
    ]
    assert cells[2]["metadata"] == {"tags": ["a"], "name": "Load data"}

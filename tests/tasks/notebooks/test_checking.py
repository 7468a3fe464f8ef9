"""What would go wrong with a notebook that runs by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbflow.tasks.notebooks.checking import Check, check_notebook
from nbflow.tasks.notebooks.loading import Notebook, read_notebook
from nbflow.types import JsonValue


def notebook(*sources: str, tags: tuple[str, ...] = (), counts: tuple[int, ...] = ()) -> Notebook:
    import json

    cells: list[JsonValue] = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "source": source,
            "outputs": [],
            "execution_count": counts[number] if counts else None,
            "metadata": {"tags": list(tags) if number == 0 else []},
        }
        for number, source in enumerate(sources)
    ]
    return read_notebook(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


def check(*sources: str, directory: Path = Path("missing"), **more: object) -> Check:
    return check_notebook(notebook(*sources, **more), directory)  # type: ignore[arg-type]


def said(found: Check) -> list[str]:
    return [str(finding) for finding in found.findings]


def test_a_clean_notebook_has_nothing_to_say() -> None:
    assert said(check("import json\nn = 3", "def f(x):\n    return x + n", "print(json.dumps(f(2)))")) == []


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (("print(x)", "x = 1"), "cell 1, line 1: `x` is used here and defined in cell 2, which comes after; move it"),
        (("total = 1\nprint(totl)",), "cell 1, line 2: `totl` is used and defined nowhere; did you mean `total`?"),
        (("x = 1\ndel x", "x + 1"), "cell 2, line 1: `x` is used and defined nowhere; the cell that defined it is"),
        (("n = n + 1",), "cell 1, line 1: `n` is used and defined nowhere; the cell that defined it is gone"),
        (("x = 1", "def f(:\n"), "cell 2, line 1: it is no Python"),
        (("%time y = z",), "cell 1, line 1: `z` is used and defined nowhere"),
    ],
)
def test_hidden_state_is_found(sources: tuple[str, ...], expected: str) -> None:
    found = check(*sources)
    assert len(found.errors) == 1, said(found)
    assert str(found.errors[0]).startswith(expected.replace("move it", "move that cell up"))


@pytest.mark.parametrize(
    "sources",
    [
        ("def f():\n    return later", "later = 1", "f()"),
        ("for i in range(3):\n    pass\nprint(i)",),
        ("try:\n    n\nexcept NameError:\n    n = 1\nprint(display)",),
        ("from os.path import *", "join('a', 'b')"),
        ("%%bash\necho $undefined", "%matplotlib inline"),
        ("%flow new etl rows=4 day:DATE=2024-01-01", "print(rows, day)"),
        ("%flow run --to ex", "ex.wait()"),
        ("%%flow --run --to ex\nid: a", "ex.wait()"),
        ("%%task totals --type sql\nSELECT 1 AS x", "totals"),
        ("%%task t --type sql --out sums\nSELECT 1 AS x", "sums"),
        ("[x for x in range(3)]\n(lambda y: y)(1)",),
    ],
)
def test_what_works_in_a_clean_kernel_is_no_hidden_state(sources: tuple[str, ...]) -> None:
    assert [finding for finding in check(*sources).errors if "used" in finding.message] == []


def test_parameters_are_defined() -> None:
    assert said(check("n: int", "print(n)", tags=("parameters",))) == []


def test_cells_that_were_run_out_of_order_are_warned_of() -> None:
    found = check("a = 1", "b = 2", "c = 3", counts=(4, 2, 5))
    assert said(found)[0].startswith("cell 2: it was run as [2], before the cell above it, [4]")
    assert found.errors == []


def test_missing_packages_are_found_unless_the_notebook_copes(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("")
    source = "import json, mine\ntry:\n    import nowhere_one\nexcept ImportError:\n    pass\nfrom nowhere_two import x"
    found = check(source, directory=tmp_path)
    assert said(found) == [
        "cell 1, line 6: there is no package `nowhere_two` here; "
        "install it, or run the notebook with `dependencies: [nowhere_two]`"
    ]


def test_files_that_nobody_hands_over_are_found(tmp_path: Path) -> None:
    (tmp_path / "here.csv").write_text("a\n1\n")
    source = """
df = pd.read_csv("here.csv")
df.to_parquet("made.parquet")
pd.read_parquet("made.parquet")
open("notes.txt", "w").write("x")
open("notes.txt").read()
pd.read_csv("gone.csv")
Path("also_gone.json").read_text()
pd.read_csv("/data/big.csv")
pd.read_csv("https://example.com/a.csv")
"""
    found = check("import pandas as pd\nfrom pathlib import Path", source, directory=tmp_path)
    assert found.needs == ["here.csv"]
    assert [(finding.line, finding.is_error) for finding in found.findings if finding.kind == "file"] == [
        (2, False), (7, True), (8, True), (9, False),
    ]  # fmt: skip
    given = check_notebook(notebook("open('gone.csv')"), tmp_path, declared=["gone.csv"])
    assert said(given) == []


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("key = 'AKIAIOSFODNN7EXAMPLE'", "a key of AWS"),
        ("url = 'postgresql://app:hunter22@db/shop'", "a password in an address"),
        ("db_password = 'hunter22'", "the value of `db_password`"),
        ("connect(api_key='a8f5f167f44f4964e6c998dee827110c')", "the value of `api_key`"),
        ("{'token': 'a8f5f167f44f4964'}", "the value of `token`"),
        ("-----BEGIN RSA PRIVATE KEY-----", "a private key"),
    ],
)
def test_secrets_are_found_and_not_repeated(line: str, what: str) -> None:
    found = [finding for finding in check(f"# a comment\n{line}").findings if finding.kind == "secret"]
    assert [(finding.line, finding.message) for finding in found] == [(2, f"{what} stands in the source")]
    assert not any(value in str(found) for value in ("hunter22", "AKIA", "a8f5f167"))


@pytest.mark.parametrize(
    "line",
    [
        "password = os.environ['PASSWORD']",
        "token = '{{ secret(\"TOKEN\") }}'",
        "api_key = 'your-api-key'",
        "password = '********'",
        "url = 'postgresql://localhost/shop'",
        "tokens = tokenize('some words')",
    ],
)
def test_what_is_no_secret_is_left_alone(line: str) -> None:
    assert [finding for finding in check(line).findings if finding.kind == "secret"] == []

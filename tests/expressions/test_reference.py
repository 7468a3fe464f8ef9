"""Every filter, function and test is documented, and its example comes to what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbflow.expressions import Environment

ENVIRONMENT = Environment()
_EXAMPLE = re.compile(r"Example: `(?P<text>.+?)`(?: gives `(?P<expected>.*?)`| gives [^`]|$)", re.MULTILINE)

FILTERS = [
    "abbreviate",
    "abs",
    "base64decode",
    "base64encode",
    "capitalize",
    "chunk",
    "className",
    "date",
    "dateAdd",
    "default",
    "endsWith",
    "escapeChar",
    "first",
    "flatten",
    "indent",
    "join",
    "jq",
    "json",
    "keys",
    "last",
    "length",
    "lower",
    "md5",
    "merge",
    "nindent",
    "number",
    "numberFormat",
    "replace",
    "reverse",
    "rsort",
    "sha1",
    "sha256",
    "sha512",
    "slice",
    "slugify",
    "sort",
    "split",
    "startsWith",
    "substringAfter",
    "substringAfterLast",
    "substringBefore",
    "substringBeforeLast",
    "timestamp",
    "timestampMicro",
    "timestampNano",
    "title",
    "toIon",
    "toJson",
    "trim",
    "upper",
    "urldecode",
    "urlencode",
    "values",
    "yaml",
    "distinct",
    "string",
    "timestampMilli",
    "isIn",
    "int",
    "float",
]
FUNCTIONS = [
    "currentEachOutput",
    "decrypt",
    "encrypt",
    "errorLogs",
    "fetchContext",
    "fileSize",
    "fileURI",
    "fromIon",
    "fromJson",
    "id",
    "json",
    "kv",
    "max",
    "min",
    "now",
    "printContext",
    "randomInt",
    "range",
    "read",
    "render",
    "renderOnce",
    "secret",
    "uuid",
    "yaml",
    "randomPort",
    "fileExists",
    "fileEmpty",
    "isFileEmpty",
    "http",
    "tasksWithState",
    "dayOfWeek",
    "dayOfMonth",
    "monthOfYear",
    "hourOfDay",
    "isWeekend",
    "isPublicHoliday",
    "isDayWeekInMonth",
    "ksuid",
    "nanoId",
    "iterationOutput",
    "parentOutput",
]
TESTS = ["defined", "null", "empty", "even", "odd", "iterable", "map", "json"]


def documented() -> Iterator[tuple[str, str, str]]:
    for kind, table in (
        ("filter", ENVIRONMENT.filters),
        ("function", ENVIRONMENT.functions),
        ("test", ENVIRONMENT.tests),
    ):
        for name, function in table.items():
            yield kind, name, function.__doc__ or ""


def test_all_names_of_the_language_are_there_and_no_others() -> None:
    assert sorted(ENVIRONMENT.filters) == sorted(FILTERS)
    assert sorted(ENVIRONMENT.functions) == sorted(FUNCTIONS)
    assert sorted(ENVIRONMENT.tests) == sorted(TESTS)


@pytest.mark.parametrize(("kind", "name", "doc"), list(documented()))
def test_docs_have_a_first_line_and_an_example_that_holds(kind: str, name: str, doc: str) -> None:
    first = doc.strip().splitlines()[0]
    assert first.endswith((".", ":")) or ":" in first, "the first line says what it does"
    example = _EXAMPLE.search(doc)
    assert example is not None, "an example follows"
    assert name in example["text"]
    ENVIRONMENT.parse(example["text"])
    if example["expected"] is not None:
        assert ENVIRONMENT.render(example["text"], {}) == example["expected"]


def test_the_page_in_the_notebooks_is_the_present_one() -> None:
    page = Path(__file__).parents[2] / "notebooks" / "reference" / "expressions.md"
    assert page.read_text(encoding="utf-8") == ENVIRONMENT.reference_page(), (
        "write it again: nbflow expressions --page > notebooks/reference/expressions.md"
    )


def test_an_entry_tells_how_it_is_written_and_what_it_does() -> None:
    entries = {(entry.kind, entry.name): entry for entry in ENVIRONMENT.reference()}
    assert entries["filter", "chunk"].usage == "value | chunk(size)"
    assert entries["filter", "upper"].usage == "value | upper"
    assert entries["function", "max"].usage == "max(…)"
    assert entries["function", "iterationOutput"].usage == "iterationOutput([outputs], [iteration])"
    assert entries["test", "even"].usage == "value is even"
    assert entries["filter", "base64decode"].text.endswith("{{ 'aGVsbG8=' | base64decode }}   gives hello")

"""Any text gives a text or a `TemplateError`, and nothing else, however odd it is."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbflow.errors import Location, TemplateError
from nbflow.expressions import Environment, Limits

ENVIRONMENT = Environment(Limits(loop_rounds=2000, text_size=100_000, list_size=10_000, seconds=2))
VARIABLES = {"s": "text", "n": 5, "l": [3, 1, 2], "m": {"a": 1, "b": None}, "f": 2.5, "t": True, "nul": None}

PIECES = st.sampled_from(
    [
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "{{-",
        "-}}",
        "if",
        "else",
        "elseif",
        "endif",
        "for",
        "in",
        "endfor",
        "set",
        "macro",
        "endmacro",
        "block",
        "endblock",
        "filter",
        "endfilter",
        "verbatim",
        "endverbatim",
        "raw",
        "endraw",
        "s",
        "n",
        "l",
        "m",
        "f",
        "t",
        "nul",
        "nope",
        "null",
        "true",
        "1",
        "2.5",
        "0",
        "'a'",
        '"b#{n}"',
        '"x"',
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        ".",
        "..",
        "|",
        "~",
        "+",
        "-",
        "*",
        "/",
        "%",
        "==",
        "!=",
        "<",
        ">",
        "and",
        "or",
        "not",
        "is",
        "contains",
        "??",
        "???",
        "?",
        "=",
        "upper",
        "first",
        "sort",
        "replace",
        "date",
        "slice",
        "join",
        "jq",
        "yaml",
        "number",
        "default",
        "range",
        "render",
        "now",
        "json",
        "toJson",
        "split",
        "abs",
        "chunk",
        "merge",
        "numberFormat",
        "'yyyy'",
        "{'a':'b'}",
        "[1,2]",
        "a",
        "b",
        "x()",
        "loop",
        ".",
        "..",
    ]
)
TEMPLATES = st.lists(PIECES, max_size=14).map(" ".join)
EXPRESSIONS = st.lists(PIECES, max_size=10).map(lambda parts: "{{ " + " ".join(parts) + " }}")
FILTERS = st.sampled_from(sorted(ENVIRONMENT.filters))
VALUES = st.sampled_from(
    [
        "s",
        "n",
        "l",
        "m",
        "f",
        "t",
        "nul",
        "''",
        "[]",
        "{}",
        "-1",
        "1.5",
        "'2024-01-31'",
        "'a,b'",
        "[[1],[2]]",
        "'(['",
        "'%'",
    ]
)
APPLIED = st.builds(
    lambda value, names, arguments: (
        "{{ " + value + "".join(f" | {name}({', '.join(arguments)})" for name in names) + " }}"
    ),
    VALUES,
    st.lists(FILTERS, min_size=1, max_size=2),
    st.lists(VALUES, max_size=3),
)
QUIET = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def check(text: str) -> None:
    place = None
    try:
        assert type(ENVIRONMENT.render(text, VARIABLES)) is str
    except TemplateError as error:
        place = error.where or Location()
    assert place is None or (place.line >= 1 and place.column >= 1), text


@QUIET
@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    check(text)
    check("{{" + text + "}}")


@QUIET
@given(TEMPLATES)
def test_any_row_of_tokens(text: str) -> None:
    check(text)


@QUIET
@given(EXPRESSIONS)
def test_any_expression(text: str) -> None:
    check(text)


@QUIET
@given(APPLIED)
def test_any_filter_on_any_value(text: str) -> None:
    check(text)


@QUIET
@given(st.sampled_from(sorted(ENVIRONMENT.functions)), st.lists(VALUES, max_size=4))
def test_any_function_on_any_values(name: str, arguments: list[str]) -> None:
    check(f"{{{{ {name}({', '.join(arguments)}) }}}}")


@QUIET
@given(st.text(alphabet="yMdHhmsSaEeGuQqLDwWYkKnNAXxZzVOBFpcvg[]'- :/T#", max_size=12))
def test_any_date_pattern(pattern: str) -> None:
    quoted = pattern.replace("\\", "").replace('"', "")
    check(f'{{{{ "2024-03-15T10:30:45Z" | date("{quoted}", "UTC") }}}}')
    check(f'{{{{ "2024-03-15 10:30" | date("iso", "UTC", "{quoted}") }}}}')


@QUIET
@given(st.text(alphabet="abc()[]{}|*+?.^$\\dwsQE<>=!:-&1,0", max_size=12))
def test_any_regular_expression(pattern: str) -> None:
    quoted = pattern.replace("'", "")
    check(f"{{{{ 'aaa bbb' | replace({{'{quoted} ': '$1'}}, regexp=true) }}}}")
    check(f"{{{{ 'aaa bbb' | split('{quoted} ') | length }}}}")

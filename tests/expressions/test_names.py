"""What a text reads and calls is found without running it."""

from __future__ import annotations

import pytest

from nbflow.errors import TemplateSyntaxError
from nbflow.expressions import Environment

ENVIRONMENT = Environment()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", []),
        ("{{ a }}", [(("a",), False)]),
        ("{{ outputs.a['b-c'].d }}", [(("outputs", "a", "b-c", "d"), False)]),
        ("{{ outputs.l[0].x }}", [(("outputs", "l", "0", "x"), False)]),
        ("{{ outputs[task].x }}", [(("task",), False), (("outputs",), False)]),
        ("{{ a.b ?? c.d }}", [(("a", "b"), True), (("c", "d"), False)]),
        ("{{ a.b ??? c }}", [(("a", "b"), True), (("c",), False)]),
        ("{{ a | default(b) }}", [(("a",), True), (("b",), False)]),
        ("{{ a.b is defined ? a.b : '' }}", [(("a", "b"), True), (("a", "b"), True)]),
        (
            "{% for x in inputs.l %}{{ x.y }}{{ loop.index }}{{ z }}{% endfor %}",
            [(("inputs", "l"), False), (("z",), False)],
        ),
        ("{% set q = a %}{{ q }}", [(("a",), False)]),
        ("{{ q }}{% set q = a %}", [(("q",), False), (("a",), False)]),
        ("{% macro m(p) %}{{ p }}{% endmacro %}{{ m(a) }}", [(("a",), False)]),
        ("{{ s.toUpperCase() }}", [(("s",), False)]),
        ('{{ "#{a.b} text" }}', [(("a", "b"), False)]),
        ("{{ {k: v} }}", [(("k",), False), (("v",), False)]),
        ("{% raw %}{{ a }}{% endraw %}{# {{ b }} #}{% verbatim %}{{ c }}{% endverbatim %}", []),
    ],
)
def test_references(text: str, expected: list[tuple[tuple[str, ...], bool]]) -> None:
    found = ENVIRONMENT.inspect(text).references
    assert [(reference.path, reference.is_guarded) for reference in found] == expected


def test_references_tell_their_place() -> None:
    (first, second) = ENVIRONMENT.inspect("a\n  {{ x }} {{ y.z }}").references
    assert (first.line, first.column, second.line, second.column) == (2, 6, 2, 14)


def test_calls_are_found_in_the_order_of_the_text() -> None:
    text = "{{ now() | date('yyyy') is empty }}{% filter upper | trim %}{% endfilter %}{{ nosuch() }}"
    found = [(call.kind, call.name, call.column) for call in ENVIRONMENT.inspect(text).calls]
    assert found == [
        ("function", "now", 4),
        ("filter", "date", 12),
        ("test", "empty", 28),
        ("filter", "upper", 46),
        ("filter", "trim", 54),
        ("function", "nosuch", 79),
    ]


def test_macros_of_the_template_are_no_calls() -> None:
    text = "{% macro m() %}{% endmacro %}{{ m() }}{% block b %}{% endblock %}{{ block('b') }}"
    assert ENVIRONMENT.inspect(text).calls == ()


def test_wrong_syntax_is_an_error() -> None:
    with pytest.raises(TemplateSyntaxError):
        ENVIRONMENT.inspect("{{ a")

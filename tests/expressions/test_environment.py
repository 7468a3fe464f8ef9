"""The environment: what it renders, how its errors read, what it refuses."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections import ChainMap
from collections.abc import Iterator, Mapping

import pytest

from nbflow.errors import TemplateError, TemplateSyntaxError, UndefinedNameError, UnsafeTemplateError
from nbflow.expressions import AuthorText, Environment, Limits, NoServices, default_environment, has_expression, render

ENVIRONMENT = Environment()


class Services(NoServices):
    """Services with one secret and one file."""

    def secret(self, key: str, namespace: str | None = None, subkey: str | None = None) -> str:
        return f"secret of {key}"

    def read_file(self, uri: str) -> str:
        return "{{ n }} stays"


class Lazy(Mapping[str, object]):
    """Variables that are computed when they are asked for, and note which were."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getitem__(self, name: str) -> object:
        if name not in ("a", "b"):
            raise KeyError(name)
        self.asked.append(name)
        return {"value": name}

    def __iter__(self) -> Iterator[str]:
        return iter(("a", "b"))

    def __len__(self) -> int:
        return 2


def test_has_expression_sees_prints_tags_and_comments() -> None:
    assert [has_expression(text) for text in ("a", "{a}", "{{ a }}", "{% if %}", "{# c #}")] == [
        False,
        False,
        True,
        True,
        True,
    ]


def test_render_value_goes_deep_and_renders_keys() -> None:
    value = {"{{ k }}": ["{{ n + 1 }}", 3, None, ("x{{ n }}",)], "plain": True}
    assert ENVIRONMENT.render_value(value, {"k": "key", "n": 4}) == {"key": ["5", 3, None, ["x4"]], "plain": True}


def test_typed_rendering_keeps_the_value_of_a_single_print() -> None:
    variables = {"l": [1, 2], "n": 4}
    assert ENVIRONMENT.render_typed("{{ l }}", variables) == [1, 2]
    assert ENVIRONMENT.render_typed("{{ n }}", variables) == 4
    assert ENVIRONMENT.render_typed("{{ n }} ", variables) == "4 "
    assert ENVIRONMENT.render_value_typed({"a": ["{{ n }}", "x{{ n }}"]}, variables) == {"a": [4, "x4"]}


def test_typed_characters_and_macro_results_are_plain_text() -> None:
    for text in ("{{ 'abc' | first }}", "{{ 'a' ~ 'b' }}"):
        assert type(ENVIRONMENT.render_typed(text, {})) is str


def test_any_mapping_serves_as_variables_and_only_what_is_read_is_computed() -> None:
    lazy = Lazy()
    assert ENVIRONMENT.render("{{ a.value }}", lazy) == "a"
    assert lazy.asked == ["a"]
    assert ENVIRONMENT.render("{{ outputs.b.value }}", {"outputs": lazy}) == "b"
    assert ENVIRONMENT.render("{{ x }}{{ y }}", ChainMap({"x": 1}, {"y": 2})) == "12"


def test_sequences_other_than_lists_are_lists() -> None:
    assert ENVIRONMENT.render("{{ t }} {{ t[1] }} {{ t | join('-') }} {{ t is iterable }}", {"t": (1, 2)}) == (
        "[1,2] 2 1-2 true"
    )


def test_an_undefined_name_is_told_with_its_path_place_and_nearest() -> None:
    with pytest.raises(UndefinedNameError) as caught:
        ENVIRONMENT.render("line one\n  {{ outputs.extrat.uri }}", {"outputs": {"extract": {"uri": "x"}}})
    error = caught.value
    assert error.message == (
        "Unable to find `outputs.extrat` used in the expression `line one\n  {{ outputs.extrat.uri }}` at line 2"
    )
    assert error.hint == "did you mean `extract`?"
    assert error.where is not None
    assert (error.where.line, error.where.column) == (2, 14)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "hint"),
    [
        ("{{ a", 1, 1, "this `{{` is never closed", "close it with `}}`"),
        ("x\n{{ 1 + }}", 2, 7, "expected a value, found }}", ""),
        ("{% elif a %}", 1, 4, "there is no tag `elif`", "write `elseif`"),
        ("{% if a %}x", 1, 4, "this `if` is never closed", "close it with `endif`"),
        ("{{ a && b }}", 1, 6, "unexpected character `&`", "write `and`"),
        ("{{ (a }}", 1, 4, "this `(` is never closed", ""),
        ("{{ 1 in b }}", 1, 6, "expected `}}`, found `in`", "write `contains`"),
        ("{% include 'a' %}", 1, 4, "the tag `include` is not supported", ""),
    ],
)
def test_syntax_errors_have_an_address_and_a_mend(text: str, line: int, column: int, message: str, hint: str) -> None:
    with pytest.raises(TemplateSyntaxError) as caught:
        ENVIRONMENT.parse(text)
    error = caught.value
    assert error.where is not None
    assert (error.where.line, error.where.column, error.message, error.hint) == (line, column, message, hint)


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("{{ 'a' | uper }}", 10, "there is no filter `uper`", "did you mean `upper`?"),
        ("{{ nw() }}", 4, "there is no function `nw`", "did you mean `now`?"),
        ("{{ 1 is empti }}", 9, "there is no test `empti`", "did you mean `empty`?"),
        ("{{ 1/0 }}", 5, "division by zero", ""),
        ("{{ 'a' * 2 }}", 8, "a text cannot be multiplied", "turn the text into a number with `| number`"),
        ("{{ 'a' | date('yyyy', zone='UTC') }}", 10, "`date` has no argument `zone`; there are format,", ""),
        ("{{ o.set }}", 6, "Unable to find `o.set`", "write `['set-vars']`: a `-` outside of quotes is a minus"),
        ("{{ o.get(null).x }}", 16, "Unable to find `o.get.x`", ""),
    ],
)
def test_failures_point_at_the_part_that_failed(text: str, column: int, message: str, hint: str) -> None:
    with pytest.raises(TemplateError) as caught:
        ENVIRONMENT.render(text, {"o": {"set-vars": 1}})
    error = caught.value
    assert error.message.startswith(message)
    assert error.hint == hint
    assert error.where is not None
    assert (error.where.line, error.where.column) == (1, column)


VARIABLES = {
    "outputs": {"set-vars": {"value": 7}, "a-b-c": {"v": "x"}, "t": {"value": "{{ 1 + 1 }}"}},
    "vars": {
        "greeting": AuthorText("Hi {{ inputs.name }}"),
        "twice": AuthorText("{{ vars.greeting }}!"),
        "foreign": AuthorText("{{ outputs.t.value }}"),
        "nested": [AuthorText("{{ inputs.n }}"), {"k": AuthorText("{{ vars.greeting }}")}],
        "itself": AuthorText("{{ vars.itself }}"),
        "a": AuthorText("{{ vars.b }}"),
        "b": AuthorText("{{ vars.a }}"),
    },
    "inputs": {"name": "Ada", "n": 5, "evil": "{{ vars.greeting }}"},
    "n": 2,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ outputs.set-vars.value }}", "7"),
        ("{{ outputs.set-vars.value + 1 }}", "8"),
        ("{{ outputs.set-vars.value ?? 'none' }}", "7"),
        ("{{ outputs.a-b-c.v | upper }}", "X"),
        ("{{ 'z' ~ outputs.a-b-c.v | upper }}", "ZX"),
        ("{{ outputs.nope-x.v ?? 'none' }}", "none"),
        ("{{ inputs.n-n }}", "3"),
        ("{{ secret.TOKEN }} {{ secret('TOKEN') }}", "secret of TOKEN secret of TOKEN"),
        ("{{ vars.greeting }}", "Hi Ada"),
        ("{{ vars.twice | upper }}", "HI ADA!"),
        ("{{ vars.foreign }}", "{{ 1 + 1 }}"),
        ("{{ render(vars.foreign) }}", "2"),
        ("{{ renderOnce(vars.foreign) }}", "{{ 1 + 1 }}"),
        ("{{ render(vars.greeting) }}", "Hi Ada"),
        ("{{ vars.nested }}", '["5",{"k":"Hi Ada"}]'),
        ("{{ vars.nested[1].k }}", "Hi Ada"),
        ("{% for item in vars.nested %}{{ item }};{% endfor %}", '5;{"k":"Hi Ada"};'),
        ("{{ vars.nope ?? 'none' }}", "none"),
        ("{{ inputs.evil }}", "{{ vars.greeting }}"),
        ("{{ outputs.t.value }}", "{{ 1 + 1 }}"),
        ("{{ read('a.txt') }}", "{{ n }} stays"),
        ("{{ '4.7' | int }} {{ '4' | float }}", "4 4.0"),
    ],
)
def test_what_nbflow_adds_to_the_language(text: str, expected: str) -> None:
    assert ENVIRONMENT.render(text, VARIABLES, Services()) == expected


@pytest.mark.parametrize("text", ["{{ vars.itself }}", "{{ vars.a }}", "{{ render(vars.itself) }}"])
def test_texts_that_refer_to_themselves_are_refused(text: str) -> None:
    with pytest.raises(TemplateError, match=r"refers to itself|nested more than|Too many"):
        ENVIRONMENT.render(text, VARIABLES)


def test_services_that_are_not_there_are_told() -> None:
    with pytest.raises(TemplateError, match=r"`secret\(\)` is not available here"):
        render("{{ secret('A') }}")


@pytest.mark.parametrize(
    "text",
    [
        "{{ range(1, 100000000) }}",
        "{{ range(1, 9223372036854775807) }}",
        "{% for a in 1..1000 %}{% for b in 1..1000 %}{% for c in 1..1000 %}{% endfor %}{% endfor %}{% endfor %}",
        "{% set s = 'aaaaaaaaaa' %}{% for i in 1..60 %}{% set s = s ~ s %}{% endfor %}",
        "{% set s = 'aaaaaaaaaa' %}{% for i in 1..60 %}{% set s = s + s %}{% endfor %}",
        "{% set l = [1] %}{% for i in 1..60 %}{% set l = l + l %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% block b %}{{ block('b') }}{% endblock %}",
        "{{ 'a' | indent(1000000000, 'xxxxxxxxxx') }}{{ 'a\nb' | indent(1000000000) }}",
        "{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' | replace({'(a+)+$': 'b'}, regexp=true) }}" * 1,
        "{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' | split('(a|aa)+$') | length }}",
        "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
        "{{ " + "-" * 5000 + "1 }}",
        "{% if true %}" * 500 + "{% endif %}" * 500,
        "{{ 'x'.repeat(1000000000) }}",
        "{{ ('1E+999999999' | number('BIGDECIMAL')) }}",
        "{{ l | jq('def f: f; f') }}",
        "{{ l | jq('[range(1000000000000)]') }}",
        "{{ l | jq('env') }}",
        "{{ l | jq('$ENV.PATH') }}",
        "{{ l | jq('input') }}",
        "{{ {'env': 1} | jq('.env, env') }}",
        "{{ s.__class__ }}",
        "{{ s.format('x') }}",
        "{{ s['__class__']['__mro__'] }}",
        "{{ (1).__class__ }}",
        "{{ l.append(1) }}",
        "{{ s.getClass() }}",
        "{{ loop }}",
        "{{ self }}",
        "{{ context }}",
        "{{ environment }}",
    ],
)
def test_what_could_hang_exhaust_or_escape_is_refused(text: str) -> None:
    environment = Environment(Limits(loop_rounds=100_000, text_size=1_000_000, seconds=2))
    variables = {"s": "text", "l": [1]}
    try:
        rendered = environment.render(text, variables)
    except TemplateError:
        return
    assert len(rendered) < 1000, "it came to an end without being refused; then it must have been harmless"


def test_output_is_limited() -> None:
    environment = Environment(Limits(output_size=1000))
    with pytest.raises(UnsafeTemplateError, match="1000 characters"):
        environment.render("{% for i in 1..200 %}0123456789{% endfor %}", {})


def test_templates_are_compiled_once_and_shared() -> None:
    assert default_environment() is default_environment()
    environment = Environment(Limits(cache_size=2))
    for text in ("{{ 1 }}", "{{ 2 }}", "{{ 3 }}", "{{ 1 }}"):
        assert environment.render(text, {}) == text[3]


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "{'babel', 'jq', 'amazon.ion', 'requests', 'regex', 'yaml', 'cryptography', 'holidays'}"
    program = f"import sys, nbflow.expressions; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"

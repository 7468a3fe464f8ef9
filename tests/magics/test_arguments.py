"""How a line behind a magic is read."""

from __future__ import annotations

import pytest

from nbflow.magics.arguments import read_arguments, split, unquote
from nbflow.magics.errors import FlowCellError


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        ("a.b name=Ada", ["a.b", "name=Ada"]),
        ('name="Ada Lovelace" x=1', ['name="Ada Lovelace"', "x=1"]),
        ("name='it is' b", ["name='it is'", "b"]),
        ("days=[1, 2] b", ["days=[1, 2]", "b"]),
        ('body={"a": {"b": "}"}} c=1', ['body={"a": {"b": "}"}}', "c=1"]),
        ("name=O'Brien next", ["name=O'Brien", "next"]),
        ("'{{ inputs.a }}' a=x", ["'{{ inputs.a }}'", "a=x"]),
        ('name="say \\"hi\\" now"', ['name="say \\"hi\\" now"']),
        ("", []),
    ],
)
def test_a_line_is_split_outside_of_quotes_and_brackets(line: str, tokens: list[str]) -> None:
    assert split(line) == tokens


def test_quotes_are_taken_off() -> None:
    assert unquote('"a \\"b\\""') == 'a "b"'
    assert unquote("'a \\b'") == "a \\b"
    assert unquote('"C:\\Users"') == "C:\\Users"
    assert unquote("plain") == "plain"


def test_words_inputs_labels_and_options_are_told_apart() -> None:
    found = read_arguments(
        'a.b name="Ada L" --label team=x -l env=dev --wait --timeout 5 --input k=v --input=q="a b" n=-3',
        {},
        flags=("wait",),
        valued=("timeout",),
    )
    assert found.words == ["a.b"]
    assert found.inputs == {"name": "Ada L", "k": "v", "q": "a b", "n": "-3"}
    assert found.labels == {"team": "x", "env": "dev"}
    assert found.options == {"wait": "", "timeout": "5"}
    assert found.seconds("timeout") == 5
    assert read_arguments("--timeout PT2M", {}, valued=("timeout",)).seconds("timeout") == 120


def test_json_stays_as_it_is_written() -> None:
    assert read_arguments('body={"a": [1, "x y"]}', {}).inputs == {"body": '{"a": [1, "x y"]}'}


def test_a_colon_takes_the_value_of_a_variable() -> None:
    frame = [{"a": 1}]
    assert read_arguments("data=:frame at=10:30 u=:://x", {"frame": frame}).inputs == {
        "data": frame,
        "at": "10:30",
        "u": ":://x",
    }


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("--wiat", "there is no option `--wiat` here", "did you mean `--wait`?"),
        ("data=:fram", "there is no variable `fram`", "did you mean `frame`?"),
        ("name='Ada", "a quote is not closed: name='Ada", ""),
        ("days=[1", "`]` is missing: days=[1", ""),
        ("--label team", "--label is written key=value; got team", ""),
        ("--timeout", "--timeout wants a value", ""),
    ],
)
def test_what_cannot_be_read_is_named(line: str, message: str, hint: str) -> None:
    with pytest.raises(FlowCellError) as refused:
        read_arguments(line, {"frame": 1}, flags=("wait",), valued=("timeout",))
    assert refused.value.args[0] == message
    assert refused.value.hint == hint


def test_a_timeout_that_is_no_time_is_refused() -> None:
    with pytest.raises(FlowCellError, match="--timeout is a number of seconds, or a duration such as PT5M; got soon"):
        read_arguments("--timeout soon", {}, valued=("timeout",)).seconds("timeout")

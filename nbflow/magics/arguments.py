"""What stands behind a magic: words, `key=value` inputs, labels and options.

`%flow run company.team.etl name="Ada Lovelace" days=[1,2] table=:frame --label team=x --wait`
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from nbflow.magics.errors import FlowCellError

_CLOSING = {"[": "]", "{": "}"}


@dataclass(slots=True)
class Arguments:
    """A line that has been read."""

    words: list[str] = field(default_factory=list)
    inputs: dict[str, object] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    """Options by name, without `--`; a flag has the empty text."""
    repeated: dict[str, list[str]] = field(default_factory=dict)
    """Every value of an option, in the order given."""

    def has(self, option: str) -> bool:
        return option in self.options

    def seconds(self, option: str) -> float | None:
        """The value of an option that is a number of seconds, or a duration such as PT5M."""
        text = self.options.get(option)
        if text is None:
            return None
        try:
            return float(text) if not text.upper().startswith("P") else _duration(text)
        except ValueError:
            raise FlowCellError(f"--{option} is a number of seconds, or a duration such as PT5M; got {text}") from None

    def number(self, option: str, default: int) -> int:
        """The value of an option that is a whole number from 1 on."""
        text = self.options.get(option, str(default))
        if not text.isdecimal() or int(text) < 1:
            raise FlowCellError(f"--{option} is a whole number from 1 on; got {text}")
        return int(text)


def read_arguments(
    line: str, variables: Mapping[str, object], *, flags: Collection[str] = (), valued: Collection[str] = ()
) -> Arguments:
    """Read a line. `flags` and `valued` are the options it may have, `variables` the user's names.

    Raises: FlowCellError naming what cannot be read.
    """
    found = Arguments()
    rest = split(line)
    while rest:
        token = rest.pop(0)
        if not token.startswith("-") or token == "-" or _is_number(token):
            _word_or_input(token, variables, found)
            continue
        name, equals, value = token.lstrip("-").partition("=")
        if name not in valued:
            name = _SHORT.get(name, name)
        if name in flags and not equals:
            found.options[name] = ""
        elif name in valued or name in ("input", "label"):
            if not equals:
                if not rest:
                    raise FlowCellError(f"--{name} wants a value")
                value = rest.pop(0)
            _option(name, unquote(value), variables, found)
        else:
            known = [f"--{option}" for option in (*flags, *valued, "input", "label")]
            raise FlowCellError(f"there is no option `{token}` here", _advice(f"--{name}", known))
    return found


def split(line: str) -> list[str]:
    """The tokens of a line: apart by blanks, but not within quotes, brackets or braces. Quotes are kept.

    Raises: FlowCellError when a quote is not closed.
    """
    tokens: list[str] = []
    token: list[str] = []
    quote = ""
    open_: list[str] = []
    letters = iter(line)
    for letter in letters:
        if quote:
            token.append(letter)
            if letter == "\\" and quote == '"':
                token.append(next(letters, ""))
            elif letter == quote:
                quote = ""
        elif letter in "\"'" and (not token or token[-1] in "=[{,: " or open_):
            quote = letter
            token.append(letter)
        elif letter.isspace() and not open_:
            if token:
                tokens.append("".join(token))
                token = []
        else:
            if letter in _CLOSING and (open_ or (token and token[-1] == "=")):
                open_.append(_CLOSING[letter])
            elif open_ and letter == open_[-1]:
                open_.pop()
            token.append(letter)
    if quote:
        raise FlowCellError(f"a quote is not closed: {''.join(token)}")
    if open_:
        raise FlowCellError(f"`{open_[-1]}` is missing: {''.join(token)}")
    return [*tokens, "".join(token)] if token else tokens


def unquote(text: str) -> str:
    """A text without the quotes around it; in double quotes a backslash stands before quotes and backslashes."""
    if len(text) < 2 or text[0] != text[-1] or text[0] not in "\"'":
        return text
    if text[0] == "'":
        return text[1:-1]
    try:
        read = json.loads(text)
    except ValueError:  # no JSON text: a lone backslash, as in a Windows path
        return text[1:-1]
    return read if isinstance(read, str) else text[1:-1]


_SHORT = {"i": "input", "l": "label", "w": "wait", "n": "namespace"}


def _word_or_input(token: str, variables: Mapping[str, object], found: Arguments) -> None:
    name, equals, value = token.partition("=")
    if equals and name and name[0] not in "\"'{[":
        found.inputs[name] = _value(value, variables)
    else:
        found.words.append(unquote(token))


def _value(text: str, variables: Mapping[str, object]) -> object:
    """Text, for the input's type to read; or the value of a variable, for `:name`."""
    if text.startswith(":") and text[1:].isidentifier():
        name = text[1:]
        if name not in variables:
            raise FlowCellError(f"there is no variable `{name}`", _advice(name, variables) or "define it in a cell")
        return variables[name]
    return unquote(text)


def _option(name: str, value: str, variables: Mapping[str, object], found: Arguments) -> None:
    if name not in ("input", "label"):
        found.options[name] = value
        found.repeated.setdefault(name, []).append(value)
        return
    key, equals, text = value.partition("=")
    if not equals or not key:
        raise FlowCellError(f"--{name} is written key=value; got {value}")
    if name == "label":
        found.labels[key] = unquote(text)
    else:
        found.inputs[key] = _value(text, variables)


def _advice(name: str, known: Collection[str]) -> str:
    from nbflow.nearest import did_you_mean

    return did_you_mean(name, known) or f"there are {', '.join(sorted(known))}"


def _duration(text: str) -> float:
    from nbflow.model.durations import parse_duration

    return parse_duration(text.upper()).total_seconds()


def _is_number(token: str) -> bool:
    return token[1:].replace(".", "", 1).isdecimal()

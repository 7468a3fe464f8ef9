"""What pydantic refuses, in the words of flows: which property, what was expected, what was found, how to mend it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from nbflow.model.input_values import shown
from nbflow.nearest import did_you_mean, nearest
from nbflow.source.document import Path
from nbflow.source.layout import layout, model_at
from nbflow.types import IDENTIFIER, NAMESPACE

_EXPECTED: dict[str, str] = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "none_required": "left empty",
    "path_type": "a path",
    "time_delta_type": "an ISO 8601 duration such as PT30S",
    "time_delta_parsing": "an ISO 8601 duration such as PT30S",
    "datetime_type": "a date and time such as 2024-01-31T08:30:00Z",
    "datetime_parsing": "a date and time such as 2024-01-31T08:30:00Z",
    "datetime_from_date_parsing": "a date and time such as 2024-01-31T08:30:00Z",
    "date_type": "a date such as 2024-01-31",
    "date_parsing": "a date such as 2024-01-31",
    "date_from_datetime_parsing": "a date such as 2024-01-31",
    "time_type": "a time such as 08:30:00",
    "time_parsing": "a time such as 08:30:00",
    "url_type": "a URL",
    "url_parsing": "a URL",
}
_PATTERNS = {
    IDENTIFIER.pattern: "letters, digits, `-` and `_`, starting with a letter or digit",
    NAMESPACE.pattern: "letters, digits, `-`, `_` and `.`, starting with a letter or digit",
    r"^[a-zA-Z0-9][a-zA-Z0-9_-]*(\.[a-zA-Z0-9_-]+)*$": (
        "letters, digits, `-` and `_`, starting with a letter or digit, with `.` between nested names"
    ),
}
# `rules.py` finds circles too, and shows the very dependency.
_FOUND_ELSEWHERE = {"cycle"}
_MENDS = {
    ("retry", "maxAttempts"): "give 1 or more, or drop `retry` to run once",
}
_QUOTED_NAME = re.compile(r"'((?:[^'\\]|\\.)*)'")


@dataclass(slots=True)
class Finding:
    """One problem of a part: `path` starts at the part."""

    path: Path
    message: str
    hint: str = ""
    at_key: bool = False


@dataclass(slots=True)
class _Refusal:
    error: ErrorDetails
    path: Path
    branch_at: int | None
    """Length of the path at which a choice between types was made; None when there was none."""


def findings(errors: Sequence[ErrorDetails], model: type[BaseModel], raw: Mapping[str, object]) -> list[Finding]:
    """What is wrong with a part: the errors of `model` for the values `raw`."""
    refusals = [_locate(error, raw) for error in errors if error["type"] not in _FOUND_ELSEWHERE]
    choices: dict[Path, list[_Refusal]] = {}
    found: list[Finding] = []
    for refusal in refusals:
        if refusal.branch_at is None:
            found.append(_finding(refusal, model, raw))
        else:
            choices.setdefault(refusal.path[: refusal.branch_at], []).append(refusal)
    for place, branches in choices.items():
        deeper = [refusal for refusal in branches if len(refusal.path) > len(place)]
        if deeper:
            found.extend(_finding(refusal, model, raw) for refusal in deeper)
        else:
            found.append(_either([_finding(refusal, model, raw) for refusal in branches]))
    return found


def _locate(error: ErrorDetails, raw: Mapping[str, object]) -> _Refusal:
    """Keep the steps of a location that the text has; pydantic adds names of types and validators."""
    path: list[str | int] = []
    branch_at: int | None = None
    value: object = raw
    steps = list(error["loc"])
    ends_inside = error["type"] in ("missing",)
    for number, step in enumerate(steps):
        if isinstance(value, Mapping) and step in value:
            path.append(step)
            value = value[str(step)]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            path.append(step)
            value = value[step]
        elif ends_inside and number == len(steps) - 1:
            path.append(step)
        elif step == "[key]":
            continue
        elif branch_at is None:
            branch_at = len(path)
    context = error.get("ctx") or {}
    if "at" in context and isinstance(value, Mapping):
        at = str(context["at"])
        path.append(at if at in value else at.removesuffix("s"))
    return _Refusal(error, tuple(path), branch_at)


def _finding(refusal: _Refusal, model: type[BaseModel], raw: Mapping[str, object]) -> Finding:
    error, path = refusal.error, refusal.path
    kind = error["type"]
    name = str(path[-1]) if path else ""
    owner = model_at(model, path[:-1], raw)
    if kind == "missing":
        meaning = layout(owner).descriptions.get(name, "") if owner is not None else ""
        return Finding(path, f"`{name}` is missing", f"add `{name}: …`" + (f" ({_lower(meaning)})" if meaning else ""))
    if kind == "extra_forbidden":
        names = layout(owner).names if owner is not None else []
        hint = did_you_mean(name, names) or _by_older_spelling(name, owner)
        if not hint and names:
            hint = (
                f"there are {', '.join(names)}" if len(names) <= 12 else "take it out, or write it into `description`"
            )
        return Finding(path, f"there is no property `{name}` here", hint, at_key=True)
    message, hint = _message(error)
    hint = _MENDS.get(tuple(str(step) for step in path[-2:])[-2:], hint)  # type: ignore[arg-type]  # two steps or fewer
    return Finding(path, message, hint)


def _by_older_spelling(name: str, owner: type[BaseModel] | None) -> str:
    """A slip in an older spelling still says which property is meant."""
    older = layout(owner).older if owner is not None else {}
    near = nearest(name, older)
    return f"did you mean `{older[near[0]]}`?" if near else ""


def _message(error: ErrorDetails) -> tuple[str, str]:
    kind, value = error["type"], error["input"]
    context: dict[str, Any] = error.get("ctx") or {}
    found = f"got {_shown(value)}"
    if kind in _EXPECTED:
        return f"must be {_EXPECTED[kind]}, {found}", _type_hint(kind, value)
    if kind in ("literal_error", "enum"):
        names = _QUOTED_NAME.findall(str(context.get("expected", "")))
        near = did_you_mean(value, names) if isinstance(value, str) else ""
        return f"must be {_one_of(names)}, {found}", near
    if kind in _BOUNDS:
        words, key, mend = _BOUNDS[kind]
        return f"must be {words} {context[key]}, {found}", mend.format(context[key])
    if kind == "string_pattern_mismatch":
        pattern = str(context.get("pattern", ""))
        return f"must be {_PATTERNS.get(pattern, f'text that matches `{pattern}`')}, {found}", ""
    if kind in ("too_short", "string_too_short"):
        least = context["min_length"]
        return (
            (f"needs at least {least} item{'s' if least != 1 else ''}", "")
            if kind == "too_short"
            else (
                f"must be {least} or more characters long, {found}",
                "",
            )
        )
    if kind in ("too_long", "string_too_long"):
        return f"must have at most {context['max_length']} {'items' if kind == 'too_long' else 'characters'}", ""
    message = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if message.startswith("Input should be "):
        message = f"must be {message.removeprefix('Input should be ')}, {found}"
    return message, str(context.get("hint", ""))


_BOUNDS: dict[str, tuple[str, str, str]] = {
    "greater_than_equal": ("at least", "ge", "give {} or more"),
    "greater_than": ("more than", "gt", "give more than {}"),
    "less_than_equal": ("at most", "le", "give {} or less"),
    "less_than": ("less than", "lt", "give less than {}"),
}


def _type_hint(kind: str, value: object) -> str:
    if kind == "string_type":
        if isinstance(value, bool):
            return f'put it in quotes: "{str(value).lower()}"'
        if value is None:
            return 'give it a value, or "" for none'
    if kind in ("list_type", "tuple_type", "set_type") and not isinstance(value, Mapping):
        return "write each item on a line of its own, after `- `"
    if kind in ("model_type", "dict_type") and isinstance(value, list):
        return "write its properties without `- `"
    return ""


def _either(found: list[Finding]) -> Finding:
    """One problem for a value that fits none of several types."""
    first = found[0]
    wanted: dict[str, None] = {}
    for finding in found:
        match = re.match(r"must be (.*), got ", finding.message, re.DOTALL)
        if match is None:
            return finding
        wanted[match.group(1)] = None
    tail = first.message[first.message.rindex(", got ") :] if ", got " in first.message else ""
    hint = first.hint if len(wanted) == 1 else ""
    # Python may hand out `A | B` for a `B | A` that it has seen before: the order is ours.
    in_order = sorted(wanted, key=lambda words: (words.startswith("a list"), words.startswith("a mapping"), words))
    return Finding(first.path, f"must be {' or '.join(in_order)}{tail}", hint)


def _one_of(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"one of {', '.join(names)}"


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping) and len(shown(value)) > 60:
        return "a mapping"
    if isinstance(value, list) and len(shown(value)) > 60:
        return "a list"
    text = getattr(value, "source_text", None)
    return text if isinstance(text, str) else shown(value)


def _lower(sentence: str) -> str:
    """A description as part of a sentence."""
    text = sentence.rstrip(".")
    return text[0].lower() + text[1:] if text[:2].istitle() or text[1:2] == " " else text

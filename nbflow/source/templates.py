"""Checks the expressions of a flow before it runs: syntax, names of filters and functions, what they refer to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from nbflow.errors import TemplateError
from nbflow.nearest import nearest
from nbflow.source.document import Path, Place
from nbflow.source.findings import Findings
from nbflow.types import JsonValue

_NEVER_RENDERED = {"description", "displayName", "validator", "documentation"}
_OPENERS = ("{{", "{%", "{#")


class Reference(Protocol):
    """A name that an expression reads, with the steps that are known, such as `("outputs", "extract", "uri")`."""

    @property
    def path(self) -> tuple[str, ...]: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def is_guarded(self) -> bool: ...


class Call(Protocol):
    """A filter, function or test that an expression uses."""

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


class Expressions(Protocol):
    """What the check asks of `nbflow.expressions.Environment`."""

    def parse(self, text: str, /) -> object: ...
    def calls(self, text: str, /) -> Sequence[Call]: ...
    def references(self, text: str, /) -> Sequence[Reference]: ...
    @property
    def filters(self) -> Collection[str]: ...
    @property
    def functions(self) -> Collection[str]: ...
    @property
    def tests(self) -> Collection[str]: ...


@dataclass(slots=True)
class Names:
    """What expressions of a flow may refer to; None where that is not known for certain."""

    outputs: set[str] | None = field(default_factory=set)
    inputs: set[str] | None = field(default_factory=set)
    vars: set[str] | None = field(default_factory=set)


def check_templates(findings: Findings, value: JsonValue, names: Names, expressions: Expressions | None) -> None:
    """Note what is wrong with the expressions anywhere in a document."""
    environment = expressions
    for path, text in _texts(value, ()):
        if environment is None:
            environment = _default()
        try:
            environment.parse(text)
            calls, references = environment.calls(text), environment.references(text)
        except TemplateError as refused:
            where = refused.where
            line, column = (where.line or 1, where.column or 1) if where is not None else (1, 1)
            findings.error(path, refused.message, refused.hint, place=findings.place_in(path, line, column))
            continue
        for call in calls:
            _check_call(findings, path, call, environment)
        _check_references(findings, path, text, references, names)


def _default() -> Expressions:
    from nbflow.expressions import default_environment  # jinja2 is not needed until a flow holds an expression

    return default_environment()


def _texts(value: JsonValue, path: Path) -> Iterator[tuple[Path, str]]:
    """Every text with an expression, keys excepted."""
    if isinstance(value, str):
        if any(opener in value for opener in _OPENERS):
            yield path, value
    elif isinstance(value, dict):
        for name, item in value.items():
            if name not in _NEVER_RENDERED:
                yield from _texts(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))


def _check_call(findings: Findings, path: Path, call: Call, environment: Expressions) -> None:
    known = {"filter": environment.filters, "function": environment.functions, "test": environment.tests}[call.kind]
    if call.name in known:
        return
    near = nearest(call.name, known)
    hint = f"did you mean `{near[0]}`?" if near else ""
    place = _of_length(findings.place_in(path, call.line, call.column), len(call.name))
    findings.error(path, f"there is no {call.kind} `{call.name}`", hint, place=place)


def _of_length(place: Place, length: int) -> Place:
    return Place(place.line, place.column, length)


_MEANS = {"outputs": "task", "inputs": "input", "vars": "variable"}


def _check_references(findings: Findings, path: Path, text: str, references: Sequence[Reference], names: Names) -> None:
    for reference in references:
        if len(reference.path) < 2 or reference.is_guarded or not _looks_here(path, reference.path[0]):
            continue
        root, name = reference.path[0], str(reference.path[1])
        known: set[str] | None = getattr(names, root, None) if root in _MEANS else None
        if known is None or name in known:
            continue
        start, at = _starts(root, name, text, reference)
        if _word_up_to(text, start, root) in (names.outputs or ()):
            continue  # the `vars` of `outputs.set-vars.value`, about which there is a word already
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        place = findings.place_in(path, line, column)
        hyphenated = [other for other in sorted(known) if other.startswith(f"{name}-") and text.startswith(other, at)]
        if hyphenated:
            findings.warning(
                path,
                f"`{root}.{hyphenated[-1]}` reads as a subtraction",
                f"write `{root}['{hyphenated[-1]}']`",
                place=_of_length(place, len(hyphenated[-1])),
            )
        else:
            _unknown_name(findings, path, _of_length(place, len(name)), root, name, known)


def _starts(root: str, name: str, text: str, reference: Reference) -> tuple[int, int]:
    """Where the root of a reference and the name after it start; the reference itself says where its last step is."""
    lines = text.split("\n")[: reference.line - 1]
    last = sum(len(line) + 1 for line in lines) + reference.column - 1
    start = max(text.rfind(root, 0, last + len(root)), 0)
    found = text.find(name, start + len(root))
    return start, found if found >= 0 else start


def _word_up_to(text: str, start: int, root: str) -> str:
    """The hyphenated word that ends with a root, such as `set-vars`."""
    before = start
    while before > 0 and (text[before - 1].isalnum() or text[before - 1] in "-_"):
        before -= 1
    return text[before : start + len(root)]


def _unknown_name(findings: Findings, path: Path, place: Place, root: str, name: str, known: set[str]) -> None:
    word = _MEANS[root]
    near = nearest(name, known)
    if near:
        findings.error(path, f"there is no {word} `{name}`", f"did you mean `{near[0]}`?", place=place)
    elif _is_whole(root, known):
        hint = f"the flow has {', '.join(sorted(known)[:12])}"
        findings.error(path, f"there is no {word} `{name}`", hint, place=place)
    else:
        # A flow that declares none at all is most likely an excerpt, to be completed before it is run.
        findings.warning(
            path, f"there is no {word} `{name}` in this flow", f"add it before `{root}.{name}` is needed", place=place
        )


def _is_whole(root: str, known: set[str]) -> bool:
    return len(known) > (1 if root == "outputs" else 0)


def _looks_here(path: Path, root: str) -> bool:
    """Whether expressions at a path see this flow's own outputs and inputs.

    Those of triggers look at other executions, those of inputs come before any task, and `outputs` of a subflow task
    are rendered in the child.
    """
    top = path[0] if path else ""
    if root == "vars":
        return True
    if top == "triggers" or (top == "inputs" and root == "outputs"):
        return False
    return not (len(path) > 2 and "outputs" in path[1:])


def names_of(document: JsonValue, tasks: Mapping[str, object] | None) -> Names:
    """The names that a flow declares; `tasks` are the ids of its tasks, None when not all of them are known."""
    raw = document if isinstance(document, dict) else {}
    inputs, variables = raw.get("inputs"), raw.get("variables")
    declared = {
        str(item.get("id", item.get("name"))).split(".")[0]
        for item in (inputs if isinstance(inputs, list) else [])
        if isinstance(item, dict)
    }
    return Names(
        outputs=set(tasks) if tasks is not None else None,
        inputs=declared if inputs is None or isinstance(inputs, list) else None,
        vars=set(variables) if isinstance(variables, dict) else (set() if variables is None else None),
    )

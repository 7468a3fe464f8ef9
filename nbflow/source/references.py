"""Checks what the expressions of a flow refer to: names that exist, outputs that can be there by then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from nbflow.nearest import did_you_mean, nearest
from nbflow.source.document import Path, Place
from nbflow.source.findings import Findings
from nbflow.source.names import Names
from nbflow.source.order import doubt
from nbflow.types import JsonValue


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
    @property
    def is_rendered(self) -> bool: ...


_MEANS = {"outputs": "task", "inputs": "input", "vars": "variable"}

_ROOTS = frozenset(
    {
        *(
            "flow",
            "execution",
            "inputs",
            "outputs",
            "vars",
            "labels",
            "task",
            "taskrun",
            "parent",
            "parents",
            "trigger",
        ),
        *("tasks", "envs", "globals", "namespace", "kestra", "error", "secret"),
    }
)
_PARTS = {
    "flow": frozenset({"id", "namespace", "revision", "tenantId"}),
    "execution": frozenset({"id", "startDate", "state", "originalId", "date"}),
    "task": frozenset({"id", "type"}),
    "taskrun": frozenset({"id", "startDate", "attemptsCount", "parentId", "value", "iteration", "items", "state"}),
}
"""The names that every execution has. Some tasks add names of their own, so only a near miss is told."""

# Any flow may be called as a subflow, whose `trigger` says by whom.
_OF_CALLER = {"executionId", "namespace", "flowId", "flowRevision"}


class ReferenceCheck:
    """Checks the references of one text of a flow."""

    def __init__(self, findings: Findings, path: Path, text: str, names: Names) -> None:
        self._findings = findings
        self._path = path
        self._text = text
        self._names = names

    def check(self, references: Sequence[Reference]) -> None:
        """Note what is wrong with them."""
        for reference in references:
            if reference.is_guarded or not _looks_here(self._path, reference.path[0]):
                continue
            root, *steps = reference.path
            if root in _MEANS:
                if steps:
                    self._declared(reference, root, steps[0])
            elif root == "trigger":
                if steps:
                    self._trigger(reference, steps[0])
            else:
                self._built_in(reference, root, steps)

    def _declared(self, reference: Reference, root: str, name: str) -> None:
        known: Iterable[str] | None = getattr(self._names, root)
        if known is None:
            return
        if name not in known:
            self._unknown(reference, root, name, set(known))
        elif root == "outputs":
            self._output(reference, name)
        elif root == "vars" and not reference.is_rendered:
            self._unrendered(reference)

    def _unknown(self, reference: Reference, root: str, name: str, known: set[str]) -> None:
        start, at = self._starts(reference, 1)
        if self._word_up_to(start, root) in (self._names.outputs or ()):
            return  # the `vars` of `outputs.set-vars.value`, about which there is a word already
        starting = [
            other for other in sorted(known) if other.startswith(f"{name}-") and self._text.startswith(other, at)
        ]
        if starting:
            whole = starting[-1]
            self._findings.warning(
                self._path,
                f"`{root}.{whole}` reads as a subtraction",
                f"write `{root}['{whole}']`",
                place=self._place(at, len(whole)),
            )
            return
        word, place = _MEANS[root], self._place(at, len(name))
        advice = did_you_mean(name, known)
        if advice:
            self._findings.error_at_run(self._path, f"there is no {word} `{name}`", advice, place=place)
        elif len(known) > (1 if root == "outputs" else 0):
            hint = f"the flow has {', '.join(sorted(known)[:12])}"
            self._findings.error_at_run(self._path, f"there is no {word} `{name}`", hint, place=place)
        else:
            # A flow that declares none at all is most likely an excerpt, to be completed before it is run.
            self._findings.warning(
                self._path,
                f"there is no {word} `{name}` in this flow",
                f"add it before `{root}.{name}` is needed",
                place=place,
            )

    def _output(self, reference: Reference, task: str) -> None:
        """An output of a task that exists: whether it can be there by then, and whether such a task has it."""
        order, reader = self._names.order, self._names.task_at(self._path)
        if order is None:
            return
        found = doubt(order, reader, task) if reader is not None else None
        if found is not None:
            note = self._findings.error_at_run if found.is_certain else self._findings.warning
            _, at = self._starts(reference, 1)
            note(self._path, found.message, found.hint, place=self._place(at, len(task)))
            return
        known = self._names.output_names(task)
        if len(reference.path) < 3 or known is None or reference.path[2] in known or order.is_looped(task):
            return
        name = reference.path[2]
        _, at = self._starts(reference, 2)
        has = f"it has {', '.join(sorted(known))}" if known else "tasks of its type have none"
        place = self._place(at, len(name))
        self._findings.error_at_run(
            self._path, f"the task `{task}` has no output `{name}`", did_you_mean(name, known) or has, place=place
        )

    def _unrendered(self, reference: Reference) -> None:
        value: JsonValue = dict(self._names.vars or {})
        for step in reference.path[1:]:
            value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, str) and "{{" in value:
            name = ".".join(reference.path)
            start, _ = self._starts(reference, 1)
            self._findings.info(
                self._path,
                f"`{name}` holds an expression, which Kestra would print as it is written",
                f"write `render({name})`, which means the same everywhere",
                place=self._place(start, len(name)),
            )

    def _trigger(self, reference: Reference, name: str) -> None:
        known = self._names.triggers
        if known is None or name in known or name in _OF_CALLER:
            return
        _, at = self._starts(reference, 1)
        place = self._place(at, len(name))
        if known:
            hint = did_you_mean(name, known) or f"there are {', '.join(sorted(known))}"
            message = f"no trigger of this flow gives `trigger.{name}`"
            self._findings.error_at_run(self._path, message, hint, place=place)
        else:
            hint = f"add a trigger, or write `trigger.{name} ?? …` for runs without one"
            self._findings.warning(
                self._path, f"this flow has no trigger that gives `trigger.{name}`", hint, place=place
            )

    def _built_in(self, reference: Reference, root: str, steps: Sequence[str]) -> None:
        if root not in _ROOTS:
            near, name, depth = nearest(root, _ROOTS), root, 0
        elif steps and root in _PARTS and steps[0] not in _PARTS[root]:
            near, name, depth = nearest(steps[0], _PARTS[root]), steps[0], 1
        else:
            return
        if near:
            _, at = self._starts(reference, depth)
            whole = name if depth == 0 else f"{root}.{name}"
            self._findings.warning(
                self._path, f"there is no `{whole}`", f"did you mean `{near[0]}`?", place=self._place(at, len(name))
            )

    def _starts(self, reference: Reference, depth: int) -> tuple[int, int]:
        """Where the root of a reference, and its step of a depth, start; the reference says where its last step is."""
        lines = self._text.split("\n")[: reference.line - 1]
        last = sum(len(line) + 1 for line in lines) + reference.column - 1
        root = reference.path[0]
        start = max(self._text.rfind(root, 0, last + len(root)), 0)
        at, end = start, start + len(root)
        for step in reference.path[1 : depth + 1]:
            found = self._text.find(step, end)
            if found < 0:
                break
            at, end = found, found + len(step)
        return start, at

    def _word_up_to(self, start: int, root: str) -> str:
        """The hyphenated word that ends with a root, such as `set-vars`."""
        before = start
        while before > 0 and (self._text[before - 1].isalnum() or self._text[before - 1] in "-_"):
            before -= 1
        return self._text[before : start + len(root)]

    def _place(self, at: int, length: int) -> Place:
        line, column = self._text.count("\n", 0, at) + 1, at - self._text.rfind("\n", 0, at)
        place = self._findings.place_in(self._path, line, column)
        return Place(place.line, place.column, length)


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

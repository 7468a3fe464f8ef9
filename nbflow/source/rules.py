"""Rules across the parts of a flow: ids are used once, `dependsOn` names neighbours and has no cycle, no flow calls
itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nbflow.model.dag import find_cycle
from nbflow.nearest import did_you_mean
from nbflow.plugins import FlowableTask
from nbflow.source.document import Path
from nbflow.source.findings import Findings
from nbflow.source.resolving import Part
from nbflow.types import JsonValue

DAG = "io.kestra.plugin.core.flow.Dag"
_FLOW_TRIGGER = "io.kestra.plugin.core.trigger.Flow"
_NARROWS = ("preconditions", "dependsOn", "conditions", "when")
"""What says which executions a Flow trigger looks at."""

_Needs = dict[str, list[tuple[str, Path]]]
"""Id → the ids that it depends on, each with the place where it is written."""


def check_rules(findings: Findings, raw: Mapping[str, JsonValue], parts: Sequence[Part]) -> None:
    """Note what is wrong across parts."""
    tasks = [path for path in (findings.path_of(part.raw) for part in parts if part.kind == "task") if path is not None]
    _once(findings, "task", tasks, findings.document.value)
    for name, word in (("triggers", "trigger"), ("inputs", "input"), ("outputs", "output")):
        _once(findings, word, [(name, index) for index in range(_length(raw.get(name)))], raw)
    _nested_inputs(findings, raw)
    _input_needs(findings, raw)
    _calls_itself(findings, raw, parts)
    _fires_for_everything(findings, parts)
    are_tasks = {id(part.raw) for part in parts if part.kind == "task"}
    for path in [(), *tasks]:
        _levels(findings, _at(findings.document.value, path), path, are_tasks)


def _length(value: object) -> int:
    return len(value) if isinstance(value, list) else 0


def _at(value: object, path: Path) -> object:
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _id(value: object) -> tuple[str, str] | None:
    """The id of a part, and the property it is written as."""
    if isinstance(value, dict):
        for name in ("id", "name"):
            found = value.get(name)
            if isinstance(found, str | int | float) and not isinstance(found, bool):
                return str(found), name
    return None


def _place(findings: Findings, path: Path) -> tuple[int, int]:
    place = findings.document.position(path)
    return place.line, place.column


def _once(findings: Findings, word: str, paths: Iterable[Path], raw: object) -> None:
    first: dict[str, Path] = {}
    for path in sorted(set(paths), key=lambda path: _place(findings, path)):
        found = _id(_at(raw, path))
        if found is None:
            continue
        name, written_as = found
        if name in first:
            line = findings.document.position((*first[name], written_as)).line
            findings.error(
                (*path, written_as),
                f"the {word} id `{name}` is used twice, first in line {line}",
                f"give each {word} an id of its own",
            )
        else:
            first[name] = path


def _nested_inputs(findings: Findings, raw: Mapping[str, JsonValue]) -> None:
    inputs = raw.get("inputs")
    named = [
        (index, found) for index, item in enumerate(inputs if isinstance(inputs, list) else []) if (found := _id(item))
    ]
    names = {name for _, (name, _) in named}
    for index, (name, written_as) in named:
        parts = name.split(".")
        for length in range(1, len(parts)):
            group = ".".join(parts[:length])
            if group in names:
                findings.error(
                    ("inputs", index, written_as),
                    f"`{name}` needs `{group}` to be a group, and there is an input `{group}`",
                    "rename one of the two",
                )


def _input_needs(findings: Findings, raw: Mapping[str, JsonValue]) -> None:
    """Check `dependsOn` of the inputs."""
    inputs = raw.get("inputs")
    needs: _Needs = {}
    for index, item in enumerate(inputs if isinstance(inputs, list) else []):
        found = _id(item)
        if not isinstance(item, dict) or found is None:
            continue
        depends_on = item.get("dependsOn")
        wanted = depends_on.get("inputs") if isinstance(depends_on, dict) else None
        needs[found[0]] = _wanted(wanted, ("inputs", index, "dependsOn", "inputs"))
    _check_needs(findings, needs, "input")


def _calls_itself(findings: Findings, raw: Mapping[str, JsonValue], parts: Sequence[Part]) -> None:
    """A task that runs the flow it is in would never end."""
    own = (raw.get("namespace"), raw.get("id"))
    for part in parts:
        is_call = part.cls is not None and issubclass(part.cls, FlowableTask) and "flow_id" in part.cls.model_fields
        path = findings.path_of(part.raw)
        if is_call and path is not None and (part.raw.get("namespace"), part.raw.get("flowId")) == own:
            findings.error((*path, "flowId"), f"`{own[0]}.{own[1]}` calls itself", "name another flow")


def _fires_for_everything(findings: Findings, parts: Sequence[Part]) -> None:
    """A Flow trigger that narrows nothing down is hardly meant so."""
    for part in () if findings.has_errors else parts:
        path = findings.path_of(part.raw)
        is_listener = part.kind == "trigger" and part.cls is not None and part.cls.type_name == _FLOW_TRIGGER
        if is_listener and path is not None and not any(part.raw.get(name) for name in _NARROWS):
            findings.warning(
                (*path, "type"),
                "fires for every execution of every flow",
                "name those that count: `preconditions`, `dependsOn`, `conditions` or `when`",
            )


def _levels(findings: Findings, value: object, path: Path, are_tasks: set[int]) -> None:
    """Check `dependsOn` in each list of tasks directly inside a part."""
    for name, items in value.items() if isinstance(value, dict) else ():
        if isinstance(items, list):
            _level(findings, items, (*path, name), are_tasks)


def _level(findings: Findings, items: list[JsonValue], path: Path, are_tasks: set[int]) -> None:
    needs: _Needs = {}
    for index, item in enumerate(items):
        wrapped = item.get("task") if isinstance(item, dict) else None
        task = wrapped if isinstance(wrapped, dict) else item
        found = _id(task)
        if not isinstance(item, dict) or id(task) not in are_tasks or found is None:
            continue
        wanted = item.get("dependsOn")
        if isinstance(wanted, list) and task is item and not any(needs.values()):
            findings.warning(
                (*path, index, "dependsOn"),
                "tasks that name what they depend on run as a Dag",
                f"put them into a task of type `{DAG}` to say so",
                at_key=True,
            )
        needs[found[0]] = _wanted(wanted, (*path, index, "dependsOn"))
    _check_needs(findings, needs, "task")


def _wanted(names: object, path: Path) -> list[tuple[str, Path]]:
    """The names in a list at a path, each with its own place."""
    return [
        (str(name), (*path, number))
        for number, name in enumerate(names if isinstance(names, list) else [])
        if isinstance(name, str | int)
    ]


def _check_needs(findings: Findings, needs: _Needs, word: str) -> None:
    if not any(needs.values()):
        return
    for wanted in needs.values():
        for name, place in wanted:
            if name not in needs:
                hint = did_you_mean(name, needs) or f"{word}s here are {', '.join(needs)}"
                findings.error(place, f"there is no {word} `{name}` to depend on here", hint)
    cycle = find_cycle({item: [name for name, _ in wanted] for item, wanted in needs.items()})
    if cycle:
        start = next(place for name, place in needs[cycle[0]] if name == cycle[1])
        circle = " → ".join(cycle)
        message = f"{word}s depend on each other in a circle: {circle}"
        findings.error(start, message, "take one of these dependencies out")

"""Rules across the parts of a flow: ids are used once, `dependsOn` names neighbours and has no cycle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nbflow.model.dag import find_cycle
from nbflow.nearest import did_you_mean
from nbflow.source.document import Path
from nbflow.source.findings import Findings
from nbflow.source.resolving import Part
from nbflow.types import JsonValue

DAG = "io.kestra.plugin.core.flow.Dag"


def check_rules(findings: Findings, raw: Mapping[str, JsonValue], parts: Sequence[Part]) -> None:
    """Note what is wrong across parts."""
    tasks = [path for path in (findings.path_of(part.raw) for part in parts if part.kind == "task") if path is not None]
    _once(findings, "task", tasks, findings.document.value)
    for name, word in (("triggers", "trigger"), ("inputs", "input"), ("outputs", "output")):
        _once(findings, word, [(name, index) for index in range(_length(raw.get(name)))], raw)
    _nested_inputs(findings, raw)
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


def _levels(findings: Findings, value: object, path: Path, are_tasks: set[int]) -> None:
    """Check `dependsOn` in each list of tasks directly inside a part."""
    for name, items in value.items() if isinstance(value, dict) else ():
        if isinstance(items, list):
            _level(findings, items, (*path, name), are_tasks)


def _level(findings: Findings, items: list[JsonValue], path: Path, are_tasks: set[int]) -> None:
    needs: dict[str, list[tuple[str, Path]]] = {}
    for index, item in enumerate(items):
        wrapped = item.get("task") if isinstance(item, dict) else None
        task = wrapped if isinstance(wrapped, dict) else item
        found = _id(task)
        if not isinstance(item, dict) or id(task) not in are_tasks or found is None:
            continue
        wanted = item.get("dependsOn")
        if not isinstance(wanted, list):
            wanted = []
        elif task is item and not any(needs.values()):
            findings.warning(
                (*path, index, "dependsOn"),
                "tasks that name what they depend on run as a Dag",
                f"put them into a task of type `{DAG}` to say so",
                at_key=True,
            )
        needs[found[0]] = [
            (str(name), (*path, index, "dependsOn", number))
            for number, name in enumerate(wanted)
            if isinstance(name, str | int)
        ]
    if not any(needs.values()):
        return
    for wanted_names in needs.values():
        for name, place in wanted_names:
            if name not in needs:
                hint = did_you_mean(name, needs) or f"tasks here are {', '.join(needs)}"
                findings.error(place, f"there is no task `{name}` to depend on here", hint)
    cycle = find_cycle({task: [name for name, _ in wanted_names] for task, wanted_names in needs.items()})
    if cycle:
        start = next(place for name, place in needs[cycle[0]] if name == cycle[1])
        findings.error(
            start, f"tasks depend on each other in a circle: {' → '.join(cycle)}", "take one of these dependencies out"
        )

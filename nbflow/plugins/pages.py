"""Pages of the reference, as Markdown and as text for terminals, and the flows that examples stand for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import indent, wrap

import yaml

from nbflow.model.example import Example
from nbflow.model.plugin import Plugin
from nbflow.plugins.reference import KINDS, Property, Reference, reference_of, types_of

NAMESPACE = "nbflow.examples"
"""Where the examples that are no whole flows run."""

_FOLDERS = {"task": "tasks", "trigger": "triggers", "condition": "conditions", "runner": "runners"}
_WORDS = {"task": "task", "trigger": "trigger", "condition": "condition", "runner": "task runner"}
_HEADS = {"task": "Tasks", "trigger": "Triggers", "condition": "Conditions", "runner": "Task runners"}


def all_pages() -> dict[str, str]:
    """The whole reference: path below its folder → Markdown. Imports the class of every type."""
    pages = {}
    lines = [
        "# Types",
        "",
        "What flows can be made of. `nbflow plugins doc --all notebooks/reference` writes these pages, from the code",
        "itself; `nbflow plugins doc TYPE` and `%flow doc TYPE` show one of them. Filters and functions of expressions",
        "have [a page of their own](expressions.md).",
    ]
    for kind, base in KINDS.items():
        shared = reference_of(base).shared
        said = f" All have [these properties](every-{kind}.md)." if shared else ""
        lines += ["", f"## {_HEADS[kind]}", "", *([said.strip(), ""] if said else [])]
        if shared:
            pages[f"every-{kind}.md"] = "\n".join([f"# Properties of every {_WORDS[kind]}", "", *_list(shared)]) + "\n"
        for cls in types_of(kind):
            reference = reference_of(cls)
            path = f"{_FOLDERS[kind]}/{reference.name}.md"
            pages[path] = markdown(reference, has_neighbours=True)
            short = f" (`{reference.aliases[0]}`)" if reference.aliases else ""
            lines.append(f"- [{reference.name}]({path}){short}: {reference.title}")
    return {"README.md": "\n".join(lines) + "\n", **pages}


def markdown(reference: Reference, *, has_neighbours: bool = False) -> str:
    """The page of a type; one with neighbours links to the page of what all of its kind have."""
    lines = [f"# {reference.name}", "", *reference.about.split("\n"), ""]
    if reference.aliases:
        lines += [f"Short: {_codes(reference.aliases)}", ""]
    if reference.old_names:
        lines += [f"Older names: {_codes(reference.old_names)}", ""]
    if reference.examples:
        lines += ["## Examples", ""]
    for example in reference.examples:
        title = [f"{example.title.removesuffix('.')}."] if example.title else []
        said = " ".join([*title, *([f"(Needs {example.needs}.)"] if example.needs else [])])
        lines += [*([said, ""] if said else []), f"```yaml\n{example.text}```", ""]
    if reference.properties:
        lines += ["## Properties", "", *_list(reference.properties), ""]
    if reference.shared:
        every = f"those of every {_WORDS[reference.kind]}"
        names = _codes([each.name for each in reference.shared])
        link = f"[{every}](../every-{reference.kind}.md)."
        lines += [f"Beside these, {link}" if has_neighbours else f"Beside these, {every}: {names}.", ""]
    if reference.outputs:
        lines += ["## Outputs", "", *_list(reference.outputs, shows_need=False), ""]
    return "\n".join(lines).rstrip() + "\n"


def text(reference: Reference) -> str:
    """The same for a terminal."""
    lines = [reference.name]
    if reference.aliases or reference.old_names:
        lines.append(f"also: {', '.join((*reference.aliases, *reference.old_names))}")
    lines += ["", reference.about]
    for head, properties in (("properties", reference.properties), ("outputs", reference.outputs)):
        if properties:
            lines += ["", f"{head}:", *_plain(properties)]
    if reference.shared:
        names = ", ".join(each.name for each in reference.shared)
        lines += ["", *wrap(f"beside these, those of every {_WORDS[reference.kind]}: {names}", 100)]
    for example in reference.examples:
        head = ": ".join(filter(None, ("example", example.title.removesuffix("."))))
        lines += ["", f"{head} (needs {example.needs})" if example.needs else head, ""]
        lines.append(indent(example.text.rstrip(), "  "))
    return "\n".join(lines)


def flow_of(cls: type[Plugin], example: Example) -> str:
    """The whole flow that an example stands for, as YAML."""
    source = example.text
    shape = yaml.safe_load(source)
    if isinstance(shape, dict) and "tasks" in shape and "namespace" in shape:
        return source
    head = f"id: example\nnamespace: {NAMESPACE}\n"
    if isinstance(shape, list):
        return f"{head}tasks:\n{indent(source, '  ')}"
    is_part = shape.get("type") in (cls.type_name, *cls.aliases, *cls.old_names)
    named = source if is_part and cls.plugin_kind in ("condition", "runner") else with_id(source, "example")
    if cls.plugin_kind == "task" or not is_part:  # a task that a runner works for, or a condition keeps
        return f"{head}tasks:\n{_item(named, '  ')}"
    log = "{id: hello, type: log, message: Hello}"
    if cls.plugin_kind == "trigger":
        return f"{head}tasks:\n  - {log}\ntriggers:\n{_item(named, '  ')}"
    if cls.plugin_kind == "condition":
        trigger = f"  - id: daily\n    type: schedule\n    cron: '@daily'\n    conditions:\n{_item(named, '      ')}"
        return f"{head}tasks:\n  - {log}\ntriggers:\n{trigger}"
    script = f"  - id: hello\n    type: shell\n    commands: [echo Hello]\n    taskRunner:\n{indent(named, '      ')}"
    return f"{head}tasks:\n{script}"


def with_id(source: str, name: str) -> str:
    """The YAML of a task or trigger with an id: its own, or else this name."""
    shape = yaml.safe_load(source)
    if not isinstance(shape, dict) or "id" in shape:
        return source
    stripped = source.strip()
    return f"{{id: {name}, {stripped[1:]}\n" if stripped.startswith("{") else f"id: {name}\n{source}"


def _item(source: str, prefix: str) -> str:
    """A mapping as an item of a list."""
    return f"{prefix}- {indent(source, prefix + '  ').lstrip()}"


def _list(properties: Sequence[Property], depth: int = 0, *, shows_need: bool = True) -> Iterator[str]:
    for each in properties:
        yield f"{'  ' * depth}- `{each.name}` ({_traits(each, shows_need=shows_need)}): {each.about}"
        yield from _list(each.inside, depth + 1, shows_need=shows_need)


def _plain(properties: Sequence[Property], depth: int = 1) -> Iterator[str]:
    for each in properties:
        need = " (required)" if each.required else ""
        yield f"{'  ' * depth}{each.name}{need}: {each.about} [{_traits(each, shows_need=False).replace('`', '')}]"
        yield from _plain(each.inside, depth + 1)


def _traits(each: Property, *, shows_need: bool) -> str:
    traits = [each.type]
    if each.required and shows_need:
        traits.append("required")
    if each.default is not None:
        traits.append(f"default {_code(each.default)}")
    if each.dynamic:
        traits.append("dynamic")
    if each.also:
        traits.append(f"also {_codes(each.also)}")
    return ", ".join(traits)


def _code(value: str) -> str:
    if not value:
        return "the empty text"
    return f"`{value}`" if "`" not in value and "\n" not in value else repr(value)


def _codes(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)

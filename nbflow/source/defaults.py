"""Plugin defaults: which of them a part gets, and how they merge with what it says itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nbflow.model.flow import PluginDefault
from nbflow.model.plugin import Plugin
from nbflow.source.document import Path
from nbflow.source.layout import layout
from nbflow.types import JsonValue


@dataclass(frozen=True, slots=True)
class Default:
    """One entry of plugin defaults; `path` is where its values are written, None outside the flow."""

    prefix: str
    """A type, or the beginning of types up to a dot; empty for every task."""
    values: Mapping[str, JsonValue]
    forced: bool = False
    path: Path | None = None

    def fits(self, cls: type[Plugin], written: str) -> bool:
        """Whether this holds for a part: its type, or one that starts with this one up to a dot."""
        if not self.prefix:
            return cls.plugin_kind == "task"
        names = (written, cls.type_name, *cls.aliases, *cls.old_names)
        return any(name == self.prefix or name.startswith(f"{self.prefix}.") for name in names)

    def is_exact(self, cls: type[Plugin], written: str) -> bool:
        return self.prefix in (written, cls.type_name, *cls.aliases, *cls.old_names)


def from_settings(defaults: Sequence[PluginDefault]) -> list[Default]:
    """The defaults that hold for all flows."""
    return [Default(default.type, default.values, default.forced) for default in defaults]


def from_flow(entries: object, path: Path) -> list[Default]:
    """The defaults of a flow as written; entries of another shape are left to the model to refuse."""
    found = []
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        if not isinstance(entry, dict):
            continue
        kind, values = entry.get("type"), entry.get("values")
        if isinstance(kind, str) and isinstance(values, dict):
            found.append(Default(kind, values, entry.get("forced") is True, (*path, index, "values")))
    return found


Note = Callable[[Path, Path | None], None]
"""Told of each value that a default brings: (path inside the part, where it is written)."""


def merge(
    own: Mapping[str, JsonValue],
    place: Path,
    defaults: Sequence[Default],
    cls: type[Plugin],
    written: str,
    note: Note,
) -> dict[str, JsonValue]:
    """A part, written at `place`, with its defaults.

    The first default that has a value wins over later ones, what the part says over all but forced ones; the items of
    lists are put together. A default for a whole group of types gives a part only the properties that it has.
    """
    merged: dict[str, JsonValue] = dict(own)
    forced = [default for default in defaults if default.forced]
    for default in [*(default for default in defaults if not default.forced), *reversed(forced)]:
        values = default.values
        if not default.is_exact(cls, written):
            known = layout(cls).fields
            values = {name: value for name, value in values.items() if name in known}
        _under(merged, values, default, (), place, note)
    return merged


def _under(
    target: dict[str, JsonValue],
    values: Mapping[str, JsonValue],
    default: Default,
    inside: Path,
    place: Path,
    note: Note,
) -> None:
    for name, value in values.items():
        path = (*inside, name)
        origin = None if default.path is None else (*default.path, *path)
        present = target.get(name)
        if isinstance(present, dict) and isinstance(value, dict):
            deeper = dict(present)
            _under(deeper, value, default, path, place, note)
            target[name] = deeper
        elif isinstance(present, list) and isinstance(value, list):
            target[name] = [*present, *value] if default.forced else [*value, *present]
            start = len(present) if default.forced else 0
            for index in range(len(present) + len(value)):
                is_new = start <= index < start + len(value)
                # Of an item that has moved only the list is known: its old place may be another item's now.
                item = None if origin is None else (*origin, index - start)
                note((*path, index), item if is_new else (*place, *path))
        elif present is None or default.forced:
            target[name] = value
            note(path, origin)

"""Type name → class: what tasks, triggers, conditions and task runners there are.

Classes are named by light catalogs (`module:Class` texts) and imported only when a flow uses their type.
"""

from __future__ import annotations

import difflib
import importlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar, cast

from nbflow.errors import MissingExtraError, PluginError, UnknownTypeError
from nbflow.model.example import Example
from nbflow.model.plugin import Plugin
from nbflow.plugins.catalog import Catalog

PluginT = TypeVar("PluginT", bound=Plugin)
FunctionT = TypeVar("FunctionT", bound=Callable[..., object])


class Registry:
    """Finds the class of a type name; classes registered in this process win over catalogs."""

    def __init__(self, builtin: Catalog, discover: Callable[[], list[Catalog]]) -> None:
        self._builtin = builtin
        self._discover = discover
        self._discovered: list[Catalog] | None = None
        self._classes: dict[tuple[str, str], type[Plugin]] = {}
        self._lock = threading.Lock()

    def register(self, cls: type[Plugin]) -> None:
        """Make a class known under its type name, aliases and old names; a later one replaces an earlier one."""
        names = {(cls.plugin_kind, name): cls for name in (cls.type_name, *cls.aliases, *cls.old_names)}
        with self._lock:
            earlier = self._classes.get((cls.plugin_kind, cls.type_name), cls)  # it may have names the later one lacks
            others = {key: known for key, known in list(self._classes.items()) if known is not earlier}
            self._classes = {**others, **names}

    def find(self, base: type[PluginT], type_name: str) -> type[PluginT]:
        """The class of a type name, of the family `base`.

        Raises: UnknownTypeError with the nearest names; MissingExtraError when its module needs a package that
        is not installed.
        """
        kind = base.plugin_kind
        found = self._classes.get((kind, type_name))
        if found is None:
            target = self._target(kind, type_name)
            if target is None:
                raise UnknownTypeError(f"there is no {kind} type `{type_name}`", hint=self._advice(kind, type_name))
            found = self._import(type_name, target)
            self._classes[(kind, type_name)] = found
        return cast("type[PluginT]", found)

    def names(self, kind: str) -> list[str]:
        """All names of a kind, aliases and old names included."""
        registered = {name for of_kind, name in self._classes if of_kind == kind}
        return sorted(registered.union(*(catalog.of(kind) for catalog in self._catalogs())))

    def classes(self, base: type[PluginT]) -> Iterator[type[PluginT]]:
        """Every class of a family once, imported; one whose extra is missing is left out."""
        seen: set[type[Plugin]] = set()
        for name in self.names(base.plugin_kind):
            try:
                cls = self.find(base, name)
            except MissingExtraError:
                continue
            if cls not in seen:
                seen.add(cls)
                yield cls

    def _catalogs(self) -> list[Catalog]:
        with self._lock:
            if self._discovered is None:
                self._discovered = self._discover()
            return [self._builtin, *self._discovered]

    def _target(self, kind: str, type_name: str) -> str | None:
        # Looking through installed packages takes a while: only when the built-in catalog does not know the name.
        target = self._builtin.of(kind).get(type_name)
        if target is not None:
            return target
        return next((found for catalog in self._catalogs() if (found := catalog.of(kind).get(type_name))), None)

    def _import(self, type_name: str, target: str) -> type[Plugin]:
        module_name, _, class_name = target.partition(":")
        try:
            cls = getattr(importlib.import_module(module_name), class_name)
        except ModuleNotFoundError as missing:
            raise MissingExtraError(
                f"type `{type_name}` needs the package `{missing.name}`, which is not installed"
            ) from missing
        except AttributeError as missing:
            raise PluginError(
                f"the catalog names `{target}` for `{type_name}`, and there is no such class"
            ) from missing
        if not (isinstance(cls, type) and issubclass(cls, Plugin)):
            raise PluginError(f"the catalog names `{target}` for `{type_name}`, which is no plugin")
        return cls

    def _advice(self, kind: str, type_name: str) -> str:
        names = self.names(kind)
        last = type_name.rsplit(".", 1)[-1].lower()
        nearest = difflib.get_close_matches(type_name, names, n=3, cutoff=0.7)
        # Long packages make all their classes look alike: what counts is the name of the class.
        alike = [name for name in nearest if difflib.get_close_matches(last, [name.rsplit(".", 1)[-1].lower()])]
        elsewhere = [name for name in names if name.rsplit(".", 1)[-1].lower() == last][:3]
        swapped = [name for name in names if sorted(name) == sorted(type_name)][:1]  # `lgo` is `log` rather than `go`
        nearest = swapped or alike or elsewhere or nearest[:1]  # the right class under another package is a common slip
        if nearest:
            return "did you mean " + " or ".join(f"`{name}`" for name in nearest) + "?"
        return f"`nbflow plugins list` shows the {kind} types there are"


def _make_registry() -> Registry:
    from nbflow.builtin import CATALOG
    from nbflow.plugins.discovery import installed_catalogs

    return Registry(CATALOG, installed_catalogs)


_registry: Registry | None = None


def registry() -> Registry:
    """The registry of this process."""
    global _registry
    if _registry is None:
        _registry = _make_registry()
    return _registry


def plugin_type(
    type_name: str,
    *,
    aliases: Sequence[str] = (),
    old_names: Sequence[str] = (),
    examples: Sequence[Example] = (),
) -> Callable[[type[PluginT]], type[PluginT]]:
    """Give a plugin class its type name and make it known in this process.

    `aliases` are short names; `old_names` are accepted with a warning that names `type_name`. `examples` are shown in
    the reference, and run by tests. Registered again, as when a notebook's cell is run once more, a class takes the
    place of the one before under all its names.
    """

    def register(cls: type[PluginT]) -> type[PluginT]:
        cls.type_name = type_name
        cls.aliases = tuple(aliases)
        cls.old_names = tuple(old_names)
        cls.examples = tuple(examples) or cls.__dict__.get("examples", ())
        registry().register(cls)
        return cls

    return register


def expression_filter(name: str) -> Callable[[FunctionT], FunctionT]:
    """Add a filter to expressions: a function that takes the value, and then the arguments.

    Raises: ValueError when the language itself has a filter of this name.
    """
    from nbflow.expressions import expression_filter as add  # the expression language takes a while to import

    return add(name)


def expression_function(name: str) -> Callable[[FunctionT], FunctionT]:
    """Add a function to expressions, as `expression_filter` adds filters."""
    from nbflow.expressions import expression_function as add  # the expression language takes a while to import

    return add(name)


task_type = trigger_type = condition_type = runner_type = plugin_type

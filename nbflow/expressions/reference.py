"""What filters, functions and tests say of themselves: for the command line, for notebooks, and as a page."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

from nbflow.expressions.catalog import Catalog, Definition

_EXAMPLE = re.compile(r"\n*Example: `(?P<text>.+?)`(?: gives `(?P<result>.*?)`)?(?P<rest>.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """A filter, function or test: how it is written, what it does, and an example with what that gives."""

    kind: str
    name: str
    usage: str
    about: str
    example: str = ""
    result: str = ""

    @property
    def title(self) -> str:
        """The first sentence of what it does."""
        return self.about.partition("\n")[0]

    @property
    def text(self) -> str:
        """All of it, for a terminal."""
        gives = f"   gives {self.result}" if self.result else ""
        example = f"\n\n  {self.example}{gives}" if self.example else ""
        return f"{self.kind} {self.name}: {self.usage}\n\n{self.about}{example}"


def entries(catalog: Catalog) -> Iterator[Entry]:
    """All there are: filters, functions and tests, each sorted by name."""
    for kind in ("filter", "function", "test"):
        for _, definition in sorted(catalog.of_kind(kind).items(), key=lambda pair: pair[0].lower()):
            yield _entry(definition)


def page(catalog: Catalog) -> str:
    """The reference as Markdown."""
    found = list(entries(catalog))
    lines = [
        "# Expressions: filters, functions, tests",
        "",
        "Every text of a flow may hold `{{ … }}`. `nbflow expressions --page` writes this page, from the code itself;",
        "`nbflow expressions NAME` and `%flow expressions NAME` show one entry.",
    ]
    for kind, head in (("filter", "Filters"), ("function", "Functions"), ("test", "Tests")):
        lines += ["", f"## {head}", ""]
        for entry in found:
            if entry.kind == kind:
                lines += [f"### `{entry.usage}`", "", *entry.about.split("\n"), ""]
                if entry.example:
                    gives = f" gives `{entry.result}`" if entry.result else ""
                    lines += [f"`{entry.example}`{gives}", ""]
    return "\n".join(lines).rstrip() + "\n"


def _entry(definition: Definition) -> Entry:
    text = inspect.cleandoc(definition.function.__doc__ or "")
    example = _EXAMPLE.search(text)
    about = text[: example.start()].strip() if example else text
    shown, result = (example["text"], example["result"] or "") if example else ("", "")
    return Entry(definition.kind, definition.name, _usage(definition), about, shown, result)


def _usage(definition: Definition) -> str:
    signature = inspect.signature(definition.function)
    optional = {name for name, one in signature.parameters.items() if one.default is not inspect.Parameter.empty}
    names = [
        f"[{argument}]" if parameter in optional else argument
        for parameter, argument in zip(definition.parameters, definition.arguments or (), strict=False)
    ]
    if definition.is_variadic:
        names = ["…"]
    given = f"({', '.join(names)})" if names or definition.kind == "function" else ""
    before = {"filter": "value | ", "test": "value is "}.get(definition.kind, "")
    return f"{before}{definition.name}{given}"

"""The expression language as a whole: renders texts and values, checks them, lists what they can call."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType

from nbflow.clock import Clock, SystemClock
from nbflow.errors import TemplateError
from nbflow.expressions.catalog import Catalog, Function
from nbflow.expressions.compile import Compiled, Compiler
from nbflow.expressions.extensions import EXTENSIONS, Adder, Extended
from nbflow.expressions.filters import FILTERS
from nbflow.expressions.functions import FUNCTIONS
from nbflow.expressions.lexer import syntax_error
from nbflow.expressions.limits import Limits
from nbflow.expressions.names import Inspection, inspect
from nbflow.expressions.parser import parse
from nbflow.expressions.predicates import TESTS
from nbflow.expressions.reference import Entry, entries, page
from nbflow.expressions.render import evaluate, run, without_raw_tags
from nbflow.expressions.scope import Budget, Scope
from nbflow.expressions.services import NoServices, Services
from nbflow.expressions.values import AuthorText, Char, MacroText

_OPENERS = ("{{", "{%", "{#")
_NO_SERVICES = NoServices()
_OWN = Catalog(FILTERS, FUNCTIONS, TESTS)
"""What the language has by itself."""

expression_filter = Adder("filter", FILTERS)
"""Add a filter, as `@expression_filter("shout")` above a function that takes the value and then the arguments."""
expression_function = Adder("function", FUNCTIONS)
"""Add a function, as `@expression_function("dice")` above a function that takes the arguments."""


def has_expression(text: str) -> bool:
    """Whether a text holds an expression, a tag or a comment.

    >>> has_expression("Hello {{ inputs.name }}")
    True
    """
    return "{" in text and any(opener in text for opener in _OPENERS)


class Environment:
    """Renders `{{ … }}`. Threads may share one; templates are compiled once and kept.

    >>> Environment().render("Hello {{ inputs.name | upper }}", {"inputs": {"name": "Ada"}})
    'Hello ADA'
    """

    def __init__(self, limits: Limits | None = None, clock: Clock | None = None) -> None:
        self.limits = limits or Limits()
        self.clock: Clock = clock or SystemClock()
        self._catalog = Catalog(
            Extended("filter", FILTERS, EXTENSIONS), Extended("function", FUNCTIONS, EXTENSIONS), TESTS
        )
        self._compiler = Compiler(self._catalog, _OWN, self.limits)
        self._compiled = functools.lru_cache(maxsize=self.limits.cache_size)(self._compile)
        self.filters: Mapping[str, Function] = _functions(FILTERS)
        self.functions: Mapping[str, Function] = _functions(FUNCTIONS)
        self.tests: Mapping[str, Function] = _functions(TESTS)
        EXTENSIONS.tell(self)

    def forget(self) -> None:
        """Compile templates anew: a name in them may mean another function now."""
        self._compiled.cache_clear()

    def _compile(self, text: str) -> Compiled:
        self._check_size(text)
        return self._compiler.compile(text)

    def _check_size(self, text: str) -> None:
        if len(text) > self.limits.template_size:
            raise syntax_error(text, 0, f"a template may have {self.limits.template_size} characters, not more")

    def render(self, text: str, variables: Mapping[str, object], services: Services | None = None) -> str:
        """The text with its expressions replaced by what they come to. Raises: TemplateError."""
        if "{" not in text:
            return str(text)
        scope = Scope(self, variables, services or _NO_SERVICES)
        return without_raw_tags(run(self._compiled(str(text)), scope))

    def render_typed(self, text: str, variables: Mapping[str, object], services: Services | None = None) -> object:
        """The value of a text that is one single print, else its text. Raises: TemplateError."""
        if "{" not in text:
            return str(text)
        compiled = self._compiled(str(text))
        scope = Scope(self, variables, services or _NO_SERVICES)
        if compiled.value is None:
            return without_raw_tags(run(compiled, scope))
        value = evaluate(compiled, scope)
        if isinstance(value, Char | MacroText):
            return str.__str__(value)
        return without_raw_tags(value) if isinstance(value, str) else value

    def render_value(self, value: object, variables: Mapping[str, object], services: Services | None = None) -> object:
        """A value whose texts, however deep, are rendered; keys of maps too. Raises: TemplateError."""
        return self._deep(value, variables, services, is_typed=False)

    def render_value_typed(
        self, value: object, variables: Mapping[str, object], services: Services | None = None
    ) -> object:
        """A value whose texts are rendered, single prints to the value they have. Raises: TemplateError."""
        return self._deep(value, variables, services, is_typed=True)

    def _deep(
        self, value: object, variables: Mapping[str, object], services: Services | None, *, is_typed: bool
    ) -> object:
        if isinstance(value, str):
            render = self.render_typed if is_typed else self.render
            return render(value, variables, services)
        if isinstance(value, Mapping):
            rendered: dict[object, object] = {}
            for key, item in value.items():
                name = self.render(key, variables, services) if isinstance(key, str) else key
                rendered.setdefault(name, self._deep(item, variables, services, is_typed=is_typed))
            return rendered
        if isinstance(value, list | tuple):
            return [self._deep(item, variables, services, is_typed=is_typed) for item in value]
        return value

    def render_nested(self, text: str, scope: Scope, *, is_recursive: bool) -> str:
        """A text within a rendering: again and again until nothing changes, or once. Raises: TemplateError."""
        if "{" not in text:
            return text
        budget = scope.budget
        for _ in range(self.limits.renderings + 1):
            rendered = self._once(text, scope, budget)
            if not is_recursive or rendered == text:
                return without_raw_tags(rendered)
            text = rendered
        raise TemplateError("Too many rendering attempts")

    def _once(self, text: str, scope: Scope, budget: Budget) -> str:
        inner = Scope(self, scope.names(), scope.services, budget)
        inner.is_macro = scope.is_macro
        budget.enter()
        try:
            return run(self._compiled(text), inner)
        finally:
            budget.depth -= 1

    def parse(self, text: str) -> None:
        """Check the syntax of a text. Raises: TemplateSyntaxError, with the line and column in `where`."""
        if "{" in text:
            self._compiled(str(text))

    def reference(self) -> list[Entry]:
        """What each filter, function and test says of itself, those that plugins add among them."""
        return list(entries(self._catalog))

    def reference_page(self) -> str:
        """The language's own as a page of Markdown."""
        return page(_OWN)

    def inspect(self, text: str) -> Inspection:
        """What a text reads and calls, found without running it. Raises: TemplateSyntaxError."""
        if not has_expression(text):
            return Inspection()
        self._check_size(text)
        return inspect(text, parse(str(text), self.limits), self._catalog)


def _functions(table: Mapping[str, object]) -> Mapping[str, Function]:
    return MappingProxyType({name: definition.function for name, definition in sorted(table.items())})  # type: ignore[attr-defined]


@functools.lru_cache(maxsize=1)
def default_environment() -> Environment:
    """The environment that the whole process shares."""
    return Environment()


def render(text: str, variables: Mapping[str, object] | None = None, services: Services | None = None) -> str:
    """Render a text with the process-wide environment. Raises: TemplateError.

    >>> render("{{ a ?? 'nothing' }}", {})
    'nothing'
    """
    return default_environment().render(text, variables or {}, services)


__all__ = [
    "AuthorText",
    "Environment",
    "default_environment",
    "expression_filter",
    "expression_function",
    "has_expression",
    "render",
]

"""Runs compiled templates and gives their failures an address."""

from __future__ import annotations

from collections.abc import Mapping

from nbflow.errors import Location, TemplateError, UndefinedNameError, UnsafeTemplateError
from nbflow.expressions.compile import Compiled
from nbflow.expressions.lexer import RAW, location
from nbflow.expressions.scope import Missing, Scope
from nbflow.expressions.text import java_text
from nbflow.nearest import did_you_mean

_FAILURES = (
    Missing,
    ArithmeticError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RecursionError,
    MemoryError,
    OSError,
    NotImplementedError,
)
"""What a wrong operand of a filter or function may end in; all of it is the expression's fault."""


def run(compiled: Compiled, scope: Scope) -> str:
    """The text of a template. Raises: TemplateError."""
    scope.blocks = compiled.blocks
    try:
        return "".join(compiled.root(scope))
    except TemplateError as failure:
        if compiled.fuller is not None:
            return run(compiled.fuller(), scope)
        raise _of_text(_located(failure, compiled), compiled) from failure.__cause__
    except _FAILURES as failure:
        if compiled.fuller is not None:
            return run(compiled.fuller(), scope)
        raise _of_text(_explained(failure, compiled), compiled) from failure


def evaluate(compiled: Compiled, scope: Scope) -> object:
    """The value of a template that is a single print. Raises: TemplateError."""
    assert compiled.value is not None
    scope.blocks = compiled.blocks
    try:
        return compiled.value(scope)
    except TemplateError as failure:
        if compiled.fuller is not None:
            return evaluate(compiled.fuller(), scope)
        raise _of_text(_located(failure, compiled), compiled) from failure.__cause__
    except _FAILURES as failure:
        if compiled.fuller is not None:
            return evaluate(compiled.fuller(), scope)
        raise _of_text(_explained(failure, compiled), compiled) from failure


def without_raw_tags(text: str) -> str:
    """A finished text, `{% raw %}` around parts of it taken off."""
    return RAW.sub(r"\2", text) if "endraw" in text else text


def _of_text(failure: TemplateError, compiled: Compiled) -> TemplateError:
    failure.text = compiled.text
    return failure


def _located(failure: TemplateError, compiled: Compiled) -> TemplateError:
    """The failure with its place in the text; one from a nested rendering has its place told in words."""
    position = compiled.position_of(failure.__traceback__)
    if isinstance(failure, UndefinedNameError) and failure.where is None:
        return _undefined(failure.message.removeprefix("Unable to find "), failure.hint, compiled, position)
    if failure.where is not None:
        # It failed inside a text that this one renders; that text's own lines say nothing to the reader of this one.
        failure.where = location(compiled.text, position)
        return failure
    failure.where = location(compiled.text, position)
    excerpt = _excerpt(compiled.text)
    if "used in the expression" not in failure.message:
        failure.message = f"{failure.message}, in the expression `{excerpt}` at line {failure.where.line}"
        failure.args = (failure.message,)
    return failure


def _undefined(name: str, hint: str, compiled: Compiled, position: int) -> UndefinedNameError:
    where = location(compiled.text, position)
    message = f"Unable to find {name} used in the expression `{_excerpt(compiled.text)}` at line {where.line}"
    return UndefinedNameError(message, hint=hint, where=where)


def _explained(failure: BaseException, compiled: Compiled) -> TemplateError:
    position = compiled.position_of(failure.__traceback__)
    if isinstance(failure, Missing):
        label = compiled.labels.get(position) or java_text(failure.name)
        return _undefined(f"`{label}`", _nearest_hint(failure), compiled, position)
    where = location(compiled.text, position)
    excerpt = f"in the expression `{_excerpt(compiled.text)}` at line {where.line}"
    if isinstance(failure, RecursionError | MemoryError):
        return UnsafeTemplateError(f"this goes too deep, {excerpt}", where=where)
    return TemplateError(f"this value cannot be used so: {failure}, {excerpt}", where=where)


def _nearest_hint(failure: Missing) -> str:
    if not isinstance(failure.holder, Mapping):
        return ""
    name = java_text(failure.name)
    names = sorted(str(key) for key in failure.holder)
    hyphened = next((one for one in names if one.startswith(f"{name}-")), "")
    if hyphened:
        return f"write `['{hyphened}']`: a `-` outside of quotes is a minus"
    advice = did_you_mean(name, names)
    if advice:
        return advice
    return f"there {'is' if len(names) == 1 else 'are'} {', '.join(names[:12])}" if names else ""


def _excerpt(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:297]}..."


__all__ = ["Location", "evaluate", "run", "without_raw_tags"]

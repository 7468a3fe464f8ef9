"""Filters on texts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal

from nbflow.errors import TemplateError, UnsafeTemplateError
from nbflow.expressions.arithmetic import check_text
from nbflow.expressions.catalog import Function
from nbflow.expressions.comparing import kind_of
from nbflow.expressions.filters.checks import number_argument, text_argument, text_only, whole_argument
from nbflow.expressions.lexer import WHITE_SPACE
from nbflow.expressions.methods import CONTROLS
from nbflow.expressions.scope import Scope
from nbflow.expressions.text import java_text
from nbflow.expressions.values import Array, Char, Float32, is_list, is_map
from nbflow.regexes import replace_all
from nbflow.regexes import split as split_by


def abbreviate(value: object, length: object = None) -> str | None:
    """Cut a text that has `length` characters or more; the dots count.

    Example: `{{ 'abcdefgh' | abbreviate(6) }}` gives `abc...`
    """
    if value is None:
        return None
    text = text_only("abbreviate", value)
    width = whole_argument("abbreviate", "length", length)
    if width < 0:
        raise TemplateError("the length of `abbreviate` cannot be negative")
    if len(text) < width or len(text) <= 3:
        return text
    return text[:width] if width <= 3 else text[: width - 3] + "..."


def _titled(character: str) -> str:
    titled = character.title()
    return titled if len(titled) == 1 else character


def capitalize(value: object) -> str | None:
    """Raise the first letter; the rest stays as it is.

    Example: `{{ 'hello World' | capitalize }}` gives `Hello World`
    """
    if value is None:
        return None
    text = text_only("capitalize", value)
    start = len(text) - len(text.lstrip(WHITE_SPACE))
    return text[:start] + _titled(text[start]) + text[start + 1 :] if start < len(text) else text


def title(value: object) -> str | None:
    """Raise the first letter of every word; the rest stays as it is.

    Example: `{{ 'hello big wORLD' | title }}` gives `Hello Big WORLD`
    """
    if value is None:
        return None
    pieces: list[str] = []
    is_start = True
    for character in text_only("title", value):
        is_space = character in WHITE_SPACE
        pieces.append(_titled(character) if is_start and not is_space else character)
        is_start = is_space
    return "".join(pieces)


def upper(value: object) -> str | None:
    """Write in capitals; what is no text is written as text first.

    Example: `{{ 'abc' | upper }}` gives `ABC`
    """
    return None if value is None else java_text(value).upper()


def lower(value: object) -> str | None:
    """Write in small letters; what is no text is written as text first.

    Example: `{{ 'ABC' | lower }}` gives `abc`
    """
    return None if value is None else java_text(value).lower()


def trim(value: object) -> str | None:
    """Take white space off both ends.

    Example: `[{{ '  a b ' | trim }}]` gives `[a b]`
    """
    return None if value is None else text_only("trim", value).strip(CONTROLS)


def replace(scope: Scope, value: object, replace_pairs: object = None, regexp: object = False) -> object:
    """Replace texts by others, given as a map; with `regexp=true` the keys are Java regular expressions.

    In a list or map every text is treated.

    Example: `{{ 'aaa bbb' | replace({'a': 'x', 'b+': 'y'}, regexp=true) }}` gives `xxx y`
    """
    if value is None:
        return None
    if not is_map(replace_pairs):
        raise TemplateError(
            "`replace` takes a map of what to replace by what", hint="such as `| replace({'old': 'new'})`"
        )
    if not isinstance(regexp, bool):
        raise TemplateError("the argument `regexp` of `replace` must be true or false")
    pairs = [(_required(old), _required(new)) for old, new in replace_pairs.items()]

    def apply(text: str) -> str:
        for old, new in pairs:
            text = replace_all(text, old, new) if regexp else _plain_replace(scope, text, old, new)
            check_text(scope, text)
        return text

    return _each_text(value, apply)


def _required(value: object) -> str:
    if value is None:
        raise TemplateError("`replace` can neither look for null nor put it in")
    return java_text(value)


def _plain_replace(scope: Scope, text: str, old: str, new: str) -> str:
    if len(new) > len(old):
        count = text.count(old)
        if len(text) + count * (len(new) - len(old)) > scope.budget.limits.text_size:
            raise UnsafeTemplateError(f"a text may have {scope.budget.limits.text_size} characters, not more")
    return text.replace(old, new)


def _each_text(value: object, change: Callable[[str], str]) -> object:
    if is_map(value):
        return {key: _each_item(item, change) for key, item in value.items()}
    if is_list(value):
        return [_each_item(item, change) for item in value]
    return change(java_text(value))


def _each_item(item: object, change: Callable[[str], str]) -> object:
    if item is None:
        raise TemplateError("a list or map with null in it cannot be treated so")
    return _each_text(item, change)


def escape_char(value: object, type: object = None) -> object:  # the name that expressions write
    r"""Escape quotes: `single`, `double` or `shell`.

    Example: `{{ "it's" | escapeChar('single') }}` gives `it\'s`
    """
    if value is None:
        return None
    styles = {"single": ("'", "\\'"), "double": ('"', '\\"'), "shell": ("'", "'\\''")}
    style = styles.get(type.lower()) if isinstance(type, str) else None
    if style is None:
        raise TemplateError("`escapeChar` takes `single`, `double` or `shell`")
    return _each_text(value, lambda text: text.replace(*style))


def split(value: object, delimiter: object = None, limit: object = None) -> Array | None:
    """Cut a text at every match of a regular expression; empty parts at the end are dropped.

    Example: `{{ 'a,b,c' | split(',') | length }}` gives `3`
    """
    if value is None:
        return None
    pattern = text_argument("split", "delimiter", delimiter)
    most = 0 if limit is None else number_argument("split", "limit", limit)
    return Array(split_by(text_only("split", value), pattern, most))


def starts_with(text: object, value: object = None) -> bool:
    """Whether a text begins with another.

    Example: `{{ 'flow' | startsWith('fl') }}` gives `true`
    """
    return _present("startsWith", text).startswith(_present("startsWith", value))


def ends_with(text: object, value: object = None) -> bool:
    """Whether a text ends in another.

    Example: `{{ 'flow' | endsWith('ow') }}` gives `true`
    """
    return _present("endsWith", text).endswith(_present("endsWith", value))


def _present(name: str, value: object) -> str:
    if value is None:
        raise TemplateError(f"`{name}` cannot work on null")
    return java_text(value)


def _parts(name: str, value: object, separator: object) -> tuple[str, str | None]:
    if separator is not None and not isinstance(separator, str):
        raise TemplateError(f"the separator of `{name}` must be a text")
    return java_text(value), separator


def substring_before(value: object, separator: object) -> str | None:
    """What stands before the first separator; the whole text where there is none.

    Example: `{{ 'a.b.c' | substringBefore('.') }}` gives `a`
    """
    if value is None:
        return None
    text, mark = _parts("substringBefore", value, separator)
    return text if mark is None else text.partition(mark)[0] if mark else ""


def substring_before_last(value: object, separator: object) -> str | None:
    """What stands before the last separator; the whole text where there is none.

    Example: `{{ 'a.b.c' | substringBeforeLast('.') }}` gives `a.b`
    """
    if value is None:
        return None
    text, mark = _parts("substringBeforeLast", value, separator)
    return text.rpartition(mark)[0] if mark and mark in text else text


def substring_after(value: object, separator: object) -> str | None:
    """What stands after the first separator; nothing where there is none.

    Example: `{{ 'a.b.c' | substringAfter('.') }}` gives `b.c`
    """
    if value is None:
        return None
    text, mark = _parts("substringAfter", value, separator)
    return "" if mark is None else text.partition(mark)[2] if mark else text


def substring_after_last(value: object, separator: object) -> str | None:
    """What stands after the last separator; nothing where there is none.

    Example: `{{ 'a.b.c' | substringAfterLast('.') }}` gives `c`
    """
    if value is None:
        return None
    text, mark = _parts("substringAfterLast", value, separator)
    return text.rpartition(mark)[2] if mark and mark in text else ""


def indent(scope: Scope, value: object, amount: object = None, prefix: object = " ") -> str | None:
    """Indent every line but the first.

    Example: `{{ 'one line' | indent(2) }}` gives `one line`
    """
    return _indented(scope, "indent", value, amount, prefix, "")


def nindent(scope: Scope, value: object, amount: object = None, prefix: object = " ") -> str | None:
    """Begin a new line and indent every line.

    Example: `{{ 'one line' | nindent(2) | length }}` gives `11`
    """
    return _indented(scope, "nindent", value, amount, prefix, None)


def _indented(scope: Scope, name: str, value: object, amount: object, prefix: object, lead: str | None) -> str | None:
    if value is None:
        return None
    text = java_text(value)
    if not text:
        return ""
    count = whole_argument(name, "amount", amount)
    if count < 0:
        raise TemplateError(f"the amount of `{name}` cannot be negative")
    filling = text_argument(name, "prefix", prefix)
    line_break = next((mark for mark in ("\r\n", "\n\r", "\n", "\r") if mark in text), "\n")
    whole = (line_break if lead is None else lead) + text
    breaks = whole.count(line_break)
    if not breaks:
        return whole
    growth = breaks * count * len(filling)
    if len(whole) + growth > scope.budget.limits.text_size:
        raise UnsafeTemplateError(f"a text may have {scope.budget.limits.text_size} characters, not more")
    return whole.replace(line_break, line_break + filling * count)


_NO_SLUG = re.compile(r"[^a-zA-Z0-9_-]")


def slugify(value: object) -> str | None:
    """Make a name for addresses and files: small letters, digits and dashes.

    Example: `{{ 'Héllo  Wörld!' | slugify }}` gives `hello-world`
    """
    if value is None:
        return None
    text = re.sub(r"[ \t\n\x0b\f\r]", "-", java_text(value))
    text = _NO_SLUG.sub("", unicodedata.normalize("NFD", text)).replace("_", "-")
    text = re.sub(r"-{2,}", "-", text)
    return text.removeprefix("-").removesuffix("-").lower()


def string(value: object) -> str | None:
    """Make a text of a value.

    Example: `{{ (5 | string) + 1 }}` gives `51`
    """
    return None if value is None else java_text(value)


_CLASSES: tuple[tuple[type, str], ...] = (
    (bool, "java.lang.Boolean"),
    (Char, "java.lang.Character"),
    (Float32, "java.lang.Float"),
    (Decimal, "java.math.BigDecimal"),
    (str, "java.lang.String"),
    (float, "java.lang.Double"),
    (Array, "[Ljava.lang.String;"),
    (list, "java.util.ArrayList"),
    (Mapping, "java.util.LinkedHashMap"),
)


def class_name(value: object) -> str | None:
    """The Java class that a value would have, for flows that compare it.

    Example: `{{ 'a' | className }}` gives `java.lang.String`
    """
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return "java.lang.Integer" if -(1 << 31) <= value < 1 << 31 else "java.lang.Long"
    for kind, name in _CLASSES:
        if isinstance(value, kind):
            return name
    return kind_of(value)


FILTERS: dict[str, Function] = {
    "abbreviate": abbreviate,
    "capitalize": capitalize,
    "className": class_name,
    "endsWith": ends_with,
    "escapeChar": escape_char,
    "indent": indent,
    "lower": lower,
    "nindent": nindent,
    "replace": replace,
    "slugify": slugify,
    "split": split,
    "startsWith": starts_with,
    "string": string,
    "substringAfter": substring_after,
    "substringAfterLast": substring_after_last,
    "substringBefore": substring_before,
    "substringBeforeLast": substring_before_last,
    "title": title,
    "trim": trim,
    "upper": upper,
}

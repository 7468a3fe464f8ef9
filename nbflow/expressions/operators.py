"""What conditions, names, prints, loops and blocks mean; compiled templates call these functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from nbflow.errors import TemplateError, UndefinedNameError
from nbflow.expressions.arithmetic import check_text
from nbflow.expressions.comparing import kind_of
from nbflow.expressions.scope import Missing, Scope
from nbflow.expressions.text import java_text, printed, printed_inside
from nbflow.expressions.values import (
    Array,
    AuthorText,
    Entry,
    LoopState,
    MacroText,
    Own,
    is_collection,
    is_list,
    is_map,
    is_number,
    is_string,
)


def truth(value: object) -> bool:
    """Whether a condition holds. Lists, maps and null have no truth."""
    if value is True or value is False:
        return value
    if value is None:
        raise TemplateError("null is neither true nor false", hint="test with `is null` or give a value with `??`")
    if is_number(value):
        return value != 0
    if is_string(value):
        return len(value) > 0
    raise TemplateError(f"{kind_of(value)} is neither true nor false", hint="test with `is empty` or `| length > 0`")


def chooses(value: object) -> bool:
    """Whether a ternary takes its first branch; null does not."""
    return value is not None and truth(value)


def negated(value: object) -> bool:
    return not truth(value)


def concat(*values: object) -> str:
    """`~` and interpolation: texts side by side, null adding nothing."""
    return "".join([java_text(value) for value in values if value is not None])


def limited_concat(scope: Scope, *values: object) -> str:
    """`~` under the limit on the size of a text."""
    return check_text(scope, concat(*values))


def coalesce(left: Callable[[], object], right: Callable[[], object]) -> object:
    """`??`: the left side, the right one where the left is null or undefined."""
    try:
        value = left()
    except Missing:
        return right()
    return right() if value is None else value


def coalesce_undefined(left: Callable[[], object], right: Callable[[], object]) -> object:
    """`???`: the left side, the right one where the left is undefined."""
    try:
        return left()
    except Missing:
        return right()


def hyphenated(subtraction: Callable[[], object], meant: Callable[[], object]) -> object:
    """`outputs.my-task.value`: a subtraction, or where its names are missing the key `my-task`, if there is one."""
    try:
        return subtraction()
    except Missing as missing:
        try:
            return meant()
        except Missing:
            raise missing from None


def secret(scope: Scope, key: str) -> object:
    """`secret.NAME`: an attribute where there is a variable `secret`, else the secret of that name."""
    try:
        holder = scope.read("secret")
    except Missing:
        return scope.services.secret(key)
    if isinstance(holder, Mapping) and key in holder:
        return holder[key]
    raise Missing(key, holder)


def or_null(value: Callable[[], object]) -> object:
    """A value, null where it is undefined: what `default` and `is defined` look at."""
    try:
        return value()
    except Missing:
        return None


def final(value: Callable[[], object]) -> object:
    """A value whose undefined names are errors that no `??` around it answers."""
    try:
        return value()
    except Missing as missing:
        raise undefined_name(str(missing.name)) from missing


def undefined_name(name: str) -> UndefinedNameError:
    return UndefinedNameError(f"Unable to find `{name}`")


def after(*values: object) -> object:
    """The last value, when all have been computed: for arguments that a filter does not take."""
    return values[-1]


def name(scope: Scope, variable: str) -> object:
    """The value of a variable."""
    value = scope.read(variable)
    if type(value) is AuthorText:
        return scope.author_text(value)
    changed = scope.budget.changed
    return changed[id(value)][1] if changed and id(value) in changed else value


def own(items: list[object]) -> Own:
    """A list that the template writes down itself."""
    return Own(items)


def plain(value: object) -> object:
    """What a filter sees of the result of a macro: a plain text."""
    return str.__str__(value) if isinstance(value, MacroText) else value


def raw_name(scope: Scope, variable: str) -> object:
    """The value of a variable, an author's text unrendered."""
    return scope.read(variable)


def settled(scope: Scope, value: object) -> object:
    """A value whose texts by the flow's author are rendered, however deep."""
    if type(value) is AuthorText:
        return scope.author_text(value)
    if isinstance(value, Mapping) and _holds_author_text(value):
        return {settled(scope, key): settled(scope, item) for key, item in value.items()}
    if is_list(value) and _holds_author_text(value):
        return [settled(scope, item) for item in value]
    return value


def _holds_author_text(value: object) -> bool:
    if type(value) is AuthorText:
        return True
    if isinstance(value, Mapping):
        return any(_holds_author_text(key) or _holds_author_text(item) for key, item in value.items())
    return is_list(value) and any(_holds_author_text(item) for item in value)


def assign(scope: Scope, variable: str, value: object) -> None:
    scope.assign(variable, value)


def show(scope: Scope, value: object) -> str:
    """The text of a print."""
    if type(value) is str:
        text: str = value
    else:
        text = printed_inside(value) if scope.is_inside else printed(value)
    scope.budget.count(len(text))
    return text


def static(scope: Scope, text: str) -> str:
    """Text of the template itself, where a loop may repeat it."""
    scope.budget.count(len(text))
    return text


class Rounds:
    """The rounds of a `for`, with a frame of their own in which the variable and `loop` are set."""

    __slots__ = ("_items", "_scope", "_variable", "is_without_rounds")

    def __init__(self, scope: Scope, variable: str, value: object) -> None:
        self._scope = scope
        self._variable = variable
        self._items = loop_items(value)
        self.is_without_rounds = value is not None and not self._items

    def __iter__(self) -> Iterator[None]:
        items, variable, count = self._items, self._variable, len(self._items)
        if not count:
            return
        frames, tick = self._scope.frames, self._scope.budget.tick
        frame: dict[str, object] = {}
        frames.append(frame)
        try:
            for index, item in enumerate(items):
                tick()
                frame["loop"] = LoopState(index, count)
                frame[variable] = item
                yield None
        finally:
            if frames and frames[-1] is frame:
                frames.pop()


def loop(scope: Scope, variable: str, value: object) -> Rounds:
    """The rounds of a `for`."""
    return Rounds(scope, variable, value)


def loop_items(value: object) -> Sequence[object]:
    """What a `for` goes through: the items of a list, the entries of a map."""
    if value is None:
        return ()
    if is_map(value):
        return [Entry(key, item) for key, item in value.items()]
    if is_collection(value) or isinstance(value, Array):
        return value if isinstance(value, Sequence) else list(value)
    raise TemplateError(f"{kind_of(value)} cannot be looped over", hint="`for` goes through a list or a map")


def default_argument(scope: Scope, name: str, value: object) -> None:
    """Give a parameter of a macro its default."""
    scope.frames[0][name] = value


def take_arguments(scope: Scope) -> None:
    """Put the arguments of a macro's call over the defaults."""
    scope.frames.append(scope.arguments)


def block(scope: Scope, name: object) -> str:
    """`block(name)`: the text of a block of this template, nothing when there is none."""
    body = scope.blocks.get(java_text(name))
    return "" if body is None else scope.capture(body)


def run_block(scope: Scope, name: str) -> Iterable[str]:
    """The block where it stands."""
    scope.budget.enter()
    try:
        yield from scope.blocks[name](scope)
    finally:
        scope.budget.depth -= 1


def fail(message: str, hint: str = "") -> object:
    """An error that waits until it is evaluated, as unknown names of filters do."""
    raise TemplateError(message, hint=hint)

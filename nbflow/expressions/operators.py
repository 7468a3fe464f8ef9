"""What operators, conditions, loops and calls mean; compiled templates call these functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

from nbflow.errors import TemplateError, UndefinedNameError, UnsafeTemplateError
from nbflow.expressions.java.numbers import double_text, to_long
from nbflow.expressions.scope import Missing, Scope
from nbflow.expressions.text import java_text, printed, printed_inside
from nbflow.expressions.values import (
    Array,
    AuthorText,
    Char,
    Entry,
    Float32,
    Frozen,
    LoopState,
    MacroText,
    Own,
    View,
    is_collection,
    is_list,
    is_map,
    is_number,
    is_string,
)

_DECIMAL128 = Context(prec=34, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144)
_EXACT = Context(prec=10_000)


def kind_of(value: object) -> str:
    """The kind of a value in words, for messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if is_number(value):
        return "a number"
    if isinstance(value, str):
        return "a text"
    if is_map(value):
        return "a map"
    if is_collection(value) or isinstance(value, Array):
        return "a list"
    return "an entry of a map" if isinstance(value, Entry) else type(value).__name__


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


def check_text(scope: Scope, text: str) -> str:
    if len(text) > scope.budget.limits.text_size:
        raise UnsafeTemplateError(f"a text may have {scope.budget.limits.text_size} characters, not more")
    return text


def check_size(scope: Scope, size: int) -> None:
    """Refuse to make a list of more items than the limit."""
    if size > scope.budget.limits.list_size:
        raise UnsafeTemplateError(f"a list may have {scope.budget.limits.list_size} items, not more")


def add(scope: Scope, left: object, right: object) -> object:
    """`+`: joins when a side is text, extends when the left is a list, else adds numbers."""
    if isinstance(left, str | Char | MacroText) or isinstance(right, str):
        if _is_text(left) or _is_text(right):
            return check_text(scope, java_text(left) + java_text(right))
    elif is_list(left):
        own = _changeable(scope, left)
        if is_collection(right):
            check_size(scope, len(own) + len(right))
            own.extend(list(right))
        else:
            check_size(scope, len(own) + 1)
            own.append(right)
        return own
    return _compute("+", left, right)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and type(value) is not Char


def _changeable(scope: Scope, items: Sequence[object]) -> Own:
    if isinstance(items, Frozen):
        raise TemplateError("this list cannot be changed")
    return scope.own(items)


def subtract(scope: Scope, left: object, right: object) -> object:
    """`-`: removes from a list, else subtracts numbers."""
    if is_list(left):
        own = _changeable(scope, left)
        if is_collection(right):
            own[:] = [item for item in own if not any(same(one, item) for one in right)]
        else:
            index = next((index for index, item in enumerate(own) if same(item, right)), None)
            if index is not None:
                del own[index]
        return own
    return _compute("-", left, right)


def multiply(left: object, right: object) -> object:
    return _compute("*", left, right)


def divide(left: object, right: object) -> object:
    return _compute("/", left, right)


def modulo(left: object, right: object) -> object:
    return _compute("%", left, right)


def minus(value: object) -> object:
    return _compute("*", -1, value)


def plus(value: object) -> object:
    return _compute("*", 1, value)


_WORDS = {"+": "added", "-": "subtracted", "*": "multiplied", "/": "divided", "%": "divided"}


def _compute(operator: str, left: object, right: object) -> object:
    if not is_number(left) or not is_number(right):
        wrong = right if is_number(left) else left
        hint = "turn the text into a number with `| number`" if isinstance(wrong, str) else ""
        raise TemplateError(f"{kind_of(wrong)} cannot be {_WORDS[operator]}", hint=hint)
    if type(left) is int and type(right) is int:
        return _long(operator, left, right)
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return _decimal(operator, Decimal(double_text(float(left))), Decimal(double_text(float(right))))
    if isinstance(left, int) and isinstance(right, int):
        return _long(operator, left, right)
    result = _double(operator, float(left), float(right))
    is_single = all(isinstance(side, int | Float32) for side in (left, right))
    return Float32(result) if is_single else result


def _long(operator: str, left: int, right: int) -> int:
    if operator == "+":
        return to_long(left + right)
    if operator == "-":
        return to_long(left - right)
    if operator == "*":
        return to_long(left * right)
    left, right = to_long(left), to_long(right)
    if right == 0:
        raise TemplateError("division by zero")
    quotient = abs(left) // abs(right)
    if (left < 0) != (right < 0):
        quotient = -quotient
    return to_long(quotient) if operator == "/" else left - quotient * right


def _double(operator: str, left: float, right: float) -> float:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if operator == "/":
        if right == 0:
            if left == 0 or left != left:
                return math.nan
            return math.copysign(math.inf, left) * math.copysign(1, right)
        return left / right
    try:
        return math.fmod(left, right)
    except ValueError:
        return math.nan


def _decimal(operator: str, left: Decimal, right: Decimal) -> Decimal:
    try:
        match operator:
            case "+":
                return _EXACT.add(left, right)
            case "-":
                return _EXACT.subtract(left, right)
            case "*":
                return _DECIMAL128.multiply(left, right)
            case "/":
                return _DECIMAL128.divide(left, right)
        return _DECIMAL128.remainder(left, right)
    except (InvalidOperation, ZeroDivisionError, ArithmeticError) as wrong:
        raise TemplateError("these decimals cannot be computed with") from wrong


def equals(left: object, right: object) -> bool:
    """`==`: numbers by value, everything else as Java's `equals`."""
    if type(left) is str and type(right) is str:
        return left == right
    if is_number(left) and is_number(right):
        return float(left) == float(right)
    return same(left, right)


def differs(left: object, right: object) -> bool:
    return not equals(left, right)


def same(left: object, right: object) -> bool:
    """Java's `equals`: both kind and value; a whole number never equals a double."""
    if left is right:
        return True
    if left is None or right is None:
        return False
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if is_number(left) or is_number(right):
        if not (is_number(left) and is_number(right)) or isinstance(left, int) is not isinstance(right, int):
            return False
        return bool(left == right) and isinstance(left, Decimal) is isinstance(right, Decimal)
    if isinstance(left, str) or isinstance(right, str):
        if not (isinstance(left, str) and isinstance(right, str)):
            return False
        if isinstance(left, MacroText) or isinstance(right, MacroText):
            return False
        return str.__eq__(left, right) and (type(left) is Char) is (type(right) is Char)
    if is_map(left):
        return is_map(right) and _same_maps(left, right)
    if isinstance(left, Array) or isinstance(right, Array):
        return False
    if is_collection(left):
        return is_collection(right) and _same_collections(left, right)
    if isinstance(left, Entry):
        return isinstance(right, Entry) and same(left.key, right.key) and same(left.value, right.value)
    return bool(left == right)


def _same_maps(left: Mapping[object, object], right: Mapping[object, object]) -> bool:
    if len(left) != len(right):
        return False
    return all(key in right and same(item, right[key]) for key, item in left.items())


def _same_collections(left: Sequence[object], right: Sequence[object]) -> bool:
    if isinstance(left, View) or isinstance(right, View):
        return (
            isinstance(left, View)
            and isinstance(right, View)
            and len(left) == len(right)
            and all(contains(right, item) for item in left)
        )
    return len(left) == len(right) and all(same(one, other) for one, other in zip(left, right, strict=True))


def _comparable(left: object, right: object) -> tuple[float, float] | None:
    if left is None or right is None:
        return None
    if not is_number(left) or not is_number(right):
        wrong = right if is_number(left) else left
        raise TemplateError(f"only numbers can be compared, and this is {kind_of(wrong)}")
    return float(left), float(right)


def greater(left: object, right: object) -> bool:
    pair = _comparable(left, right)
    return pair is not None and pair[0] > pair[1]


def greater_equal(left: object, right: object) -> bool:
    pair = _comparable(left, right)
    return pair is not None and pair[0] >= pair[1]


def less(left: object, right: object) -> bool:
    pair = _comparable(left, right)
    return pair is not None and pair[0] < pair[1]


def less_equal(left: object, right: object) -> bool:
    pair = _comparable(left, right)
    return pair is not None and pair[0] <= pair[1]


def contains(container: object, item: object) -> bool:
    """`contains`: an item of a list (all items of a list), a key of a map, a part of a text."""
    if container is None:
        return False
    if isinstance(container, Array):
        return any(same(one, item) for one in container)
    if is_collection(container):
        if is_collection(item):
            return all(any(same(one, other) for one in container) for other in item)
        return any(same(one, item) for one in container)
    if is_map(container):
        return _has_key(container, item)
    if is_string(container):
        return java_text(item) in container
    raise TemplateError(f"{kind_of(container)} contains nothing", hint="use it on a list, a map or a text")


def _has_key(container: Mapping[object, object], key: object) -> bool:
    if type(key) is str:
        return key in container
    return any(same(one, key) for one in container)


def contains_lazy(container: object, item: Callable[[], object]) -> bool:
    """`contains` that looks at its right side only when there is something on the left."""
    return container is not None and contains(container, item())


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

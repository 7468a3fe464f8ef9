"""Functions that make identifiers."""

from __future__ import annotations

import secrets
import time
import uuid

from nbflow.errors import TemplateError
from nbflow.expressions.catalog import Function
from nbflow.expressions.filters.checks import text_argument, whole_argument
from nbflow.types import new_id

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_NANO = "_-" + _BASE62
_KSUID_EPOCH = 1_400_000_000


def uuid_() -> str:
    """A random UUID.

    Example: `{{ uuid() | length }}` gives `36`
    """
    return str(uuid.uuid4())


def id_() -> str:
    """A short random identifier of letters and digits.

    Example: `{{ id() | length }}` gives `22`
    """
    return new_id()


def ksuid() -> str:
    """An identifier that sorts by the time it was made.

    Example: `{{ ksuid() | length }}` gives `27`
    """
    seconds = int(time.time()) - _KSUID_EPOCH
    number = int.from_bytes(seconds.to_bytes(4, "big") + secrets.token_bytes(16), "big")
    digits = []
    for _ in range(27):
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    return "".join(reversed(digits))


def nano_id(length: object = 21, alphabet: object = _NANO) -> str:
    """A random identifier of some length.

    Example: `{{ nanoId(length=10) | length }}` gives `10`
    """
    size = whole_argument("nanoId", "length", length)
    letters = text_argument("nanoId", "alphabet", alphabet)
    if not 1 <= size <= 1000 or not letters:
        raise TemplateError("`nanoId` makes 1 to 1000 characters out of an alphabet that is not empty")
    return "".join(secrets.choice(letters) for _ in range(size))


FUNCTIONS: dict[str, Function] = {"id": id_, "ksuid": ksuid, "nanoId": nano_id, "uuid": uuid_}

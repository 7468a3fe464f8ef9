"""The plain types that every layer shares: JSON values and identifiers."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import NewType

from typing_extensions import TypeAliasType

# A named alias: pydantic needs the name to build a recursive schema, and Python 3.11 has no `type` statement.
JsonValue = TypeAliasType("JsonValue", "dict[str, JsonValue] | list[JsonValue] | str | int | float | bool | None")

ExecutionId = NewType("ExecutionId", str)
TaskRunId = NewType("TaskRunId", str)

IDENTIFIER = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9_-]*$")
NAMESPACE = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9._-]*$")

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE = len(_ALPHABET)
_TIME_DIGITS = 9  # 62**9 microseconds reach past the year 2390
_RANDOM_DIGITS = 13  # 77 random bits

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_last_microsecond = 0
_id_lock = threading.Lock()


def new_id() -> str:
    """Return a fresh identifier: 22 base-62 characters that sort by the time of creation.

    The order makes neighbours in time neighbours in an index, and lets lists page by id; the random
    part keeps ids of several machines apart. Clients of Kestra recognise ids of letters and digits only.
    """
    global _last_microsecond
    with _id_lock:
        _last_microsecond = max(time.time_ns() // 1000, _last_microsecond + 1)
        moment = _last_microsecond
    return _digits(moment, _TIME_DIGITS) + _digits(secrets.randbelow(_BASE**_RANDOM_DIGITS), _RANDOM_DIGITS)


def derived_id(*parts: str) -> str:
    """The identifier that follows from others: the same each time, and different for different parts."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return parts[0][:_TIME_DIGITS] + _digits(int.from_bytes(digest[:16], "big") % _BASE**_RANDOM_DIGITS, _RANDOM_DIGITS)


def dated_id(moment: datetime, *parts: str) -> str:
    """As `derived_id`, for something that belongs to an instant: it sorts among the identifiers made then."""
    micros = max((moment - _EPOCH) // _MICROSECOND, 0)
    return derived_id(_digits(micros, _TIME_DIGITS), *parts)


def _digits(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, _BASE)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))

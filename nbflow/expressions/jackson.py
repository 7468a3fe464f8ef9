"""JSON as Jackson reads it: strict, whole numbers of any size, the last of two equal keys wins."""

from __future__ import annotations

import json
import math
from typing import NoReturn

from nbflow.errors import TemplateError

_AFTER_SCALAR = ("", " ", "\t", "\r", "\n")


def read_json(text: str) -> object:
    """The first JSON value of a text; what follows it is ignored, as the reference does. Raises: TemplateError."""
    try:
        bare = text.lstrip(" \t\r\n")
        value, end = _decoder().raw_decode(bare)
        if bare[end : end + 1] not in _AFTER_SCALAR and not isinstance(value, dict | list | str):
            raise ValueError(f"`{bare[: end + 1][:80]}` is no value")
    except (ValueError, RecursionError) as wrong:
        raise TemplateError(f"this is not JSON: {wrong}") from wrong
    return value


def is_json(text: str) -> bool:
    """Whether a text begins with a JSON value; blank text counts as one, as in the reference."""
    if not text.strip(" \t\r\n"):
        return True
    try:
        read_json(text)
    except TemplateError:
        return False
    return True


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def _number(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else (math.inf if value > 0 else -math.inf)


def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(parse_constant=_refuse, parse_float=_number)

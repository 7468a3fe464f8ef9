"""Sizes in bytes, as flows write them: `512Mi`, `1GB`, `1g`, or a plain number."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

_SIZE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(?:([kmgt])i?b?|b)?\s*$", re.IGNORECASE)
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4}


def read_size(value: object) -> object:
    """Turn `512Mi`, `1GB` or `1g` into bytes; others pass for pydantic to refuse."""
    if not isinstance(value, str):
        return value
    match = _SIZE.match(value)
    if match is None:
        raise ValueError(f"must be a size such as 512Mi or 2GB, got {value!r}")
    number, unit = match.groups()
    # Kestra and Docker count `1KB` as 1024 bytes, and `1k`, `1Ki` as well.
    return int(float(number) * 1024 ** _POWERS.get((unit or "").lower(), 0))


Size = Annotated[int, BeforeValidator(read_size)]
"""A number of bytes, written as `512Mi`, `2GB` or a plain number; units are powers of 1024."""

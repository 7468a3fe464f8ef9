"""Durations as text: ISO 8601 in and out. Source: ISO 8601-1:2019 section 5.5.2, as java.time.Duration reads it."""

from __future__ import annotations

import re
from datetime import timedelta

_ISO = re.compile(
    r"^(?P<sign>[-+]?)P(?:(?P<weeks>[-+]?\d+)W)?(?:(?P<days>[-+]?\d+)D)?"
    r"(?:T(?:(?P<hours>[-+]?\d+)H)?(?:(?P<minutes>[-+]?\d+)M)?(?:(?P<seconds>[-+]?\d+(?:[.,]\d{0,9})?)S)?)?$",
    re.IGNORECASE,
)


def parse_duration(text: str) -> timedelta:
    """Read an ISO 8601 duration: `PT30S`, `PT1H30M`, `P1D`, `P2W`, `PT1.5S`.

    Raises: ValueError when the text is not one.
    """
    match = _ISO.match(text.strip())
    if match is None or not any(match.group(part) for part in ("weeks", "days", "hours", "minutes", "seconds")):
        raise ValueError(f"must be an ISO 8601 duration such as PT30S, PT5M or P1D, got {text!r}")
    parts = {
        name: float(value.replace(",", "."))
        for name, value in match.groupdict().items()
        if name != "sign" and value is not None
    }
    length = timedelta(**parts)
    return -length if match.group("sign") == "-" else length


def read_duration(value: object) -> object:
    """Turn a YAML value into a timedelta where it is one; numbers are seconds. Others pass for pydantic to refuse."""
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return timedelta(seconds=value)
    return value


def format_duration(length: timedelta) -> str:
    """Write a duration as java.time.Duration prints it: hours, minutes, seconds; `PT0S` for none."""
    microseconds = round(length.total_seconds() * 1_000_000)
    if microseconds == 0:
        return "PT0S"
    sign, microseconds = ("-", -microseconds) if microseconds < 0 else ("", microseconds)
    seconds, fraction = divmod(microseconds, 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{sign}{hours}H" if hours else ""
    if minutes:
        text += f"{sign}{minutes}M"
    if seconds or fraction:
        decimals = f".{fraction:06d}".rstrip("0") if fraction else ""
        text += f"{sign}{seconds}{decimals}S"
    return "PT" + text

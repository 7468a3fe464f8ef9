"""Names of months, days, eras, halves of the day and zones in a language, and the four localized styles."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from nbflow.errors import TemplateError
from nbflow.expressions.java.moments import Moment, offset_id

_LOCALE = re.compile(r"([a-z]{2,3})?(?:[_-]([A-Z]{2}|[0-9]{3})?(?:[_-](\w+))?)?")
_WIDTHS = {1: "abbreviated", 2: "abbreviated", 3: "abbreviated", 4: "wide", 5: "narrow"}


@functools.lru_cache(maxsize=64)
def locale(name: str) -> Any:  # babel's classes have no types
    """`LocaleUtils.toLocale`. Raises: TemplateError."""
    from babel.core import Locale, UnknownLocaleError

    match = _LOCALE.fullmatch(name)
    if match is None:
        raise TemplateError(f"`{name[:40]}` is no locale", hint="write it as `fr` or `fr_FR`")
    language, country, _ = match.groups()
    for known in ("_".join(filter(None, (language, country))), language or "", "root"):
        try:
            return Locale.parse(known or "root")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse("root")


@functools.lru_cache(maxsize=256)
def _names(where: str, table: str, width: str, *, is_alone: bool) -> dict[int, str]:
    """Names by number; those that stand alone are the plain ones in a language that does not tell them apart."""
    from babel.core import Locale

    found = locale(where)
    if str(found) == "root":  # of a language that is not known: short names in English, whatever the width
        return dict(getattr(Locale.parse("en"), table)["format"]["abbreviated"])
    kinds = getattr(found, table)
    if is_alone:
        names = kinds["stand-alone"][width]
        if names != getattr(Locale.parse("root"), table)["stand-alone"][width]:
            return dict(names)
    return dict(kinds["format"][width])


def month(where: str, number: int, count: int, *, is_alone: bool = False) -> str:
    """The name of a month from 1."""
    return _names(where, "months", _WIDTHS[count], is_alone=is_alone)[number]


def day(where: str, number: int, count: int, *, is_alone: bool = False) -> str:
    """The name of a day of the week, Monday being 1."""
    return _names(where, "days", _WIDTHS[count], is_alone=is_alone)[number - 1]


def quarter(where: str, number: int, count: int, *, is_alone: bool = False) -> str:
    """The name of a quarter from 1."""
    return _names(where, "quarters", _WIDTHS[count], is_alone=is_alone)[number]


def era(where: str, year: int, count: int) -> str:
    return str(locale(where).eras[_WIDTHS[count]][1 if year > 0 else 0])


def half_of_day(where: str, hour: int) -> str:
    """`AM` or `PM` as the language writes it."""
    names = locale(where).day_periods["format"]
    key = "pm" if hour >= 12 else "am"
    for width in ("wide", "abbreviated"):
        if key in names.get(width, {}):
            return str(names[width][key])
    return key.upper()


def week_rules(where: str) -> tuple[int, int]:
    """The first day of the week, Monday being 1, and the days that its first week of a year must have."""
    found = locale(where)
    if not found.territory:
        return 7, 1
    return int(found.first_week_day) + 1, int(found.min_week_days)


def zone_name(where: str, moment: Moment, *, is_long: bool) -> str:
    """The name of a zone: `CET` or `Central European Standard Time`."""
    from babel.dates import get_timezone_name

    if moment.zone.fixed is not None and moment.zone.id not in ("UTC", "GMT", "UT"):
        return moment.zone.id
    if moment.zone.fixed is not None:
        return _universal(moment.zone.id, is_long=is_long)
    present = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=moment.epoch)
    local = present.astimezone(moment.zone.rules())
    if is_long:
        if moment.zone.id in ("Etc/UTC", "Etc/UCT", "Zulu", "Etc/Zulu", "Universal", "Etc/Universal", "UCT"):
            return _universal("UTC", is_long=True)
        return str(get_timezone_name(local, width="long", locale=locale(where)))
    name = local.tzname() or ""
    return name if name[:1].isalpha() else "GMT" + offset_id(moment.offset).replace("Z", "")


def _universal(name: str, *, is_long: bool) -> str:
    if not is_long or name == "UT":
        return name
    return "Greenwich Mean Time" if name == "GMT" else "Coordinated Universal Time"


@functools.lru_cache(maxsize=256)
def style_pattern(style: str, where: str) -> str:
    """The pattern of `full`, `long`, `medium` or `short` in a language."""
    found = locale(where)
    date = str(found.date_formats[style].pattern)
    time = str(found.time_formats[style].pattern)
    joined = str(found.datetime_formats[style])
    return joined.replace("{1}", date).replace("{0}", time)


def check_locale(name: str) -> None:
    """Raises: TemplateError for what is no locale."""
    if name != "en":
        locale(name)

"""Names of months, days, eras, halves of the day and zones in a language, and the four localized styles."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from nbflow.errors import TemplateError
from nbflow.expressions.java.moments import Moment, offset_id

_LOCALE = re.compile(r"([a-z]{2,3})?(?:[_-]([A-Z]{2}|[0-9]{3})?(?:[_-](\w+))?)?")
_ENGLISH_STYLES = {
    "full": "EEEE, MMMM d, y, h:mm:ss\u202fa zzzz",
    "long": "MMMM d, y, h:mm:ss\u202fa z",
    "medium": "MMM d, y, h:mm:ss\u202fa",
    "short": "M/d/yy, h:mm\u202fa",
}
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


_MONTHS = "January February March April May June July August September October November December"
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"


def _english(table: str, width: str) -> dict[int, str]:
    """English names without babel, which takes long to load: nearly all dates are written in digits or in English."""
    if table == "quarters":
        names = ["1st quarter", "2nd quarter", "3rd quarter", "4th quarter"]
        short = ["Q1", "Q2", "Q3", "Q4"]
    else:
        names = (_MONTHS if table == "months" else _DAYS).split()
        short = [name[:3] for name in names]
    first = 0 if table == "days" else 1
    narrow = ["1", "2", "3", "4"] if table == "quarters" else [name[0] for name in names]
    return dict(enumerate({"wide": names, "abbreviated": short, "narrow": narrow}[width], first))


@functools.lru_cache(maxsize=256)
def _names(where: str, table: str, width: str, *, is_alone: bool) -> dict[int, str]:
    """Names by number; those that stand alone are the plain ones in a language that does not tell them apart."""
    if where == "en":
        return _english(table, width)
    from babel.core import Locale

    found = locale(where)
    if str(found) == "root":  # of a language that is not known: short names in English, whatever the width
        return _english(table, "abbreviated")
    kinds, root = getattr(found, table), getattr(Locale.parse("root"), table)
    if is_alone and kinds["stand-alone"][width] != root["stand-alone"][width]:
        return dict(kinds["stand-alone"][width])
    names = kinds["format"][width]
    if found.language != "en" and table != "quarters" and names == root["format"][width]:
        names = kinds["format"]["wide"] if width == "abbreviated" else kinds["stand-alone"][width]
    return dict(names)


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
    if where == "en":
        return {"wide": ("Before Christ", "Anno Domini"), "abbreviated": ("BC", "AD"), "narrow": ("B", "A")}[
            _WIDTHS[count]
        ][year > 0]
    found = locale(where)
    width = "abbreviated" if found.language == "de" else _WIDTHS[count]
    return str(found.eras[width][int(year > 0)])


def half_of_day(where: str, hour: int) -> str:
    """`AM` or `PM` as the language writes it."""
    key = "pm" if hour >= 12 else "am"
    if where == "en":
        return key.upper()
    names = locale(where).day_periods["format"]
    for width in ("wide", "abbreviated"):
        if key in names.get(width, {}):
            return str(names[width][key])
    return key.upper()


def week_rules(where: str) -> tuple[int, int]:
    """The first day of the week, Monday being 1, and the days that its first week of a year must have."""
    if where == "en":
        return 7, 1
    found = locale(where)
    if not found.territory:
        return 7, 1
    return int(found.first_week_day) + 1, int(found.min_week_days)


def zone_name(where: str, moment: Moment, *, is_long: bool, is_generic: bool = False) -> str:
    """The name of a zone: `CET` or `Central European Standard Time`; a generic one tells no summer from winter."""
    if moment.zone.fixed is not None:
        if moment.zone.id not in ("UTC", "GMT", "UT"):
            return moment.zone.id
        return _universal(moment.zone.id, is_long=is_long)
    if moment.zone.id in ("Etc/UTC", "Etc/UCT", "Zulu", "Etc/Zulu", "Universal", "Etc/Universal", "UCT"):
        return _universal("UTC", is_long=is_long)
    present = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=moment.epoch)
    local = present.astimezone(moment.zone.rules())
    short = local.tzname() or ""
    if is_long:
        return _long_zone_name(where, local, short, is_generic=is_generic)
    if is_generic and re.fullmatch("[A-Z]{1,2}[SD]T", short):
        return short[:-2] + "T"
    if where != "en":
        from babel.dates import get_timezone_name

        named = str(get_timezone_name(local, width="short", locale=locale(where)))
        if named.isalpha() and named != "UTC":
            return named
    return short if short[:1].isalpha() else "GMT" + offset_id(moment.offset).replace("Z", "")


def _long_zone_name(where: str, local: datetime, short: str, *, is_generic: bool) -> str:
    from babel.dates import get_timezone_name

    if short == "IST" and local.utcoffset() == timedelta(hours=5, minutes=30) and where.startswith("en"):
        return "India Standard Time"  # missing in babel
    if is_generic:
        return str(get_timezone_name(local, width="long", locale=locale(where), zone_variant="generic"))
    return str(get_timezone_name(local, width="long", locale=locale(where)))


def _universal(name: str, *, is_long: bool) -> str:
    if not is_long or name == "UT":
        return name
    return "Greenwich Mean Time" if name == "GMT" else "Coordinated Universal Time"


@functools.lru_cache(maxsize=256)
def style_pattern(style: str, where: str) -> str:
    """The pattern of `full`, `long`, `medium` or `short` in a language."""
    if where == "en":
        return _ENGLISH_STYLES[style]
    found = locale(where)
    date = str(found.date_formats[style].pattern)
    time = str(found.time_formats[style].pattern)
    joined = str(found.datetime_formats[style])
    return joined.replace("{1}", date).replace("{0}", time)


def check_locale(name: str) -> None:
    """Raises: TemplateError for what is no locale."""
    if name != "en":
        locale(name)

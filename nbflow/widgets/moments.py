"""Instants for people: in the zone of this machine, and how far away they are."""

from __future__ import annotations

from datetime import datetime, timedelta


def zone_name(moment: datetime) -> str:
    """What the zone of this machine is called at an instant."""
    return moment.astimezone().tzname() or "local time"


def local(moment: datetime | None) -> str:
    """An instant in the zone of this machine; nothing for None."""
    return "" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def day(moment: datetime) -> str:
    """An instant in the zone of this machine; of midnight the date alone."""
    here = moment.astimezone()
    return here.strftime("%Y-%m-%d" if (here.hour, here.minute, here.second) == (0, 0, 0) else "%Y-%m-%d %H:%M")


def away(moment: datetime, now: datetime) -> str:
    """How far an instant is away: `in 3 h`, `2 min ago`, `now`."""
    distance = moment - now
    words = span(abs(distance))
    if words == "0 s":
        return "now"
    return f"in {words}" if distance > timedelta() else f"{words} ago"


def span(length: timedelta) -> str:
    """A length of time in its largest unit or two: `42 s`, `5 min`, `3 h 20 min`, `1 d 4 h`, `12 d`."""
    total = round(length.total_seconds())
    if total < 60:
        return f"{total} s"
    minutes, hours, days = total // 60, total // 3600, total // 86_400
    if minutes < 60:
        return f"{minutes} min"
    if hours < 24:
        rest = minutes % 60
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    rest = hours % 24
    return f"{days} d {rest} h" if rest and days < 10 else f"{days} d"

"""Whether a text is a cron expression, and if not, which field is wrong and what may stand there."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from nbflow.nearest import did_you_mean

_NICKNAMES = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_FIELDS = (
    ("minute", "0 to 59", 59),
    ("hour", "0 to 23", 23),
    ("day of month", "1 to 31", 31),
    ("month", "1 to 12, or JAN to DEC", 12),
    ("day of week", "0 to 7 (0 and 7 are Sunday), or SUN to SAT", 7),
)
_SECOND = ("second", "0 to 59", 59)
_RANDOM = re.compile(r"(?:^|,)[rh](?![a-z])", re.IGNORECASE)  # croniter draws a number for it, anew each time
_STEP = re.compile(r"/(\d+)")
_LEAP_YEAR = datetime(2024, 1, 1, tzinfo=UTC)


def check_cron(text: str, with_seconds: bool = False) -> str:
    """The expression, without blanks around it. Raises: ValueError saying what is wrong, where and how to mend it.

    Source: POSIX crontab, and the nicknames of Vixie cron; with seconds, these come first.
    """
    from croniter import CroniterBadCronError, CroniterBadDateError, croniter

    text = text.strip()
    if text.startswith("@"):
        if text.lower() in _NICKNAMES:
            return text.lower()
        raise ValueError(f"`{text}` is no cron expression; write one of {', '.join(_NICKNAMES)}, or five fields")
    fields = (_SECOND, *_FIELDS) if with_seconds else _FIELDS
    parts = text.split()
    if len(parts) != len(fields):
        names = ", ".join(name for name, _, _ in fields)
        more = " (six fields need `withSeconds: true`)" if len(parts) == 6 and not with_seconds else ""
        raise ValueError(
            f"`{text}` must be a cron expression of {len(fields)} fields ({names}), such as "
            f'"{"0 " if with_seconds else ""}0 9 * * *"; it has {len(parts)}{more}'
        )
    for number, (part, (name, allowed, most)) in enumerate(zip(parts, fields, strict=True)):
        alone = ["*"] * len(fields)
        alone[number] = part
        try:
            if _RANDOM.search(part) or any(int(step) > most for step in _STEP.findall(part)):
                raise ValueError("croniter accepts it, cron does not")
            croniter.expand(" ".join(alone), second_at_beginning=with_seconds)
        except (CroniterBadCronError, ValueError, KeyError) as cause:
            raise ValueError(
                f"field {number + 1} ({name}) of the cron expression `{text}` must be {allowed}, got `{part}`"
            ) from cause
    try:
        croniter(text, _LEAP_YEAR, second_at_beginning=with_seconds).get_next(datetime)
    except CroniterBadDateError as cause:
        raise ValueError(f"`{text}` names a date that never comes; change its day or its month") from cause
    except CroniterBadCronError as cause:
        raise ValueError(f"`{text}` is no cron expression: {cause}") from cause
    return text


def check_timezone(text: str) -> str:
    """The name of a time zone. Raises: ValueError with the nearest names when there is none of it."""
    name = text.strip()
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as cause:
        from zoneinfo import available_timezones

        hint = did_you_mean(name, sorted(available_timezones()), 2).rstrip("?") or "write `Europe/Paris`"
        raise ValueError(f"there is no time zone `{text}`; {hint}") from cause
    return name

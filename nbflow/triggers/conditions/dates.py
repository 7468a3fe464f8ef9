"""Conditions about a date: a day of the week, a time of day, a holiday."""

from __future__ import annotations

import importlib
import locale
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from nbflow.errors import TemplateError
from nbflow.plugins import Facts, Question, Text, condition_type
from nbflow.triggers.conditions import old_names
from nbflow.triggers.moments import Instant, TimeOfDay, iso_instant

_CORE = "io.kestra.plugin.core.condition"


class Weekday(StrEnum):
    """A day of the week."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"

    @property
    def number(self) -> int:
        """0 for Monday, as `date.weekday()` has it."""
        return list(Weekday).index(self)


class DayInMonth(StrEnum):
    """Which of a month's Mondays, Tuesdays …"""

    FIRST = "FIRST"
    SECOND = "SECOND"
    THIRD = "THIRD"
    FOURTH = "FOURTH"
    LAST = "LAST"


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class DateQuestion(Question):
    """A condition about a date; that of the trigger unless `date` says otherwise."""

    date: Text | None = Field(default=None, description="Date to look at; that of the trigger unless said.")

    def moment(self, facts: Facts) -> datetime:
        """The date in question. Raises: TemplateError when `date` renders to none."""
        if self.date is None:
            return facts.date
        text = facts.render(self.date).strip()
        try:
            moment = iso_instant(text)
        except ValueError as cause:
            raise TemplateError(f"`date` must render to an ISO 8601 date, got {text!r}") from cause
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


@condition_type(f"{_CORE}.DayWeek", old_names=old_names("DayWeek"))
class DayWeek(DateQuestion):
    """Whether the date is a given day of the week."""

    day_of_week: Annotated[Weekday, BeforeValidator(_upper)] = Field(description="MONDAY … SUNDAY.")

    def holds(self, facts: Facts) -> bool:
        return self.moment(facts).weekday() == self.day_of_week.number


@condition_type(f"{_CORE}.DayWeekInMonth", old_names=old_names("DayWeekInMonth"))
class DayWeekInMonth(DateQuestion):
    """Whether the date is the first, second, third, fourth or last such day of its month."""

    day_of_week: Annotated[Weekday, BeforeValidator(_upper)] = Field(description="MONDAY … SUNDAY.")
    day_in_month: Annotated[DayInMonth, BeforeValidator(_upper)] = Field(
        description="FIRST, SECOND, THIRD, FOURTH or LAST."
    )

    def holds(self, facts: Facts) -> bool:
        day = self.moment(facts).date()
        if day.weekday() != self.day_of_week.number:
            return False
        if self.day_in_month is DayInMonth.LAST:
            return (day + timedelta(days=7)).month != day.month
        return (day.day - 1) // 7 == list(DayInMonth).index(self.day_in_month)


@condition_type(f"{_CORE}.Weekend", old_names=old_names("Weekend"))
class Weekend(DateQuestion):
    """Whether the date is a Saturday or a Sunday."""

    def holds(self, facts: Facts) -> bool:
        return self.moment(facts).weekday() >= Weekday.SATURDAY.number


@condition_type(f"{_CORE}.PublicHoliday", old_names=old_names("PublicHoliday"))
class PublicHoliday(DateQuestion):
    """Whether the date is a public holiday of a country."""

    country: Text | None = Field(
        default=None, description="ISO 3166 code of the country, such as FR; that of the machine's locale unless said."
    )
    sub_division: Text | None = Field(default=None, description="ISO 3166-2 code of a part of it.")

    def holds(self, facts: Facts) -> bool:
        try:
            holidays: Any = importlib.import_module("holidays")  # Any: an optional package without types of its own
        except ModuleNotFoundError as missing:
            # Not MissingExtraError: who asks is told that this cannot be answered, as by `isPublicHoliday()`.
            raise TemplateError(
                "the condition PublicHoliday needs the package `holidays`",
                hint="pip install 'jupyter-nbflow[holidays]'",
            ) from missing
        country = facts.render(self.country).strip().upper() if self.country else country_of_the_machine()
        part = facts.render(self.sub_division).strip().upper() if self.sub_division else None
        part = part.removeprefix(f"{country}-") if part else None
        day: date = self.moment(facts).date()
        try:
            return day in holidays.country_holidays(country, subdiv=part, years=day.year)
        except NotImplementedError as cause:
            place = f"{country} {part}" if part else country
            raise TemplateError(f"the holidays of {place} are not known") from cause


@condition_type(f"{_CORE}.DateTimeBetween", old_names=old_names("DateTimeBetween"))
class DateTimeBetween(DateQuestion):
    """Whether the date is not before one instant, not after another, or both."""

    after: Instant | None = Field(default=None, description="The earliest date.")
    before: Instant | None = Field(default=None, description="The latest date.")

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        _check_bounds(self.after, self.before)
        return self

    def holds(self, facts: Facts) -> bool:
        moment = self.moment(facts)
        after, before = (_in_zone(bound, moment) for bound in (self.after, self.before))
        return (after is None or moment >= after) and (before is None or moment <= before)


@condition_type(f"{_CORE}.TimeBetween", old_names=old_names("TimeBetween"))
class TimeBetween(DateQuestion):
    """Whether the time of day is after one time, before another, or both; it may span midnight."""

    after: TimeOfDay | None = Field(default=None, description="The time must be after this, such as 16:00:00+02:00.")
    before: TimeOfDay | None = Field(default=None, description="The time must be before this.")

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        _check_bounds(self.after, self.before)
        return self

    def holds(self, facts: Facts) -> bool:
        moment = self.moment(facts)
        late = self.after is None or _time_in(moment, self.after) > self.after.replace(tzinfo=None)
        early = self.before is None or _time_in(moment, self.before) < self.before.replace(tzinfo=None)
        if self.after and self.before and self.after.replace(tzinfo=None) > self.before.replace(tzinfo=None):
            return late or early
        return late and early


def country_of_the_machine() -> str:
    """The country of the locale; of `en`, which names none, the one that its language is commonly set to."""
    name = locale.getlocale()[0] or ""
    _, _, country = name.partition("_")
    return country.upper() or "US"


def _check_bounds(after: object, before: object) -> None:
    if after is None and before is None:
        raise ValueError("needs `after`, `before` or both")


def _in_zone(bound: datetime | None, moment: datetime) -> datetime | None:
    return bound.replace(tzinfo=moment.tzinfo) if bound is not None and bound.tzinfo is None else bound


def _time_in(moment: datetime, bound: time) -> time:
    """The time of day of a moment, in the zone of a bound if that has one."""
    return (moment.astimezone(bound.tzinfo) if bound.tzinfo is not None else moment).time()

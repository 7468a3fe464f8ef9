"""Whether something that is in memory is what a search asks for: every operation of a filter on plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from nbflow.server.errors import RequestError
from nbflow.server.filters import Condition, Filter, read_instant, read_range

Value = str | bool | datetime | Mapping[str, str] | None
Row = Mapping[str, Value]
"""What a filter can ask of something: name of the field → value. `q` is looked for in `namespace` and `id`."""

_REGEX_SECONDS = 0.2


def matcher(wanted: Filter) -> Callable[[Row], bool]:
    """A test for rows. Raises: RequestError for a condition that cannot be read; the test itself raises nothing."""
    tests = [_test(condition) for condition in wanted.conditions]
    choices = [[matcher(member) for member in choice] for choice in wanted.choices]
    return lambda row: (
        all(test(row) for test in tests) and all(any(member(row) for member in choice) for choice in choices)
    )


def _test(condition: Condition) -> Callable[[Row], bool]:
    field, key = condition.field, condition.key
    if field == "scope":
        return lambda row: True  # there are no system flows to tell apart
    if field == "q":
        part = condition.value.lower()
        return lambda row: any(part in str(row.get(name) or "").lower() for name in ("namespace", "id"))
    if field == "timeRange":
        since = datetime.now(UTC) - read_range(condition)
        return lambda row: _is_date(row.get("startDate"), lambda date: date >= since)
    if field in ("startDate", "endDate"):
        return _date_test(condition)
    compare = _comparison(condition)

    def test(row: Row) -> bool:
        value = row.get(field)
        if isinstance(value, Mapping):
            value = value.get(key)
        return compare(None if value is None else str(value).lower() if isinstance(value, bool) else str(value))

    return test


def _date_test(condition: Condition) -> Callable[[Row], bool]:
    operation, moment = condition.operation, read_instant(condition)
    compare: dict[str, Callable[[datetime], bool]] = {
        "EQUALS": lambda date: date == moment,
        "NOT_EQUALS": lambda date: date != moment,
        "GREATER_THAN": lambda date: date > moment,
        "GREATER_THAN_OR_EQUAL_TO": lambda date: date >= moment,
        "LESS_THAN": lambda date: date < moment,
        "LESS_THAN_OR_EQUAL_TO": lambda date: date <= moment,
    }
    if operation not in compare:
        raise RequestError(f"`{condition.field}` cannot be asked for with {operation}", path=condition.field)
    return lambda row: _is_date(row.get(condition.field), compare[operation])


def _is_date(value: Value, test: Callable[[datetime], bool]) -> bool:
    return isinstance(value, datetime) and test(value)


def _comparison(condition: Condition) -> Callable[[str | None], bool]:
    operation, value, values = condition.operation, condition.value, set(condition.value.split(","))
    match operation:
        case "EQUALS":
            return lambda found: found == value or (condition.field == "state" and found in values)
        case "NOT_EQUALS":
            return lambda found: found != value
        case "IN":
            return lambda found: found in values
        case "NOT_IN":
            return lambda found: found not in values
        case "CONTAINS":
            return lambda found: found is not None and value.lower() in found.lower()
        case "NOT_CONTAINS":
            return lambda found: found is None or value.lower() not in found.lower()
        case "STARTS_WITH":
            return lambda found: found is not None and found.lower().startswith(value.lower())
        case "ENDS_WITH":
            return lambda found: found is not None and found.lower().endswith(value.lower())
        case "PREFIX":
            return lambda found: found is not None and (found == value or found.startswith(f"{value}."))
        case "IS_NULL":
            return lambda found: found is None
        case "IS_NOT_NULL":
            return lambda found: found is not None
        case "REGEX":
            return _regex(value, condition.field)
    raise RequestError(f"`{condition.field}` cannot be asked for with {operation}", path=f"filters[{condition.field}]")


def _regex(pattern: str, field: str) -> Callable[[str | None], bool]:
    import regex

    try:
        compiled = regex.compile(pattern)
    except regex.error as cause:
        raise RequestError(f"`{pattern}` is no regular expression: {cause}", path=f"filters[{field}]") from None

    def test(found: str | None) -> bool:
        try:
            return found is not None and compiled.search(found, timeout=_REGEX_SECONDS) is not None
        except TimeoutError:
            return False

    return test

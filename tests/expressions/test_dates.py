"""Dates are read, moved and written as Kestra does it with `java.time`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from nbflow.errors import TemplateError
from nbflow.expressions import Environment, render
from nbflow.testing import FakeClock

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "dates.yaml").read_text(encoding="utf-8"))
WHEN = "2025-03-30T14:05:09.123456789+02:00[Europe/Paris]"


@pytest.fixture(autouse=True)
def utc_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["expression"])
def test_dates_agree_with_the_recorded_engine(case: Mapping[str, object]) -> None:
    expression, variables = str(case["expression"]), {"when": WHEN}
    if "error" in case:
        with pytest.raises(TemplateError):
            render(expression, variables)
    else:
        assert render(expression, variables) == case["expected"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2025, 7, 1, 12, tzinfo=UTC), "2025-07-01T14:00:00.000000+02:00"),
        (datetime(2025, 7, 1, 12, tzinfo=timezone(timedelta(hours=-5))), "2025-07-01T19:00:00.000000+02:00"),
        (datetime(2025, 7, 1, 12, tzinfo=ZoneInfo("Asia/Tokyo")), "2025-07-01T05:00:00.000000+02:00"),
        (datetime(2025, 7, 1, 12, 0, 0, 250), "2025-07-01T12:00:00.000250+02:00"),
        (date(2025, 7, 1), "2025-07-01T12:00:00.000000+02:00"),  # Kestra takes noon for a date that is no text
        (1751364000, "2025-07-01T12:00:00.000000+02:00"),
        ("2025-07-01", "2025-07-01T00:00:00.000000+02:00"),
    ],
)
def test_values_of_python_are_read_as_their_java_twins(value: object, expected: str) -> None:
    assert render("{{ value | date(timeZone='Europe/Paris') }}", {"value": value}) == expected


def test_the_zone_of_the_machine_is_used_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    assert render("{{ '2025-01-15T12:00:00Z' | date('iso_sec') }}") == "2025-01-15T07:00:00-05:00"
    assert render("{{ '2025-01-15T12:00:00' | timestamp }}") == "1736960400"


def test_now_reads_the_clock_of_the_environment() -> None:
    environment = Environment(clock=FakeClock(datetime(2025, 3, 30, 0, 59, 59, tzinfo=UTC)))
    assert environment.render("{{ now() }}", {}) == "2025-03-30T00:59:59.000000Z"
    assert environment.render("{{ now('iso_sec', 'Europe/Paris') }}", {}) == "2025-03-30T01:59:59+01:00"
    assert environment.render("{{ now('EEEE', 'UTC', locale='fr') }}", {}) == "dimanche"
    assert environment.render("{{ now() | dateAdd(1, 'SECONDS', 'HH:mm', 'Europe/Paris') }}", {}) == "03:00"


def test_timestamp_is_a_number_and_its_finer_twins_are_texts() -> None:
    environment = Environment()
    assert environment.render_typed("{{ when | timestamp }}", {"when": WHEN}) == 1743336309
    assert environment.render_typed("{{ when | timestampNano }}", {"when": WHEN}) == "1743336309123456789"
    assert environment.render_typed("{{ when | timestampMicro }}", {"when": WHEN}) == "1743336309000123456"
    assert render("{{ when | timestampMilli }}", {"when": WHEN}) == "1743336309123"


def test_the_week_of_the_month_is_that_of_java_19_and_later() -> None:
    assert render("{{ when | date('F', 'Europe/Paris') }}", {"when": WHEN}) == "5"


@pytest.mark.parametrize(
    ("style", "expected"),
    [("medium", "Mar 30, 2025, 2:05:09\u202fPM"), ("short", "3/30/25, 2:05\u202fPM")],
)
def test_styles_have_the_narrow_space_of_java_20_and_later(style: str, expected: str) -> None:
    assert render(f"{{{{ when | date('{style}', 'Europe/Paris') }}}}", {"when": WHEN}) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "{{ when | date('yyyy' , 'Europe/Paris', null, 'de_DE.UTF-8') }}",
        "{{ 99999999999999999 | date }}",
        "{{ '2025-01-15' | dateAdd(9223372036854775807, 'YEARS') }}",
        "{{ '2025-01-15' | dateAdd(9223372036854775807, 'DAYS') }}",
        "{{ '+999999999-12-31' | dateAdd(1, 'DAYS') }}",
    ],
)
def test_what_is_out_of_range_is_an_error_of_the_expression(expression: str) -> None:
    with pytest.raises(TemplateError):
        render(expression, {"when": WHEN})


def test_english_dates_load_no_locale_library() -> None:
    program = (
        "import sys; from nbflow.expressions import render\n"
        "print(render(\"{{ '2025-03-30T12:00:00Z' | date('EEEE d MMMM yyyy h a z', 'UTC') }}\"))\n"
        "sys.exit('babel' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.strip()) == (0, "Sunday 30 March 2025 12 PM UTC")

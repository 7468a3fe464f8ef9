"""`numberFormat` writes numbers as Java's `DecimalFormat` does."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from nbflow.errors import TemplateError
from nbflow.expressions import render
from nbflow.expressions.filters.number_format import format_number
from nbflow.expressions.values import Float32

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "number_formats.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["expression"])
def test_number_formats_agree_with_the_recorded_engine(case: dict[str, object]) -> None:
    expression = str(case["expression"])
    if "error" in case:
        with pytest.raises(TemplateError):
            render(expression)
    else:
        assert render(expression) == case["expected"]


@pytest.mark.parametrize(
    ("value", "pattern", "expected"),
    [
        (1.005, "0.00", "1.00"),  # its binary value lies below the tie
        (99.995, "0.00", "100.00"),  # and this one above it
        (0.125, "0.00", "0.12"),  # a true tie goes to the even digit
        (0.375, "0.00", "0.38"),
        (Decimal("1.005"), "0.00", "1.00"),
        (Decimal("1.015"), "0.00", "1.02"),
    ],
)
def test_ties_are_rounded_to_even_by_exact_value(value: float | Decimal, pattern: str, expected: str) -> None:
    assert format_number(value, pattern) == expected


def test_no_more_digits_are_shown_than_a_double_prints() -> None:
    assert format_number(0.1, "0." + "0" * 20) == "0.10000000000000000000"


def test_a_number_of_single_precision_shows_its_double() -> None:
    assert format_number(Float32(3.14), "0.0000000000") == "3.1400001049"


@pytest.mark.parametrize(
    ("value", "expected"), [(float("inf"), "<∞>"), (float("-inf"), "-<∞>"), (float("nan"), "NaN"), (-0.0, "-<0>")]
)
def test_special_doubles_keep_their_java_form(value: float, expected: str) -> None:
    assert format_number(value, "<0>") == expected


def test_huge_numbers_are_written_in_full() -> None:
    assert format_number(2**63 - 1, "#,##0") == "9,223,372,036,854,775,807"
    assert format_number(Decimal("12345678901234567890.125"), "#,##0.00") == "12,345,678,901,234,567,890.12"
    assert format_number(1e300, "0") == "1" + "0" * 300


def test_without_a_pattern_thousands_are_grouped_and_three_places_kept() -> None:
    assert format_number(1234567.8916, None) == "1,234,567.892"


def test_an_empty_pattern_groups_and_rounds_nothing() -> None:
    assert format_number(1234567.8915, "") == "1,234,567.8915"


@pytest.mark.parametrize("pattern", ["0.0.0", "0#0", "#,", "0%%", "0E", ";0", "0;0;0", "0" * 2000])
def test_a_pattern_that_java_refuses_is_an_error(pattern: str) -> None:
    with pytest.raises(TemplateError):
        format_number(1, pattern)

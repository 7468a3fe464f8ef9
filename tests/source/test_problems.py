"""Problems as people see them."""

from __future__ import annotations

from nbflow.errors import Problem
from nbflow.source import compiler_line, compiler_lines, render_problems

TEXT = "id: etl\ntasks:\n  - id: a\n    retry:\n      maxAttempts: 0\n\tx: 1\n"
RETRY = Problem(
    "must be at least 1, got 0",
    5,
    20,
    "tasks[0].retry.maxAttempts",
    "give 1 or more, or drop `retry` to run once",
    length=1,
)


def test_an_excerpt_has_a_caret_below_the_fault_and_the_mend() -> None:
    assert render_problems([RETRY], TEXT, "flows/etl.yaml") == (
        "flows/etl.yaml:5:20  tasks[0].retry.maxAttempts: must be at least 1, got 0\n"
        "    5 |       maxAttempts: 0\n"
        "      |                    ^\n"
        "   mend: give 1 or more, or drop `retry` to run once"
    )


def test_the_whole_fault_is_underlined() -> None:
    rendered = render_problems([Problem("is odd", 1, 5, "id", length=3)], TEXT)
    assert rendered == "1:5  id: is odd\n    1 | id: etl\n      |     ^^^"


def test_warnings_say_so() -> None:
    rendered = render_problems([Problem("is old", 1, 1, "id", severity="warning", length=2)], TEXT)
    assert rendered.startswith("1:1  warning: id: is old\n")


def test_a_tab_before_the_fault_keeps_the_caret_in_place() -> None:
    assert render_problems([Problem("x", 6, 2, length=1)], TEXT).splitlines()[1:] == ["    6 | \tx: 1", "      | \t^"]


def test_a_long_line_is_cut_around_the_fault() -> None:
    text = f"a: {'x' * 500}!{'y' * 500}"
    _, line, carets = render_problems([Problem("stop", 1, 504, length=1)], text).splitlines()
    assert len(line) < 180
    assert line[carets.index("^")] == "!"


def test_a_place_after_the_end_still_renders() -> None:
    assert render_problems([Problem("more", 99, 5)], "a") == "99:5  more"
    assert render_problems([Problem("more", 1, 9)], "a") == "1:9  more\n    1 | a\n      |  ^"


def test_one_line_each_as_compilers_write() -> None:
    warning = Problem("is old", 1, 1, severity="warning")
    assert compiler_lines([RETRY, warning], "flows/etl.yaml") == (
        "flows/etl.yaml:5:20: error: tasks[0].retry.maxAttempts: must be at least 1, got 0 "
        "(give 1 or more, or drop `retry` to run once)\n"
        "flows/etl.yaml:1:1: warning: is old"
    )
    assert compiler_line(warning) == "1:1: warning: is old"

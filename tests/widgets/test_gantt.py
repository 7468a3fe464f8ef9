"""Rows and bars of a Gantt chart, and the chart as text."""

from __future__ import annotations

from dataclasses import replace

from nbflow.model.execution import Attempt
from nbflow.model.state import State
from nbflow.widgets.gantt import gantt, hidden_text, seconds, text_gantt
from tests.widgets.run_records import at, execution, history, task_run


def test_a_row_stands_below_the_task_it_lies_in() -> None:
    runs = [
        replace(task_run("outer", 0, 6), attempts=()),
        task_run("last", 6, 7),
        task_run("first", 0, 2, parent="outer"),
        task_run("second", 2, 6, parent="outer"),
    ]
    chart = gantt(execution(), runs, at(20))
    assert [(row.label, row.depth) for row in chart.rows] == [("outer", 0), ("first", 1), ("second", 1), ("last", 0)]
    assert chart.length == 10


def test_each_attempt_and_the_wait_between_them_is_a_bar() -> None:
    moves = history(
        *((State.CREATED, 0), (State.RUNNING, 1), (State.RETRYING, 2), (State.RUNNING, 5), (State.SUCCESS, 6))
    )
    attempts = (
        Attempt(history((State.CREATED, 1), (State.FAILED, 2))),
        Attempt(history((State.CREATED, 5), (State.SUCCESS, 6))),
    )
    run = replace(task_run("flaky", 0, 6), history=moves, attempts=attempts)
    row = gantt(execution(), [run], at(20)).rows[0]
    assert [(bar.start, bar.end, bar.state) for bar in row.bars] == [
        (1.0, 2.0, State.FAILED),
        (2.0, 5.0, State.RETRYING),
        (5.0, 6.0, State.SUCCESS),
    ]
    assert [bar.is_waiting for bar in row.bars] == [False, True, False]
    assert row.attempts == 2


def test_what_still_runs_has_no_end_and_reaches_now() -> None:
    chart = gantt(execution(State.RUNNING), [task_run("slow", 1, None)], at(4))
    assert chart.rows[0].bars[0].end is None
    assert chart.rows[0].seconds(chart.now) == 3
    assert chart.length == 4


def test_what_a_replay_took_over_stands_at_the_left_edge_with_the_time_it_took() -> None:
    chart = gantt(execution(), [task_run("before", -30, -28)], at(9))
    assert [(bar.start, bar.end) for bar in chart.rows[0].bars] == [(0.0, 0.0)]
    assert chart.rows[0].seconds(chart.now) == 2
    assert "before" in text_gantt(execution(), [task_run("before", -30, -28), task_run("after", 0, 9)], at(9))


def test_a_loop_row_names_the_value_of_its_round() -> None:
    chart = gantt(execution(), [task_run("each", 0, 1, value="b"), task_run("each", 0, 1, value="x" * 60)], at(9))
    assert chart.rows[0].label == "each [b]"
    assert chart.rows[1].label == f"each [{'x' * 39}…]"


def test_a_task_without_attempt_that_was_skipped_is_a_point() -> None:
    skipped = replace(task_run("no", 2, 2), history=history((State.CREATED, 2), (State.SKIPPED, 2)), attempts=())
    assert [(bar.start, bar.end) for bar in gantt(execution(), [skipped], at(9)).rows[0].bars] == [(2.0, 2.0)]


def test_with_too_many_rows_failures_and_running_ones_are_kept() -> None:
    runs = [replace(task_run("loop", 0, None, State.RUNNING), attempts=())]
    runs += [task_run("each", 0, 1, value=str(number), parent="loop") for number in range(1000)]
    runs[700] = task_run("each", 0, 1, State.FAILED, value="699", parent="loop")
    runs[900] = task_run("each", 0, None, value="899", parent="loop")
    chart = gantt(execution(State.RUNNING), runs, at(2), max_rows=10)
    labels = [row.label for row in chart.rows]
    assert len(labels) == 10
    assert {"loop", "each [699]", "each [899]", "each [0]"} <= set(labels)
    assert labels[0] == "loop"
    assert hidden_text(chart.hidden) == "991 more: 991 SUCCESS"


def test_text_gantt_draws_the_chart() -> None:
    runs = [
        task_run("extract", 0, 5),
        task_run("transform", 5, 10, State.FAILED),
    ]
    assert text_gantt(execution(State.FAILED), runs, at(20), width=60).splitlines() == [
        "                                0                     10.0 s",
        "extract    ✓ SUCCESS    5.00 s  ██████████████",
        "transform  ✗ FAILED     5.00 s                ▒▒▒▒▒▒▒▒▒▒▒▒▒▒",
    ]


def test_text_gantt_stays_within_its_width() -> None:
    runs = [task_run("a_task_with_a_very_long_name_that_goes_on_and_on", 0, 3), task_run("b", 3, 10)]
    text = text_gantt(execution(), runs, at(20), width=70)
    assert max(map(len, text.splitlines())) <= 70
    assert "a_task_with_a_very_lon…" in text


def test_text_gantt_of_nothing_says_so() -> None:
    assert text_gantt(execution(), [], at(1)) == "(no task has run)"


def test_lengths_of_time_are_written_for_people() -> None:
    assert [seconds(length) for length in (0.42, 12.34, 187, 7500)] == ["0.42 s", "12.3 s", "3 min 07 s", "2 h 05 min"]

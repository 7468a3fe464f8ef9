"""What is written is what is read."""

from __future__ import annotations

import pytest

from nbflow.errors import StoreError
from nbflow.model.state import State
from nbflow.model.task import LogLevel
from nbflow.store import AddMetric, AppendLog, SaveExecution, SaveTaskRun, Store
from tests.store.store_records import FULL_EXECUTION, FULL_METRIC, FULL_TASK_RUN, at, execution, log_entry, task_run


def test_an_execution_comes_back_with_every_field(store: Store) -> None:
    store.writer.defer(SaveExecution(FULL_EXECUTION, 1, "engine"))
    store.writer.flush()
    assert store.executions.get(FULL_EXECUTION.id) == FULL_EXECUTION
    assert store.executions.owner(FULL_EXECUTION.id) == "engine"


def test_an_execution_without_anything_optional_comes_back(store: Store) -> None:
    bare = execution()
    store.writer.defer(SaveExecution(bare, 1, None))
    store.writer.flush()
    assert store.executions.get(bare.id) == bare
    assert store.executions.owner(bare.id) is None


def test_an_empty_trigger_is_not_the_same_as_none(store: Store) -> None:
    started = execution(trigger={})
    store.writer.defer(SaveExecution(started, 1, None))
    store.writer.flush()
    read = store.executions.get(started.id)
    assert read is not None
    assert read.trigger == {}


def test_task_runs_come_back_in_the_order_of_their_creation(store: Store) -> None:
    bare = task_run(FULL_EXECUTION.id)
    store.writer.defer(SaveTaskRun(bare, 1))
    store.writer.defer(SaveTaskRun(FULL_TASK_RUN, 2))
    store.writer.flush()
    assert store.executions.task_runs(FULL_EXECUTION.id) == [FULL_TASK_RUN, bare]
    assert store.executions.task_runs(FULL_EXECUTION.id, after_seq=1) == [FULL_TASK_RUN]


def test_log_lines_and_metrics_come_back(store: Store) -> None:
    line = log_entry("x", 1, task_id="extract", task_run_id="run", attempt_number=0, level=LogLevel.WARN)
    store.writer.defer(AppendLog(line))
    store.writer.defer(AddMetric(FULL_METRIC))
    store.writer.flush()
    assert store.logs.list("x") == [line]
    assert store.metrics.list(FULL_METRIC.execution_id) == [FULL_METRIC]


def test_what_no_database_can_hold_is_replaced_in_texts_and_kept_in_json(store: Store) -> None:
    odd = "a\x00b\udcffc"
    run = task_run("x", value=odd, outputs={"text": odd})
    store.writer.defer(SaveTaskRun(run, 1))
    store.writer.defer(AppendLog(log_entry("x", 2, odd)))
    labelled = execution(labels=(("key", odd),))
    store.writer.defer(SaveExecution(labelled, 1, None))
    store.writer.flush()
    (read,) = store.executions.task_runs("x")
    assert read.outputs == {"text": odd}
    assert read.value == "a\N{REPLACEMENT CHARACTER}b?c"
    assert [line.message for line in store.logs.list("x")] == ["a\N{REPLACEMENT CHARACTER}b?c"]
    assert store.executions.get(labelled.id) == labelled


def test_outputs_that_are_no_json_are_refused_where_they_are_deferred(store: Store) -> None:
    with pytest.raises(StoreError) as refused:
        store.writer.defer(SaveTaskRun(task_run("x", outputs={"a": {1, 2}}), 1))  # type: ignore[dict-item]
    assert str(refused.value) == "the outputs of task extract cannot be written as JSON: a set is no JSON value"
    store.writer.flush()
    assert store.executions.task_runs("x") == []


def test_changes_are_sorted_by_seq_and_each_record_comes_once(store: Store) -> None:
    started = execution(State.RUNNING)
    run = task_run(started.id)
    line = log_entry(started.id, 3)
    for change in (SaveExecution(started, 1, None), SaveTaskRun(run, 2), AppendLog(line)):
        store.writer.defer(change)
    store.writer.flush()
    assert store.executions.changes(started.id, 0) == [(1, started), (2, run), (3, line)]
    assert store.executions.last_seq(started.id) == 3
    ended = run.move(State.RUNNING, at(5))
    store.writer.defer(SaveTaskRun(ended, 4))
    store.writer.flush()
    assert store.executions.changes(started.id, 1) == [(3, line), (4, ended)]
    assert store.executions.changes(started.id, 4) == []
    assert store.executions.last_seq("nobody") == 0


def test_deleting_an_execution_deletes_all_of_it(store: Store) -> None:
    for change in (
        SaveExecution(FULL_EXECUTION, 1, None),
        SaveTaskRun(FULL_TASK_RUN, 2),
        AppendLog(log_entry(FULL_EXECUTION.id, 3)),
        AddMetric(FULL_METRIC),
    ):
        store.writer.defer(change)
    other = execution(labels=(("team", "x"),))
    store.writer.defer(SaveExecution(other, 1, None))
    store.writer.flush()
    assert store.executions.delete([FULL_EXECUTION.id, "nobody"]) == 1
    assert store.executions.get(FULL_EXECUTION.id) is None
    assert store.executions.task_runs(FULL_EXECUTION.id) == []
    assert store.logs.list(FULL_EXECUTION.id) == []
    assert store.metrics.list(FULL_EXECUTION.id) == []
    assert store.executions.list(labels={"team": "x"}) == [other]


def test_log_lines_are_filtered_within_an_execution(store: Store) -> None:
    lines = [
        log_entry("x", 1, "one", level=LogLevel.DEBUG, task_id="a", task_run_id="r1", attempt_number=0),
        log_entry("x", 2, "two", level=LogLevel.INFO, task_id="b", task_run_id="r2", attempt_number=0),
        log_entry("x", 3, "three", level=LogLevel.ERROR, task_id="b", task_run_id="r2", attempt_number=1),
    ]
    for line in lines:
        store.writer.defer(AppendLog(line))
    store.writer.flush()
    logs = store.logs
    assert logs.list("x") == lines
    assert logs.list("x", min_level=LogLevel.INFO) == lines[1:]
    assert logs.list("x", task_id="b", attempt=1) == lines[2:]
    assert logs.list("x", task_run_id="r1") == lines[:1]
    assert logs.list("x", after_seq=1, limit=1) == lines[1:2]
    assert logs.list("x", last=2) == lines[1:]


def test_log_lines_are_searched_across_executions_newest_first(store: Store) -> None:
    ours, theirs = execution(), execution(namespace="company.other", flow_id="load")
    for owner in (ours, theirs):
        store.writer.defer(SaveExecution(owner, 1, None))
    older = log_entry(ours.id, 2, "100% done")
    newer = log_entry(theirs.id, 3, "nothing to do", level=LogLevel.WARN, task_id="t")
    store.writer.defer(AppendLog(newer))
    store.writer.defer(AppendLog(older))
    store.writer.flush()
    search = store.logs.search
    assert search() == [newer, older]
    assert search(limit=1) == [newer]
    assert search(offset=1) == [older]
    assert search(namespace="company.team") == [older]
    assert search(namespace_prefix="company") == [newer, older]
    assert search(flow_id="load") == [newer]
    assert search(execution_id=ours.id) == [older]
    assert search(min_level=LogLevel.WARN, task_id="t") == [newer]
    assert search(q="100%") == [older]
    assert search(q="DO") == [newer, older]
    assert search(after=at(3)) == [newer]
    assert search(before=at(3)) == [older]

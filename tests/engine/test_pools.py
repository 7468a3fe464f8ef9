"""Pools: at most so many task runs of a pool work at once, over all flows and engines of a home."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from nbflow.engine import Engine, Execution
from nbflow.errors import FlowValidationError
from nbflow.model.execution import TaskRun
from nbflow.model.state import State
from nbflow.settings import Settings
from nbflow.testing import eventually
from tests.engine.conftest import RunTasks, messages

WORK = "io.kestra.plugin.core.flow.Sleep"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(Settings(tmp_path / "home"), pools={"one": 1, "two": 2}, worker_slots=16)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    with Engine(settings=settings) as engine:
        yield engine


@pytest.fixture
def other(settings: Settings) -> Iterator[Engine]:
    """A second engine on the home of the first, as another process would have."""
    with Engine(settings=settings) as other:
        yield other


def deploy(engine: Engine, flow: str, pool: str = "one", duration: str = "PT0.1S") -> None:
    engine.deploy(f"""
id: {flow}
namespace: tests
tasks:
  - {{id: work, type: {WORK}, duration: {duration}, pool: {pool}}}
""")


def work(runs: Sequence[TaskRun]) -> list[tuple[datetime, datetime]]:
    """When each task run worked, in the order in which they began."""
    spans = []
    for run in runs:
        begun = [since for state, since in run.history.moves if state is State.RUNNING]
        assert run.end is not None
        spans.append((begun[-1], run.end))
    return sorted(spans)


def most_at_once(spans: Sequence[tuple[datetime, datetime]]) -> int:
    return max(sum(begun <= moment < end for begun, end in spans) for moment, _ in spans)


def works(execution: Execution) -> bool:
    return any(run.task_id == "work" and run.state == "RUNNING" for run in execution.task_runs)


def moves(run: TaskRun) -> list[str]:
    return [str(state) for state, _ in run.history.moves]


def test_tasks_of_several_flows_share_the_slots(engine: Engine) -> None:
    for flow in "abc":
        deploy(engine, flow, "two")
    executions = [engine.run("tests", flow) for flow in "abcabc"]
    runs = [execution.wait(20).task_runs["work"] for execution in executions]
    assert [str(run.state) for run in runs] == ["SUCCESS"] * 6
    assert most_at_once(work(runs)) == 2


def test_those_that_wait_are_queued_and_come_in_their_order(engine: Engine, other: Engine) -> None:
    deploy(engine, "a")
    executions: list[Execution] = []
    for each in (engine, other, other, engine, other):
        executions.append(each.run("tests", "a"))
        eventually(lambda: [run for run in executions[-1].task_runs if run.state != "CREATED"])
    runs = [execution.wait(20).task_runs["work"] for execution in executions]
    spans = [work([run])[0] for run in runs]
    assert spans == sorted(spans)
    assert all(end <= begun for (_, end), (begun, _) in pairwise(spans))
    assert moves(runs[0]) == ["CREATED", "RUNNING", "SUCCESS"]
    assert moves(runs[-1]) == ["CREATED", "QUEUED", "RUNNING", "SUCCESS"]


@pytest.mark.parametrize("is_other", [False, True], ids=["of this engine", "of another engine"])
def test_a_freed_slot_is_taken_at_once(engine: Engine, other: Engine, is_other: bool) -> None:
    deploy(engine, "a", duration="PT0.3S")
    executions: list[Execution] = []
    for each in (engine, other if is_other else engine) * 2:
        executions.append(each.run("tests", "a"))
        eventually(lambda: [run for run in executions[-1].task_runs if run.state != "CREATED"])
    spans = work([execution.wait(20).task_runs["work"] for execution in executions])
    waits = sorted(later[0] - earlier[1] for earlier, later in pairwise(spans))
    assert waits[0] < timedelta(seconds=0.1)
    assert waits[-1] < timedelta(seconds=1)  # more than promised: the machine may be busy


def test_pools_do_not_wait_for_each_other(engine: Engine) -> None:
    deploy(engine, "a", "one", "PT1H")
    deploy(engine, "b", "two")
    long = engine.run("tests", "a")
    eventually(lambda: works(long))
    assert engine.run("tests", "b", wait=True, timeout=10).state == "SUCCESS"
    long.kill().wait(10)


def test_a_killed_task_run_gives_its_slot_back_and_one_that_waits_leaves_the_line(engine: Engine) -> None:
    deploy(engine, "a", duration="PT1H")
    deploy(engine, "b")
    first, second, third = engine.run("tests", "a"), engine.run("tests", "a"), engine.run("tests", "b")
    eventually(lambda: works(first))
    eventually(lambda: [run for run in second.task_runs if run.state == "QUEUED"])
    second.kill().wait(10)
    assert moves(second.task_runs["work"]) == ["CREATED", "QUEUED", "KILLED"]
    first.kill().wait(10)
    assert third.wait(10).state == "SUCCESS"


def test_a_task_that_waits_to_be_tried_again_holds_no_slot(engine: Engine) -> None:
    engine.deploy("""
id: flaky
namespace: tests
tasks:
  - id: work
    type: io.kestra.plugin.core.execution.Fail
    pool: one
    retry: {maxAttempts: 2, interval: PT1S}
""")
    deploy(engine, "a")
    flaky = engine.run("tests", "flaky")
    eventually(lambda: [run for run in flaky.task_runs if run.state == "RETRYING"])
    assert engine.run("tests", "a", wait=True, timeout=10).state == "SUCCESS"
    assert flaky.wait(10).task_runs["work"].start < flaky.task_runs["work"].attempts[-1].start
    assert len(flaky.task_runs["work"].attempts) == 2


def test_a_task_with_tasks_in_it_holds_its_slot_until_they_have_ended(engine: Engine) -> None:
    engine.deploy(f"""
id: group
namespace: tests
tasks:
  - id: group
    type: io.kestra.plugin.core.flow.Sequential
    pool: one
    tasks:
      - {{id: first, type: {WORK}, duration: PT0.05S, pool: two}}
      - {{id: second, type: {WORK}, duration: PT0.05S}}
""")
    executions = [engine.run("tests", "group") for _ in range(3)]
    spans = work([execution.wait(20).task_runs["group"] for execution in executions])
    assert all(end <= begun for (_, end), (begun, _) in pairwise(spans))


def test_many_that_wait_all_come(engine: Engine, other: Engine) -> None:
    engine.deploy("""
id: many
namespace: tests
tasks:
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: "{{ range(1, 40) }}"
    concurrencyLimit: 0
    tasks:
      - {id: work, type: io.kestra.plugin.core.debug.Return, format: x, pool: two}
""")
    executions = [each.run("tests", "many") for each in (engine, other)]
    runs = [run for execution in executions for run in execution.wait(50).task_runs if run.task_id == "work"]
    assert [execution.state for execution in executions] == ["SUCCESS"] * 2
    assert len(runs) == 80
    assert most_at_once(work(runs)) <= 2


def test_an_unknown_pool_is_told_before_and_fails_the_task(engine: Engine, run_tasks: RunTasks) -> None:
    text = "id: f\nnamespace: tests\ntasks:\n  - {id: work, type: return, pool: ones}\n"
    [problem] = engine.validate(text)
    assert (problem.message, problem.hint) == ("there is no pool `ones`", "did you mean `one`?")
    assert (problem.severity, problem.path, problem.line) == ("warning", "tasks[0].pool", 4)
    execution = run_tasks("- {id: work, type: return, pool: else}")
    assert execution.task_runs["work"].state == "FAILED"
    assert messages(execution) == [
        "there is no pool `else` (set `pools: {else: 1}` in the home's nbflow.yaml; there are one, two)"
    ]


def test_a_pool_within_itself_is_refused(engine: Engine, run_tasks: RunTasks) -> None:
    inside = "{id: inner, type: return, pool: one}"
    with pytest.raises(FlowValidationError) as refused:
        run_tasks(f"- {{id: outer, type: io.kestra.plugin.core.flow.Sequential, pool: one, tasks: [{inside}]}}")
    assert [(problem.path, problem.message) for problem in refused.value.problems] == [
        (
            "tasks[0].tasks[0].pool",
            "it would wait for the task around it, which holds a slot of the pool `one` (line 5)",
        )
    ]
    execution = run_tasks(
        "- {id: outer, type: io.kestra.plugin.core.flow.Sequential, tasks: [{id: inner, type: return}]}",
        more="pluginDefaults: [{type: '', values: {pool: one}}]",
    )
    assert messages(execution) == ["a task around this one holds a slot of the pool `one`: it would wait for ever"]


_CRASHING = """
import sys, time
from dataclasses import replace
from pathlib import Path
from nbflow.engine import Engine
from nbflow.settings import Settings
engine = Engine(settings=replace(Settings(Path(sys.argv[1])), pools={"one": 1}))
print(engine.run("tests", "a").id, flush=True)
time.sleep(60)
"""


def test_the_slots_of_a_killed_engine_come_free(engine: Engine, settings: Settings) -> None:
    deploy(engine, "a", duration="PT1H")
    deploy(engine, "b")
    process = subprocess.Popen([sys.executable, "-c", _CRASHING, str(settings.home)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lost = engine.execution(process.stdout.readline().strip())
    eventually(lambda: works(lost))
    waiting = engine.run("tests", "b")
    eventually(lambda: [run for run in waiting.task_runs if run.state == "QUEUED"])
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert waiting.wait(20).state == "SUCCESS"
    eventually(lambda: engine.runs(lost.id) and works(lost))
    assert moves(lost.task_runs["work"]) == ["CREATED", "RUNNING", "QUEUED", "RUNNING"]  # last in the line again
    waiting = engine.run("tests", "b")
    eventually(lambda: [run for run in waiting.task_runs if run.state == "QUEUED"])
    engine.kill(lost.id)
    assert waiting.wait(10).state == "SUCCESS"

"""Several engines on one home: limits they share, commands they send each other, and following from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from nbflow.engine import Engine
from nbflow.errors import ExecutionNotFoundError, WaitTimeoutError
from nbflow.model.events import Event, ExecutionChanged, LogWritten, TaskRunChanged
from nbflow.testing import FakeClock, eventually

SLEEPER = """
id: sleeper
namespace: tests
concurrency: {limit: 1, behavior: BEHAVIOR}
inputs:
  - {id: time, type: DURATION, defaults: PT0.2S}
tasks:
  - {id: wait, type: io.kestra.plugin.core.flow.Sleep, duration: "{{ inputs.time }}"}
"""

GREETING = """
id: greeting
namespace: tests
tasks:
  - {id: hello, type: io.kestra.plugin.core.log.Log, message: hello}
  - {id: bye, type: io.kestra.plugin.core.log.Log, message: bye}
"""


@pytest.fixture
def other(tmp_path: Path, engine: Engine) -> Iterator[Engine]:
    """A second engine on the home of the first, as another process would have."""
    with Engine(engine.settings.home) as other:
        yield other


def test_queued_executions_run_one_after_another_in_their_order(engine: Engine, other: Engine) -> None:
    engine.deploy(SLEEPER.replace("BEHAVIOR", "QUEUE"))
    executions = [each.run("tests", "sleeper") for each in (engine, other, engine)]
    for execution in executions:
        execution.wait(20)
    runs = [execution.task_runs["wait"] for execution in executions]
    assert [str(execution.state) for execution in executions] == ["SUCCESS"] * 3
    for before, after in pairwise(runs):
        assert before.end is not None
        assert before.end <= after.start


@pytest.mark.parametrize(("behavior", "state"), [("CANCEL", "CANCELLED"), ("FAIL", "FAILED")])
def test_an_execution_beyond_the_limit_ends_as_the_flow_says(engine: Engine, behavior: str, state: str) -> None:
    engine.deploy(SLEEPER.replace("BEHAVIOR", behavior))
    first = engine.run("tests", "sleeper", {"time": "PT5S"})
    eventually(lambda: first.state == "RUNNING")
    second = engine.run("tests", "sleeper", wait=True, timeout=10)
    assert second.state == state
    assert list(second.task_runs) == []
    first.kill().wait(10)


def test_an_execution_is_killed_from_another_engine(engine: Engine, other: Engine) -> None:
    engine.deploy(SLEEPER.replace("BEHAVIOR", "QUEUE"))
    execution = engine.run("tests", "sleeper", {"time": "PT1H"})
    eventually(lambda: execution.state == "RUNNING")
    other.kill(execution.id)
    assert other.wait(execution.id, timeout=10).state == "KILLED"


def test_another_engine_goes_on_with_what_a_closed_one_left(engine: Engine, tmp_path: Path) -> None:
    with Engine(engine.settings.home) as first:
        first.deploy(SLEEPER.replace("BEHAVIOR", "QUEUE"))
        execution_id = first.run("tests", "sleeper", {"time": "PT0.5S"}).id
        eventually(lambda: first.execution(execution_id).state == "RUNNING")
    assert engine.execution(execution_id).state == "RUNNING"
    assert engine.wait(execution_id, timeout=20).state == "SUCCESS"


def test_events_replay_then_follow_until_the_end(engine: Engine, other: Engine) -> None:
    engine.deploy(GREETING)
    execution = engine.run("tests", "greeting", wait=True)
    events = list(other.events(execution.id))
    assert [seq for seq, _ in events] == sorted(seq for seq, _ in events)
    assert [event.entry.message for _, event in events if isinstance(event, LogWritten)] == ["hello", "bye"]
    assert {event.task_run.task_id for _, event in events if isinstance(event, TaskRunChanged)} == {"hello", "bye"}
    middle = events[1][0]
    assert [seq for seq, _ in other.events(execution.id, after=middle)] == [seq for seq, _ in events if seq > middle]


def test_events_of_what_does_not_exist_are_refused(engine: Engine) -> None:
    with pytest.raises(ExecutionNotFoundError):
        next(engine.events("nothing"))


def test_a_watcher_sees_every_state_in_order(engine: Engine) -> None:
    engine.deploy(GREETING)
    seen: list[Event] = []
    unsubscribe = engine.subscribe(seen.append)
    execution = engine.run("tests", "greeting", wait=True)
    unsubscribe()
    states = [str(event.execution.state) for event in seen if isinstance(event, ExecutionChanged)]
    assert states == ["CREATED", "RUNNING", "SUCCESS"]
    assert all(event.execution_id == execution.id for event in seen)


def test_a_watcher_that_fails_does_not_disturb_the_execution(engine: Engine) -> None:
    def broken(event: Event) -> None:
        raise ValueError("a face's mistake")

    engine.deploy(GREETING)
    engine.subscribe(broken)
    assert engine.run("tests", "greeting", wait=True).state == "SUCCESS"


def test_waiting_ends_after_its_time_and_the_execution_goes_on(engine: Engine) -> None:
    engine.deploy(SLEEPER.replace("BEHAVIOR", "QUEUE"))
    with pytest.raises(WaitTimeoutError, match="did not end within"):
        engine.run("tests", "sleeper", {"time": "PT0.5S"}, wait=True, timeout=0.05)
    assert engine.executions()[0].wait(10).state == "SUCCESS"


def test_every_verb_works_inside_an_event_loop(engine: Engine) -> None:
    async def story() -> str:
        await engine.adeploy(GREETING)
        execution = await engine.arun("tests", "greeting", wait=True)
        return str((await engine.aexecution(execution.id)).state)

    assert asyncio.run(story()) == "SUCCESS"


def test_executions_are_listed_newest_first_and_paged(engine: Engine) -> None:
    engine.deploy(GREETING)
    ids = [engine.run("tests", "greeting", labels={"n": str(n)}, wait=True).id for n in range(3)]
    assert [each.id for each in engine.executions()] == ids[::-1]
    assert [each.id for each in engine.executions(limit=1, before_id=ids[2])] == [ids[1]]
    assert [each.id for each in engine.executions(labels={"n": "1"})] == [ids[1]]
    assert engine.executions(state="FAILED") == []


def test_a_file_input_is_stored_with_its_execution(engine: Engine, tmp_path: Path) -> None:
    source = tmp_path / "data.csv"
    source.write_text("a,b\n1,2\n")
    engine.deploy("""
id: reader
namespace: tests
inputs:
  - {id: data, type: FILE}
tasks:
  - {id: show, type: io.kestra.plugin.core.log.Log, message: "{{ read(inputs.data) }}"}
""")
    execution = engine.run("tests", "reader", {"data": source}, wait=True)
    assert execution.logs()[0].message == "a,b\n1,2\n"
    uri = str(execution.inputs["data"])
    assert uri == f"kestra:///tests/reader/executions/{execution.id}/inputs/data/data.csv"
    assert engine.read_file(uri) == b"a,b\n1,2\n"


def test_a_secret_input_is_hidden_in_the_log(engine: Engine) -> None:
    engine.deploy("""
id: hidden
namespace: tests
inputs:
  - {id: password, type: SECRET}
tasks:
  - {id: leak, type: io.kestra.plugin.core.log.Log, message: "it is {{ inputs.password }}"}
""")
    execution = engine.run("tests", "hidden", {"password": "hunter22"}, wait=True)
    assert [entry.message for entry in execution.logs()] == ["it is ********"]


def test_an_engine_that_slept_lets_go_of_what_was_taken_over(tmp_path: Path) -> None:
    """As of a laptop that was closed: its lease has run out, another engine went on, and then it wakes."""
    asleep, awake = FakeClock(), FakeClock()
    flow = """id: flow
namespace: tests
tasks:
  - {id: wait, type: pause}
  - {id: after, type: return, format: x}
"""
    with Engine(tmp_path / "home", clock=asleep) as first, Engine(tmp_path / "home", clock=awake) as second:
        first.deploy(flow)
        execution = first.run("tests", "flow")
        first.wait(execution.id, "PAUSED", timeout=10)
        awake.advance(timedelta(hours=1))
        second.resume(execution.id)  # nobody seems to own it: it is taken over
        assert second.wait(execution.id, timeout=10).state == "SUCCESS"
        asleep.advance(timedelta(hours=1))
        eventually(lambda: first._owned.get(execution.id) is None)
        assert second.execution(execution.id).refresh().state == "SUCCESS"
        assert [str(run.state) for run in second.execution(execution.id).task_runs] == ["SUCCESS", "SUCCESS"]

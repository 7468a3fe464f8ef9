"""What holds for every flow, whatever is in it and whatever happens to the engine meanwhile."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from nbflow.engine import Engine, Execution
from nbflow.errors import ConflictError, WaitTimeoutError
from nbflow.model.events import Event, ExecutionChanged, LogWritten, TaskRunChanged
from nbflow.model.execution import TaskRun
from nbflow.model.state import LEGAL_MOVES, State, StateHistory
from nbflow.testing import eventually
from tests.engine.cutting import at, copies_of, cuts, living
from tests.engine.generated import (
    Expected,
    Place,
    Spec,
    World,
    Worlds,
    flows,
    output_tree,
    places,
    seen,
    text_of,
)

_SECONDS = 20


def examples(number: int) -> settings:
    """As many flows, the same in every run, unless `NBFLOW_RANDOM_FLOWS` asks for others.

    Nothing is shrunk: each example takes a while, and what happens in it rests on the machine's mood, too.
    """
    return settings(
        max_examples=number,
        deadline=None,
        derandomize="NBFLOW_RANDOM_FLOWS" not in os.environ,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with living(tmp_path_factory.mktemp("shared")) as engine:
        yield engine


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("homes")


@dataclass
class Watched:
    """What an engine told of one execution while it ran, in order."""

    events: list[Event] = field(default_factory=list)
    executions: dict[str, list[StateHistory]] = field(default_factory=dict)
    runs: dict[str, list[TaskRun]] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, ExecutionChanged):
            self.executions.setdefault(event.execution_id, []).append(event.execution.history)
        elif isinstance(event, TaskRunChanged):
            self.runs.setdefault(event.task_run.id, []).append(event.task_run)


def start(engine: Engine, flow: Spec) -> Execution:
    Worlds.now = World()
    engine.deploy(text_of(flow))
    return engine.run("tests", "flow")


def run(engine: Engine, flow: Spec) -> Execution:
    return engine.wait(start(engine, flow).id, timeout=_SECONDS)


def resumed_to_the_end(engine: Engine, execution_id: str) -> Execution:
    """The execution once it has ended; somebody resumes it whenever it is paused."""

    def has_ended() -> bool:
        execution = engine.execution(execution_id)
        if execution.state is State.PAUSED:
            with contextlib.suppress(ConflictError):
                engine.resume(execution_id)
        return execution.state.is_terminal

    with contextlib.suppress(WaitTimeoutError):
        engine.wait(execution_id, timeout=0.001)  # an engine that is asked for nothing takes nothing over
    eventually(has_ended, within=_SECONDS)
    return engine.wait(execution_id, timeout=_SECONDS)


def check_moves(history: StateHistory) -> None:
    for (state, since), (following, then) in pairwise(history.moves):
        assert following in LEGAL_MOVES[state], history
        assert since <= then, history


def check_history(execution: Execution) -> None:
    """What holds for the records of an execution that has ended, however that came."""
    runs = execution.task_runs
    by_id = {run.id: run for run in runs}
    assert len(by_id) == len(runs)
    where = list(places(runs).values())
    assert len(set(where)) == len(where), "a place was run twice"
    assert execution.state.is_terminal
    check_moves(execution.record.history)
    for run in runs:
        assert run.execution_id == execution.id
        assert run.state.is_terminal, run
        check_moves(run.history)
        if run.parent_task_run_id is not None:
            check_lies_in(run, by_id[run.parent_task_run_id])
        for attempt in run.attempts:
            assert attempt.state.is_terminal, run
            check_moves(attempt.history)
            check_between(attempt.history, run.history)
        for one, other in pairwise(run.attempts):
            assert one.end is not None
            assert one.end <= other.start, run


def check_lies_in(run: TaskRun, parent: TaskRun) -> None:
    assert run.id > parent.id
    check_between(run.history, parent.history)


def check_between(inner: StateHistory, outer: StateHistory) -> None:
    assert outer.start <= inner.start
    assert inner.end is not None
    assert outer.end is not None
    assert inner.end <= outer.end, (inner, outer)


@examples(120)
@given(flow=flows())
def test_a_flow_ends_as_its_text_says(engine: Engine, flow: Spec) -> None:
    execution = run(engine, flow)
    check_history(execution)
    assert seen(execution) == Expected.of(flow)
    tree = output_tree(execution.task_runs)
    assert engine.render("{{ outputs | toJson }}", execution.id) == engine.render(
        "{{ tree | toJson }}", execution.id, variables={"tree": tree}
    )
    if execution.state is not State.FAILED:
        assert execution.outputs["seen"] == tree


@examples(60)
@given(flow=flows(slow=True))
def test_what_is_told_while_a_flow_runs_is_what_is_kept(engine: Engine, flow: Spec) -> None:
    watched = Watched()
    unsubscribe = engine.subscribe(watched)
    execution = start(engine, flow)
    with ThreadPoolExecutor(1) as follower:
        following = follower.submit(lambda: list(engine.events(execution.id)))
        execution = engine.wait(execution.id, timeout=_SECONDS)
        followed = following.result(_SECONDS)
    unsubscribe()
    runs = {run.id: run for run in execution.task_runs}
    logs = execution.logs()
    assert {id: told[-1] for id, told in watched.runs.items()} == runs
    assert watched.executions[execution.id][-1] == execution.record.history
    assert [event.entry for event in watched.events if isinstance(event, LogWritten)] == logs
    # Each change tells all moves so far: none is lost, whoever looks seldom.
    for told in watched.runs.values():
        for earlier, later in pairwise(told):
            assert later.history.moves[: len(earlier.history.moves)] == earlier.history.moves
            assert len(later.history.moves) - len(earlier.history.moves) <= 1
    for events in (followed, list(engine.events(execution.id))):
        numbers = [number for number, _ in events]
        assert numbers == sorted(set(numbers))
        last = {event.task_run.id: event.task_run for _, event in events if isinstance(event, TaskRunChanged)}
        assert last == runs
        assert [event.execution for _, event in events if isinstance(event, ExecutionChanged)][-1] == execution.record
        assert [event.entry for _, event in events if isinstance(event, LogWritten)] == logs
        half = numbers[len(numbers) // 2]
        assert [number for number, _ in engine.events(execution.id, half)] == sorted(
            {number for number, _ in engine.events(execution.id)} - set(range(half + 1))
        )


def outputs_by_place(execution: Execution) -> dict[Place, object]:
    where = places(execution.task_runs)
    return {where[run.id]: dict(run.outputs) for run in execution.task_runs}


def tries(run: TaskRun) -> list[State]:
    """How the attempts ended that no crash has cut off."""
    return [attempt.state for attempt in run.attempts if attempt.state is not State.KILLED]


def tries_by_place(execution: Execution) -> dict[Place, list[State]]:
    where = places(execution.task_runs)
    return {where[run.id]: tries(run) for run in execution.task_runs}


@dataclass
class Whole:
    """How a flow ended that nothing had cut off, and copies of its history after each commit."""

    ended: Expected
    outputs: dict[Place, object]
    tries: dict[Place, list[State]]
    copies: list[bytes]

    @classmethod
    def of(cls, folder: Path, flow: Spec) -> Whole:
        with living(folder) as engine:
            copies = copies_of(engine)
            execution = run(engine, flow)
            check_history(execution)
            return cls(seen(execution), outputs_by_place(execution), tries_by_place(execution), copies)

    def check_cut(self, folder: Path, copy: bytes) -> list[bytes]:
        """Let another engine go on from there. Returns copies of its history after each commit."""
        with living(folder, copy) as engine:
            for begun in engine.executions():
                number, before = begun.record.attempt_number, {run.id: run for run in begun.task_runs}
                ended = {id for id, run in before.items() if run.state.is_terminal}
                world = Worlds.now = World.after(before.values())
                copies = copies_of(engine)
                execution = engine.wait(begun.id, timeout=_SECONDS)
                check_history(execution)
                assert seen(execution) == self.ended
                assert outputs_by_place(execution) == self.outputs
                assert tries_by_place(execution) == self.tries
                after = {run.id: run for run in execution.task_runs}
                if execution.record.attempt_number > number:  # what had failed was tried again
                    ended = {id for id in ended if not before[id].state.is_failure}.intersection(after)
                assert not ended.intersection(world.begun), "what had ended was run again"
                assert all(after[id] == before[id] for id in ended)
                return copies
        return []


@examples(35)
@given(flow=flows(slow=True, retries=True), parts=cuts(4), again=cuts(2))
def test_a_flow_cut_off_after_any_commit_ends_as_the_uncut_one(
    folder: Path, flow: Spec, parts: list[float], again: list[float]
) -> None:
    whole = Whole.of(folder, flow)
    for part in parts:
        copies = whole.check_cut(folder, at(whole.copies, part))
        for later in again if copies else ():
            whole.check_cut(folder, at(copies, later))


def probe(id: str, **more: object) -> Spec:
    return {"id": id, "type": "tests.Probe", **more}


@pytest.mark.parametrize(
    "task",
    [
        pytest.param({"tasks": [probe("a", seconds=0.02, failures=1), probe("b", failures=1)]}, id="what failed last"),
        pytest.param(
            {"tasks": [probe("a"), probe("b", seconds=0.02, runIf="{{ (outputs.a.value ?? '') == '' }}")]}, id="runIf"
        ),
        pytest.param(
            {"tasks": [probe("a", failures=2, seconds=0.02, retry={"maxAttempts": 3, "interval": "PT0.001S"})]},
            id="attempts",
        ),
        pytest.param(
            {
                "type": "loop_until",
                "condition": "{{ outputs.a.value == 'a1' }}",
                "checkFrequency": {"interval": "PT0.001S"},
                "tasks": [probe("a"), probe("b")],
            },
            id="rounds",
        ),
    ],
)
def test_what_was_decided_before_a_crash_stays_so(folder: Path, task: Spec) -> None:
    """The flows end in the same way each time; so what an expression has seen must be the same, too."""
    alert = {"id": "alert", "type": "return", "format": "{{ error.taskId }}"}
    tasks = [{"id": "t", "type": "parallel", **task}]
    whole = Whole.of(folder, {"id": "flow", "namespace": "tests", "tasks": tasks, "errors": [alert]})
    for copy in whole.copies:
        whole.check_cut(folder, copy)


def test_a_new_execution_is_tried_however_often_the_engine_ends(folder: Path) -> None:
    retry = {"maxAttempts": 2, "interval": "PT0.001S", "behavior": "CREATE_NEW_EXECUTION"}
    flow: Spec = {"id": "flow", "namespace": "tests", "tasks": [{"id": "t", "type": "fail", "retry": retry}]}

    def tries_of(engine: Engine) -> list[tuple[int, str]]:
        return sorted((one.record.attempt_number, str(one.state)) for one in engine.executions())

    with living(folder) as engine:
        copies = copies_of(engine)
        run(engine, flow)
        eventually(lambda: tries_of(engine) == [(1, "RETRIED"), (2, "FAILED")])
    for copy in copies:
        with living(folder, copy) as engine:
            for begun in engine.executions():
                engine.wait(begun.id, timeout=_SECONDS)
                eventually(lambda engine=engine: tries_of(engine) == [(1, "RETRIED"), (2, "FAILED")])


class Meddler:
    """Does something to an execution from another thread, each time so many events have come.

    `told`: after which events. What is refused because the execution has gone on meanwhile is left.
    """

    def __init__(self, engine: Engine, act: Callable[[str], object], told: Sequence[int]) -> None:
        self._engine = engine
        self._act = act
        self._told = set(told)
        self._count = 0
        self._threads = ThreadPoolExecutor(1)

    def __enter__(self) -> Meddler:
        self._unsubscribe = self._engine.subscribe(self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        self._unsubscribe()
        self._threads.shutdown()

    def _hear(self, event: Event) -> None:
        self._count += 1
        if self._count in self._told:
            self._threads.submit(self._try, event.execution_id)

    def _try(self, execution_id: str) -> None:
        with contextlib.suppress(ConflictError):
            self._act(execution_id)


def moments(most: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(1, 60), min_size=1, max_size=most)


def final_places(flow: Spec) -> dict[Place, State]:
    """What must come of the flow's own `finally`, whatever came before."""
    return Expected.of({"tasks": flow.get("finally", [])}).states


def check_killed(engine: Engine, flow: Spec, execution: Execution) -> None:
    check_history(execution)
    assert execution.state in (State.KILLED, Expected.of(flow).state)
    states = seen(execution).states
    final = final_places(flow)
    assert {place: state for place, state in states.items() if place[0] in {one[0] for one in final}} == final


@examples(25)
@given(flow=flows(slow=True), told=moments(1))
def test_an_engine_that_stops_leaves_the_rest_to_the_next(folder: Path, flow: Spec, told: list[int]) -> None:
    with living(folder) as engine:
        moment = threading.Event()
        with Meddler(engine, lambda _: moment.set(), told):
            started = start(engine, flow)
            eventually(lambda: moment.is_set() or started.state.is_terminal, within=_SECONDS)
    assert Worlds.now.at_work == 0
    with Engine(settings=engine.settings) as engine:
        Worlds.now = World.after(engine.execution(started.id).task_runs)
        ended = {run.id for run in engine.execution(started.id).task_runs if run.state.is_terminal}
        execution = engine.wait(started.id, timeout=_SECONDS)
        check_history(execution)
        assert seen(execution) == Expected.of(flow)
        assert not ended.intersection(Worlds.now.begun)


@examples(60)
@given(flow=flows(slow=True), told=moments(2))
def test_a_kill_at_any_moment_leaves_nothing_running(engine: Engine, flow: Spec, told: list[int]) -> None:
    with Meddler(engine, engine.kill, told):
        execution = run(engine, flow)
    check_killed(engine, flow, execution)
    assert Worlds.now.at_work == 0


@examples(20)
@given(flow=flows(slow=True), told=moments(1), parts=cuts(4))
def test_a_kill_outlives_its_engine(folder: Path, flow: Spec, told: list[int], parts: list[float]) -> None:
    with living(folder) as engine:
        copies = copies_of(engine)
        with Meddler(engine, engine.kill, told):
            execution = run(engine, flow)
    for part in parts:
        with living(folder, at(copies, part)) as engine:
            Worlds.now = World()
            for begun in engine.executions():
                was_killed = begun.state in (State.KILLING, State.KILLED)
                Worlds.now = World.after(begun.task_runs)
                execution = engine.wait(begun.id, timeout=_SECONDS)
                check_killed(engine, flow, execution)
                assert execution.state is State.KILLED or not was_killed


@examples(60)
@given(flow=flows(heals=True))
def test_a_restart_ends_as_if_nothing_had_failed(engine: Engine, flow: Spec) -> None:
    execution = run(engine, flow)
    assume(execution.state is State.FAILED)
    before = {run.id: run for run in execution.task_runs}
    world = Worlds.now = World.after(before.values())
    world.is_healed = True
    engine.restart(execution.id)
    execution = engine.wait(execution.id, timeout=_SECONDS)
    check_history(execution)
    assert seen(execution) == Expected.of(flow, healed=True)
    after = {run.id: run for run in execution.task_runs}
    ended = {id for id, run in before.items() if not run.state.is_failure and id in after}
    assert not ended.intersection(world.begun)
    assert all(after[id] == before[id] for id in ended)


@examples(40)
@given(flow=flows(), data=st.data())
def test_a_replay_from_any_task_run_ends_as_before(engine: Engine, flow: Spec, data: st.DataObject) -> None:
    execution = run(engine, flow)
    assume(execution.task_runs)
    for start in data.draw(st.lists(st.sampled_from(range(len(execution.task_runs))), min_size=1, max_size=4)):
        Worlds.now = World()
        new = engine.replay(execution.id, execution.task_runs[start].id)
        new = engine.wait(new.id, timeout=_SECONDS)
        check_history(new)
        assert seen(new) == seen(execution), execution.task_runs[start]
        assert outputs_by_place(new) == outputs_by_place(execution)


@examples(20)
@given(flow=flows(), part=st.floats(0, 1, exclude_max=True), data=st.data())
def test_a_replay_outlives_its_engine(folder: Path, flow: Spec, part: float, data: st.DataObject) -> None:
    with living(folder) as engine:
        whole = run(engine, flow)
        assume(whole.task_runs)
        expected, old = seen(whole), whole.id
        Worlds.now = World()
        copies = copies_of(engine)
        new = engine.replay(whole.id, data.draw(st.sampled_from([run.id for run in whole.task_runs])))
        assert seen(engine.wait(new.id, timeout=_SECONDS)) == expected
        begun = places(new.task_runs)
        ran = {begun[id] for id in Worlds.now.begun}
    with living(folder, at(copies, part)) as engine:
        for new in engine.executions():
            if new.id != old:
                Worlds.now = World.after(new.task_runs)
                new = engine.wait(new.id, timeout=_SECONDS)
                check_history(new)
                assert seen(new) == expected
                assert {places(new.task_runs)[id] for id in Worlds.now.begun} <= ran, "what came before was run again"


@examples(60)
@given(flow=flows(slow=True), told=moments(4))
def test_pauses_change_nothing(engine: Engine, flow: Spec, told: list[int]) -> None:
    def pause_and_resume(id: str) -> None:
        engine.pause(id)
        engine.resume(id)

    with Meddler(engine, pause_and_resume, told):
        execution = run(engine, flow)
    check_history(execution)
    assert seen(execution) == Expected.of(flow)


@examples(15)
@given(flow=flows(slow=True, pauses=True), parts=cuts(4))
def test_a_paused_flow_outlives_its_engine(folder: Path, flow: Spec, parts: list[float]) -> None:
    with living(folder) as engine:
        copies = copies_of(engine)
        whole = resumed_to_the_end(engine, start(engine, flow).id)
        check_history(whole)
        assert seen(whole) == Expected.of(flow)
    for part in parts:
        with living(folder, at(copies, part)) as engine:
            for begun in engine.executions():
                passed = {run.id for run in begun.task_runs if "resumed" in run.outputs}
                Worlds.now = World.after(begun.task_runs)
                execution = resumed_to_the_end(engine, begun.id)
                check_history(execution)
                assert seen(execution) == seen(whole)
                for run in execution.task_runs:
                    pauses = [state for state, _ in run.history.moves].count(State.PAUSED)
                    assert pauses <= 1 or run.id not in passed

"""Random flows for property tests: how they are made, and what must come of them, worked out without the engine."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from pydantic import Field

from nbflow.engine import Execution
from nbflow.errors import TaskFailedError
from nbflow.model.execution import TaskRun
from nbflow.model.state import State, worst
from nbflow.plugins import RunContext, RunnableTask, task_type

Spec = dict[str, Any]
"""A task or flow as YAML has it; JSON text of it is YAML, too."""

Place = tuple[tuple[str, str | None, int | None], ...]
"""Where a task run lies, whatever its id: task, value and iteration, those around it first."""

DEPTH = 4
TASKS = 25
_FLOW = "io.kestra.plugin.core.flow."
_RETRY_SECONDS = "PT0.001S"


@dataclass
class World:
    """What the probes of one engine's life find outside of it, and leave there; by the ids of their task runs."""

    failures: Counter[str] = field(default_factory=Counter)
    begun: list[str] = field(default_factory=list)
    at_work: int = 0
    is_healed: bool = False

    @classmethod
    def after(cls, runs: Iterable[TaskRun]) -> World:
        """The world as a history tells of it: what no commit has kept has not happened."""
        tried = {run.id: [attempt.state for attempt in run.attempts].count(State.FAILED) for run in runs}
        return cls(Counter(tried))


class Worlds:
    """The world that probes are in at present; a test that starts an engine puts a new one here."""

    now = World()


@task_type("tests.Probe")
class Probe(RunnableTask):
    """Takes some time, fails the first so many times, and keeps a record of that."""

    class Output(RunnableTask.Output):
        value: str = Field(description="The name of its place.")

    failures: int = Field(default=0, description="How many of its first attempts fail.")
    seconds: float = Field(default=0.0, description="How long it takes.")

    async def run(self, ctx: RunContext) -> Output:
        world = Worlds.now
        world.begun.append(ctx.task_run_id)
        world.at_work += 1
        try:
            await asyncio.sleep(self.seconds)
        finally:
            world.at_work -= 1
        if not world.is_healed and world.failures[ctx.task_run_id] < self.failures:
            world.failures[ctx.task_run_id] += 1
            raise TaskFailedError("not yet")
        return self.Output(value=f"{self.id}{ctx.render('{{ taskrun.value ?? taskrun.iteration ?? 1 }}')}")


@dataclass
class _Maker:
    """Draws the tasks of one flow."""

    draw: st.DrawFn
    heals: bool
    slow: bool
    pauses: bool
    retries: bool
    left: int
    count: int = 0

    def chance(self, percent: int) -> bool:
        return self.draw(st.integers(1, 100)) > 100 - percent

    def pick(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def flow(self) -> Spec:
        flow: Spec = {"id": "flow", "namespace": "tests", "tasks": self.tasks(1, 5)}
        flow |= self.aftermath(1)
        if self.retries and self.chance(40):
            flow["retry"] = {"maxAttempts": self.pick(2, 3), "interval": _RETRY_SECONDS}
        flow["outputs"] = [{"id": "seen", "type": "JSON", "value": "{{ outputs | toJson }}"}]
        return flow

    def tasks(self, depth: int, most: int = 3, *, in_each: bool = False, at_once: bool = False) -> list[Spec]:
        tasks: list[Spec] = []
        for _ in range(self.pick(*range(most, 0, -1))):
            if not tasks or self.left > 0:
                before = tasks[-1] if tasks and not at_once else None
                tasks.append(self.task(depth, before, in_each=in_each))
        return tasks

    def aftermath(self, depth: int) -> Spec:
        return {name: self.tasks(max(depth, DEPTH - 1), 2) for name in ("errors", "finally") if self.chance(20)}

    def task(self, depth: int, before: Spec | None = None, *, in_each: bool = False) -> Spec:
        self.left -= 1
        self.count += 1
        task: Spec = {"id": f"t{self.count}"}
        if depth < DEPTH and self.left > 0 and self.chance(60):
            task |= self.flowable(task["id"], depth + 1, in_each=in_each) | self.aftermath(depth + 1)
        else:
            task |= self.leaf(before, in_each=in_each)
        if self.chance(15):
            task["retry"] = {"maxAttempts": self.pick(1, 2, 3), "interval": _RETRY_SECONDS}
            if not self.heals and self.chance(30):
                task["retry"]["warningOnRetry"] = True
        if not self.heals:
            task |= {name: True for name in ("allowFailure", "allowWarning") if self.chance(10)}
        if self.chance(5):
            task["disabled"] = True
        if self.chance(10):
            task["runIf"] = self.pick("true", "{{ 1 > 2 }}", "{{ (taskrun.iteration ?? 0) == 1 }}")
        return task

    def leaf(self, before: Spec | None, *, in_each: bool) -> Spec:
        if self.pauses and self.chance(30):
            return {"type": "pause"}
        match self.pick(*["probe"] * 5, *["return"] * 5, *["log"] * 3, *["flaky"] * 3, "fail", "late"):
            case "flaky":
                retry = {"retry": {"maxAttempts": 3, "interval": _RETRY_SECONDS}} if self.chance(60) else {}
                return {"type": "tests.Probe", "failures": self.pick(1, 1, 2, 9), **self.seconds(), **retry}
            case "return":
                text = "{{ taskrun.value ?? 'x' }}"
                if before is not None:
                    place = "[taskrun.value]" if in_each else ""
                    text += f" after {{{{ outputs.{before['id']}{place}.value ?? 'nothing' }}}}"
                return {"type": "return", "format": text}
            case "log":
                return {"type": "log", "message": "{{ task.id }}"}
            case "fail" if not self.heals:
                return {"type": "fail"}
            case "late" if not self.heals:
                return {"type": "tests.Probe", "seconds": 60, "timeout": "PT0.003S"}
            case _:
                return {"type": "tests.Probe", **self.seconds()}

    def seconds(self) -> Spec:
        return {"seconds": self.pick(0, 0.001, 0.005)} if self.slow else {}

    def flowable(self, id: str, depth: int, *, in_each: bool) -> Spec:
        kinds = ("Sequential", "Parallel", "Dag", "If", "Switch", "ForEach", "LoopUntil", "AllowFailure")
        kind = self.pick(*(kinds[:-1] if self.heals else kinds))
        task: Spec = {"type": _FLOW + kind}
        match kind:
            case "Parallel":
                task |= {"tasks": self.tasks(depth, 4, at_once=True), "concurrent": self.pick(0, 1, 2)}
            case "Dag":
                task |= {"tasks": self.dag(depth), "concurrent": self.pick(0, 1, 2)}
            case "If":
                task |= {"condition": self.pick("true", "false"), "then": self.tasks(depth)}
                if self.chance(50):
                    task["else"] = self.tasks(depth)
            case "Switch":
                task |= {"value": self.pick("a", "b"), "cases": {"a": self.tasks(depth)}}
                if self.heals or self.chance(60):
                    task["defaults"] = self.tasks(depth)
            case "ForEach":
                task |= {
                    "values": self.pick(["x"], ["x", "y"], ["x", "y", "z"]),
                    "concurrencyLimit": self.pick(0, 1, 2),
                }
                task["tasks"] = self.tasks(depth, in_each=True)
            case "LoopUntil":
                rounds = self.pick(1, 2)
                frequency = {"interval": _RETRY_SECONDS, "maxIterations": rounds}
                task |= {"condition": self.pick("true", "false"), "checkFrequency": frequency}
                task |= {"failOnMaxReached": not self.heals and self.chance(30), "tasks": self.tasks(depth)}
            case _:
                task["tasks"] = self.tasks(depth)
        return task

    def dag(self, depth: int) -> list[Spec]:
        tasks = self.tasks(depth, 4, at_once=True)
        names = [task["id"] for task in tasks]
        items: list[Spec] = []
        for number, task in enumerate(tasks):
            needs = self.draw(st.lists(st.sampled_from(names[:number]), unique=True)) if number else []
            items.append({"task": task, **({"dependsOn": needs} if needs else {})})
        return items[::-1] if self.chance(30) else items


@st.composite
def flows(
    draw: st.DrawFn, *, heals: bool = False, slow: bool = False, pauses: bool = False, retries: bool = False
) -> Spec:
    """A flow of up to about 25 tasks, four levels deep.

    `heals`: only probes fail, none of their failures is forgiven, and no decision rests on them. `slow`: the probes
    take a few milliseconds each. `pauses`: some tasks wait until they are resumed. `retries`: of some
    flows, all that has failed is tried again; `Expected` does not foresee what comes of that.
    """
    return _Maker(draw, heals, slow, pauses, retries, draw(st.integers(3, TASKS))).flow()


def text_of(flow: Spec) -> str:
    return json.dumps(flow, indent=1)


def all_tasks(tasks: object) -> Iterator[Spec]:
    """Every task below, of all blocks."""
    if isinstance(tasks, list):
        for item in tasks:
            yield from all_tasks(item)
    elif isinstance(tasks, dict):
        if "id" in tasks and "type" in tasks:
            yield tasks
        for value in tasks.values():
            yield from all_tasks(value)


@dataclass
class Expected:
    """What becomes of a flow: the state of each place, in no order, and that of the whole."""

    states: dict[Place, State] = field(default_factory=dict)
    state: State = State.SUCCESS

    @classmethod
    def of(cls, flow: Spec, *, healed: bool = False) -> Expected:
        foreseen = _Foreseen(healed)
        state = foreseen.sequence(flow["tasks"], (), None)
        if state is State.FAILED:
            foreseen.sequence(flow.get("errors", []), (), None)
        state = worst([state, foreseen.sequence(flow.get("finally", []), (), None)])
        return cls(foreseen.states, state)


class _Foreseen:
    """The rules of the task types, told a second time: without waiting, and without a history."""

    def __init__(self, healed: bool) -> None:
        self.states: dict[Place, State] = {}
        self._healed = healed

    def sequence(
        self,
        tasks: Sequence[Spec],
        above: Place,
        retry: Spec | None,
        value: str | None = None,
        number: int | None = None,
    ) -> State:
        states: list[State] = []
        for task in tasks:
            state = self.task(task, above, retry, value, number)
            states += [state] if state is not None else []
            if state is State.FAILED:
                break
        return worst(states)

    def task(
        self, task: Spec, above: Place, retry: Spec | None, value: str | None = None, number: int | None = None
    ) -> State | None:
        if task.get("disabled"):
            return None
        place = (*above, (task["id"], value, number))
        retry = task.get("retry") or retry
        condition = task.get("runIf", "true")
        if condition == "{{ 1 > 2 }}" or ("iteration" in condition and number != 1):
            state = State.SKIPPED
        elif not task["type"].startswith(_FLOW):
            state = self.leaf(task, retry)
        else:
            state = self.flowable(task, place, retry)
            if state is State.FAILED:
                self.sequence(task.get("errors", []), place, retry)
            state = worst([state, self.sequence(task.get("finally", []), place, retry)])
        if state is State.FAILED and task.get("allowFailure"):
            state = State.WARNING
        if state is State.WARNING and task.get("allowWarning"):
            state = State.SUCCESS
        self.states[place] = state
        return state

    def leaf(self, task: Spec, retry: Spec | None) -> State:
        failures = 0 if self._healed else task.get("failures", 0)
        if task["type"] == "fail" or "timeout" in task or failures >= (retry["maxAttempts"] if retry else 1):
            return State.FAILED
        return State.WARNING if failures and retry and retry.get("warningOnRetry") else State.SUCCESS

    def flowable(self, task: Spec, place: Place, retry: Spec | None) -> State:
        match task["type"].removeprefix(_FLOW):
            case "Parallel":
                return worst(self.sequence([child], place, retry) for child in task["tasks"])
            case "Dag":
                return self.dag(task["tasks"], place, retry)
            case "If":
                return self.sequence(
                    task["then"] if task["condition"] == "true" else task.get("else", []), place, retry
                )
            case "Switch":
                branch = task["cases"].get(task["value"], task.get("defaults"))
                return State.FAILED if branch is None else self.sequence(branch, place, retry)
            case "ForEach":
                return self.rounds(task, list(enumerate(task["values"])), place, retry, task["concurrencyLimit"] == 1)
            case "LoopUntil":
                once = task["condition"] == "true"
                rounds = 1 if once else task["checkFrequency"]["maxIterations"]
                state = self.last_round(task, rounds, place, retry)
                return State.FAILED if task["failOnMaxReached"] and not once else state
            case "AllowFailure":
                state = self.sequence(task["tasks"], place, retry)
                if state is State.FAILED:
                    self.sequence(task.get("errors", []), place, retry)
                return State.WARNING if state is State.FAILED else state
            case _:
                return self.sequence(task["tasks"], place, retry)

    def rounds(self, task: Spec, rounds: list[tuple[int, str]], place: Place, retry: Spec | None, stops: bool) -> State:
        states: list[State] = []
        for number, value in rounds:
            states.append(self.sequence(task["tasks"], place, retry, value, number))
            if stops and states[-1] is State.FAILED:
                break
        return worst(states)

    def last_round(self, task: Spec, rounds: int, place: Place, retry: Spec | None) -> State:
        """A LoopUntil ends as its last round did."""
        state = State.SUCCESS
        for number in range(rounds):
            state = self.sequence(task["tasks"], place, retry, None, number)
            if state is State.FAILED:
                break
        return state

    def dag(self, items: Sequence[Spec], place: Place, retry: Spec | None) -> State:
        states: dict[str, State] = {}
        waiting = list(items)
        while waiting:
            names = {item["task"]["id"] for item in waiting}
            item = next(item for item in waiting if not names.intersection(item.get("dependsOn", ())))
            waiting.remove(item)
            needs = item.get("dependsOn", ())
            if all(name in states and states[name] is not State.FAILED for name in needs):
                state = self.task(item["task"], place, retry)
                states[item["task"]["id"]] = state or State.SUCCESS
        return worst(states.values())


def places(runs: Iterable[TaskRun]) -> dict[str, Place]:
    """Task run id → where it lies."""
    by_id = {run.id: run for run in runs}

    def place(run: TaskRun) -> Place:
        above = place(by_id[run.parent_task_run_id]) if run.parent_task_run_id else ()
        return (*above, (run.task_id, run.value, run.iteration))

    return {run.id: place(run) for run in by_id.values()}


def seen(execution: Execution) -> Expected:
    """What became of a flow."""
    runs = execution.task_runs
    where = places(runs)
    return Expected({where[run.id]: run.state for run in runs}, execution.state)


def output_tree(runs: Sequence[TaskRun]) -> Spec:
    """`outputs` as expressions must see it: by task, and in loops by the values around."""
    tree: Spec = {}
    where = places(runs)
    for run in runs:
        if not run.outputs:
            continue
        keys = [run.task_id, *(value for _, value, _ in where[run.id] if value is not None)]
        branch = tree
        for key in keys[:-1]:
            branch = branch.setdefault(key, {})
        branch[keys[-1]] = dict(run.outputs)
    return tree

"""Checks a suite against its flow before anything runs: a fixture of a task that is not there would mock nothing."""

from __future__ import annotations

from nbflow.errors import NbflowError
from nbflow.flowtests.finding import World
from nbflow.flowtests.loading import LoadedSuite
from nbflow.model.flow import Flow
from nbflow.nearest import did_you_mean
from nbflow.source import load_flow


def check_fixtures(loaded: LoadedSuite, flow: Flow, world: World) -> None:
    """Raises: SuiteError for fixtures and assertions of tasks, inputs and triggers that the flow does not have."""
    findings = loaded.findings()
    inputs = [declared.id for declared in flow.inputs]
    groups = {name.partition(".")[0] for name in inputs}
    for number, case in enumerate(loaded.suite.test_cases):
        path = ("testCases", number, "fixtures")
        for place, fixture in enumerate(case.fixtures.tasks):
            fault = _fault(fixture.id, flow, world)
            if fault is not None:
                findings.error((*path, "tasks", place, "id"), *fault)
        for name in case.fixtures.inputs:
            if name not in inputs and name not in groups:
                hint = did_you_mean(name, inputs) or (f"there are {', '.join(inputs)}" if inputs else "it has none")
                message = f"the flow {flow.uid} has no input `{name}`"
                findings.error((*path, "inputs", name), message, hint, at_key=True)
        trigger = case.fixtures.trigger
        triggers = [one.id for one in flow.triggers]
        if trigger is not None and not trigger.type and trigger.id not in triggers:
            hint = did_you_mean(trigger.id, triggers) or "say its `type` as well"
            findings.error((*path, "trigger", "id"), f"the flow {flow.uid} has no trigger `{trigger.id}`", hint)
        for place, assertion in enumerate(case.assertions):
            fault = _fault(assertion.task_id, flow, world) if assertion.task_id else None
            if fault is not None and "." not in str(assertion.task_id):
                findings.error(("testCases", number, "assertions", place, "taskId"), *fault)
    if findings.has_errors:
        raise loaded.refuse(findings.in_order())


def _fault(name: str, flow: Flow, world: World) -> tuple[str, str] | None:
    """What is wrong with the name of a task, `task` or `call.task`, and how to mend it."""
    first, _, rest = name.partition(".")
    tasks = {task.id: task for task in flow.all_tasks()}
    if first not in tasks:
        hint = did_you_mean(first, tasks) or f"there are {', '.join(tasks)}"
        return f"the flow {flow.uid} has no task `{first}`", hint
    if not rest:
        return None
    namespace, flow_id = getattr(tasks[first], "namespace", None), getattr(tasks[first], "flow_id", None)
    if not isinstance(flow_id, str) or not isinstance(namespace, str):
        return f"the task `{first}` runs no flow: `{rest}` cannot be in it", "name a task that is a Subflow"
    called = world.flow(namespace, flow_id)
    if called is None:
        return None  # an expression says which flow it is, or a fixture stands for the call itself
    try:
        inner = load_flow(called.text, strict=False).flow
    except NbflowError:
        return None  # the run tells
    return _fault(rest, inner, world)

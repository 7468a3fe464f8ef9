"""Rules across the parts of a flow, and properties that do not go together; with the real types."""

from __future__ import annotations

import pytest

from nbflow.source import load_flow, validate

HEAD = "id: f\nnamespace: company.team\n"
TASKS = "tasks: [{id: t, type: log, message: m}]\n"


def errors(text: str) -> list[str]:
    """The errors of a flow, each after its path."""
    return [f"{problem.path}: {problem.message}" for problem in validate(HEAD + text) if problem.is_error]


def of_task(properties: str) -> list[str]:
    return errors(f"tasks: [{{id: t, type: log, message: m, {properties}}}]")


def of_trigger(properties: str) -> list[str]:
    return errors(f"{TASKS}triggers: [{{id: t, {properties}}}]")


@pytest.mark.parametrize(
    ("retry", "expected"),
    [
        (
            "{type: constant, interval: PT1M, maxDuration: PT30S}",
            "interval: must be less than `maxDuration` (PT30S), got PT1M",
        ),
        (
            "{type: exponential, interval: PT5S, maxInterval: PT5S}",
            "interval: must be less than `maxInterval` (PT5S), got PT5S",
        ),
        (
            "{type: random, minInterval: PT3S, maxInterval: PT2S}",
            "minInterval: must be less than `maxInterval` (PT2S), got PT3S",
        ),
        (
            "{type: random, minInterval: PT1S, maxInterval: PT9S, maxDuration: PT8S}",
            "maxInterval: must be less than `maxDuration` (PT8S), got PT9S",
        ),
    ],
)
def test_waits_of_a_retry_that_cannot_be_kept(retry: str, expected: str) -> None:
    assert of_task(f"retry: {retry}") == [f"tasks[0].retry.{expected}"]


def test_labels_of_the_system_are_not_for_flows() -> None:
    said = "the label `system.owner` cannot be set: `system.*` belongs to nbflow"
    assert errors(f"{TASKS}labels: {{team: a, system.owner: me}}") == [f"labels: {said}"]
    sla = "{id: s, type: MAX_DURATION, duration: PT1M, labels: [{key: system.owner, value: me}]}"
    assert errors(f"{TASKS}sla: [{sla}]") == [f"sla[0].labels: {said}"]
    assert errors(f"{TASKS}labels: {{system.readOnly: 'true'}}") == []


@pytest.mark.parametrize(
    "trigger",
    [
        "type: webhook, key: k, labels: {system.owner: me}",
        "type: webhook, key: k, labels: [{key: system.owner, value: me}]",
        "type: flow, when: x, labels: {system.readOnly: 'true'}",
        "type: io.kestra.plugin.core.trigger.Schedule, cron: '@daily', backfill: {start: 2024-01-01, "
        "labels: {system.owner: me}}",
    ],
)
def test_labels_of_the_system_are_not_for_triggers(trigger: str) -> None:
    (said,) = of_trigger(trigger)
    assert "labels: the label `system." in said
    assert said.endswith("cannot be set: `system.*` belongs to nbflow")


def test_ids_have_a_length() -> None:
    assert errors(TASKS.replace("id: t", f"id: {'t' * 300}")) == []
    text = f"id: {'f' * 101}\nnamespace: {'n' * 151}\n{TASKS}"
    assert [f"{problem.path}: {problem.message}" for problem in validate(text)] == [
        "id: must have at most 100 characters",
        "namespace: must have at most 150 characters",
    ]


@pytest.mark.parametrize("narrowed", ["", ", states: [FAILED]", ", conditions: []"])
def test_a_trigger_that_fires_for_every_execution_is_pointed_out(narrowed: str) -> None:
    text = f"{HEAD}{TASKS}triggers: [{{id: t, type: io.kestra.plugin.core.trigger.Flow{narrowed}}}]"
    (problem,) = validate(text)
    assert (problem.path, problem.message) == ("triggers[0].type", "fires for every execution of every flow")
    assert problem.is_warning


def test_the_type_of_an_output() -> None:
    assert errors(f"{TASKS}outputs: [{{id: a, type: STRIN, value: x}}]") == [
        'outputs[0].type: there is no output type "STRIN"'
    ]
    assert errors(f"{TASKS}outputs: [{{id: a.b, type: string, value: x}}]") == []


def test_a_flow_that_calls_itself() -> None:
    inside = "{id: g, type: sequential, tasks: [{id: again, type: subflow, namespace: company.team, flowId: f}]}"
    assert errors(f"tasks: [{inside}]") == ["tasks[0].tasks[0].flowId: `company.team.f` calls itself"]


def test_what_inputs_depend_on() -> None:
    unknown = "inputs: [{id: a, type: INT}, {id: b, type: INT, dependsOn: {inputs: [aa]}}]"
    assert errors(TASKS + unknown) == ["inputs[1].dependsOn.inputs[0]: there is no input `aa` to depend on here"]
    circle = "inputs: [{id: a, type: INT, dependsOn: {inputs: [b]}}, {id: b, type: INT, dependsOn: {inputs: [a]}}]"
    assert errors(TASKS + circle) == [
        "inputs[0].dependsOn.inputs[0]: inputs depend on each other in a circle: a → b → a"
    ]


def test_a_property_without_a_value_is_not_there() -> None:
    flow = load_flow(f"{HEAD}tasks: [{{id: t, type: log, message: m, disabled: null}}]\nerrors:\n").flow
    assert (flow.errors, flow.tasks[0].disabled) == ([], False)
    assert of_task("level: null") == []
    assert errors("tasks: [{id: t, type: log, message: null}]") == [
        "tasks[0].message: must be text or a list, got nothing"
    ]


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        ("{type: log}", "pluginDefaults[0].values: `values` is missing"),
        ("{type: log, values: {level: null}}", "pluginDefaults[0].values.level: `level` has no value"),
        ("{type: return, values: {fromat: x}}", "pluginDefaults[0].values.fromat: `return` has no property `fromat`"),
    ],
)
def test_defaults_that_say_nothing_or_what_nobody_knows(default: str, expected: str) -> None:
    assert errors(f"{TASKS}pluginDefaults: [{default}]") == [expected]


def test_of_several_forced_defaults_the_first_counts() -> None:
    defaults = "".join(
        f"  - {{type: log, forced: {forced}, values: {{level: {level}}}}}\n"
        for forced, level in [("false", "TRACE"), ("true", "WARN"), ("true", "ERROR")]
    )
    flow = load_flow(f"{HEAD}tasks: [{{id: t, type: log, message: m, level: INFO}}]\npluginDefaults:\n{defaults}").flow
    assert str(flow.tasks[0].level) == "WARN"  # type: ignore[attr-defined]  # a Log has it


def test_lists_of_defaults_come_before_those_of_a_part() -> None:
    text = (
        f"{HEAD}tasks: [{{id: s, type: shell, beforeCommands: [own], commands: [run]}}]\n"
        "pluginDefaults: [{type: shell, values: {beforeCommands: [first, second]}}]\n"
    )
    assert load_flow(text).flow.tasks[0].before_commands == ["first", "second", "own"]  # type: ignore[attr-defined]


def test_an_item_of_a_joined_list_has_its_own_address() -> None:
    text = (
        f"{HEAD}tasks:\n  - {{id: s, type: shell, commands: [run], beforeCommands: [own]}}\n"
        "pluginDefaults:\n  - type: shell\n    values:\n      beforeCommands:\n        - {}\n"
    )
    [problem] = [problem for problem in validate(text) if problem.is_error]
    assert (problem.line, problem.path) == (9, "pluginDefaults[0].values.beforeCommands[0]")


FLOW = "type: io.kestra.plugin.core.trigger.Flow"


@pytest.mark.parametrize(
    ("compared", "expected"),
    [
        ("type: IN, value: a", "a filter of type IN needs `values`, and not `value`"),
        ("type: IN, values: [a], value: a", "a filter of type IN needs `values`, and not `value`"),
        ("type: STARTS_WITH, values: [a]", "a filter of type STARTS_WITH needs `value`, and not `values`"),
    ],
)
def test_what_a_filter_compares_with(compared: str, expected: str) -> None:
    where = f"[{{id: w, filters: [{{field: FLOW_ID, {compared}}}]}}]"
    assert of_trigger(f"{FLOW}, preconditions: {{id: p, where: {where}}}") == [
        f"triggers[0].preconditions.where[0].filters[0]: {expected}"
    ]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ("type: DAILY_TIME_DEADLINE, deadline: '09:00:00', window: PT1H", "DAILY_TIME_DEADLINE has no `window`"),
        ("type: SLIDING_WINDOW, window: PT1H, windowAdvance: PT1H", "SLIDING_WINDOW has no `windowAdvance`"),
        ("type: DURATION_WINDOW, startTime: '09:00:00'", "DURATION_WINDOW has no `startTime`"),
    ],
)
def test_what_a_window_is_not_bounded_by(window: str, expected: str) -> None:
    flows = "[{namespace: company.team, flowId: other}]"
    assert of_trigger(f"{FLOW}, preconditions: {{id: p, flows: {flows}, timeWindow: {{{window}}}}}") == [
        f"triggers[0].preconditions.timeWindow: a window of type {expected}"
    ]


def test_a_webhook_cannot_collect_executions() -> None:
    core = "io.kestra.plugin.core"
    waits = (
        f"{{id: m, type: {core}.condition.MultipleCondition, conditions: {{a: {{type: expression, expression: x}}}}}}"
    )
    assert of_trigger(f"type: webhook, key: k, conditions: [{waits}]") == [
        "triggers[0].conditions: a webhook cannot wait for several executions: `MultipleCondition` is for Flow triggers"
    ]


def test_tasks_that_flowables_need_or_cannot_have() -> None:
    assert errors("tasks: [{id: s, type: switch, value: x, cases: {a: []}}]") == [
        "tasks[0]: needs tasks, in `cases` or in `defaults`"
    ]
    assert errors(f"{TASKS}listeners: [{{tasks: []}}]") == ["listeners[0].tasks: needs at least 1 item"]
    pause = "{id: g, type: sequential, tasks: [{id: p, type: pause}]}"
    assert errors(f"tasks: [{{id: w, type: working_directory, tasks: [{pause}]}}]") == [
        "tasks[0].tasks: `p` is a Pause: nothing keeps the directory until it is resumed"
    ]

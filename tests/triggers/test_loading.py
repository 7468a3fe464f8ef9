"""Triggers and conditions as the loader reads them: old names warn, mistakes have an address and say what is right."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from nbflow.source import load_flow, validate
from nbflow.triggers.conditions.executions import Execution, ExecutionStatus
from nbflow.triggers.flow import Flow, Mode
from nbflow.triggers.schedule import Schedule

_HEAD = """\
id: a
namespace: company.team
tasks:
  - id: hello
    type: io.kestra.plugin.core.log.Log
    message: hello
triggers:
  - id: t
"""


def flow(trigger: str) -> str:
    return _HEAD + indent(dedent(trigger), "    ")


def problems(trigger: str) -> list[str]:
    return [str(problem) for problem in validate(flow(trigger))]


def test_the_name_of_a_schedule_is_read_without_a_warning() -> None:
    assert problems("type: io.kestra.plugin.core.trigger.Schedule\ncron: 0 9 * * *") == []


@pytest.mark.parametrize("name", ["io.kestra.core.models.triggers.types.Schedule", "schedule"])
def test_an_old_name_warns_and_names_the_new_one(name: str) -> None:
    assert problems(f"type: {name}\ncron: '@daily'") == [
        f"9:11  triggers[0].type: `{name}` is an older name (write `io.kestra.plugin.core.trigger.Schedule`)"
    ]


@pytest.mark.parametrize(
    "name",
    [
        "io.kestra.plugin.core.condition.ExecutionStatus",
        "io.kestra.plugin.core.condition.ExecutionStatusCondition",
        "io.kestra.core.models.conditions.types.ExecutionStatusCondition",
        "io.kestra.core.models.conditions.ExecutionStatusCondition",
    ],
)
def test_every_name_of_a_condition_leads_to_the_same_class(name: str) -> None:
    loaded = load_flow(
        flow(f"type: io.kestra.plugin.core.trigger.Flow\nconditions:\n  - type: {name}\n    in: [FAILED]")
    )
    condition = loaded.flow.triggers[0].conditions[0]
    assert isinstance(condition, ExecutionStatus)
    assert condition.in_ == ["FAILED"]


def test_the_triggers_of_the_lessons_are_read() -> None:
    text = """
    type: io.kestra.plugin.core.trigger.Flow
    conditions:
      - type: io.kestra.plugin.core.condition.Execution
        namespace: company.team
        flowId: upstream
        states: [SUCCESS]
    """
    assert problems(text) == []
    (condition,) = load_flow(flow(text)).flow.triggers[0].conditions
    assert isinstance(condition, Execution)


def test_a_holiday_loads_without_the_package_that_knows_holidays() -> None:
    assert (
        problems(
            """
            type: io.kestra.plugin.core.trigger.Schedule
            cron: 0 11 * * *
            conditions:
              - type: io.kestra.plugin.core.condition.PublicHoliday
                country: FR
            """
        )
        == []
    )


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        (
            "type: io.kestra.plugin.core.trigger.Schedule\ncron: 0 25 * * *\ntimezone: Europe/Pariss",
            [
                "10:11  triggers[0].cron: field 2 (hour) of the cron expression `0 25 * * *` must be 0 to 23, got `25`",
                "11:15  triggers[0].timezone: there is no time zone `Europe/Pariss`; "
                "did you mean `Europe/Paris` or `Europe/Warsaw`",
            ],
        ),
        (  # one mistake is one problem: how many fields `cron` needs is not known
            "type: io.kestra.plugin.core.trigger.Schedule\nwithSeconds: maybe\ncron: 0 0 9 * * *",
            ['10:18  triggers[0].withSeconds: must be true or false, got "maybe"'],
        ),
        (  # a number is no date: it would be seconds since 1970
            "type: io.kestra.plugin.core.trigger.Schedule\ncron: '@daily'\nbackfill:\n  start: 2024",
            [
                "12:14  triggers[0].backfill.start: must be an ISO 8601 date such as 2024-01-31T09:00:00Z, got `2024`",
            ],
        ),
        (
            "type: schedule_on_dates\ndates: [1704067200]",
            [
                "10:13  triggers[0].dates[0]: must be an ISO 8601 date such as 2024-01-31T09:00:00Z, got `1704067200`",
            ],
        ),
        (
            "type: flow\nwindow:\n  deadline: 9",
            ["11:17  triggers[0].window.deadline: must be an ISO 8601 time of day such as 09:00:00, got `9`"],
        ),
        (
            "type: flow\nwindow:\n  deadline: '09:00'\n  from: '06:00'",
            [
                "11:7  triggers[0].window: `deadline` and `from` do not go together: "
                "they bound the window in different ways"
            ],
        ),
        (
            "type: flow\nwindow:\n  to: '06:00'",
            ["11:7  triggers[0].window: a window with `to` needs `from`"],
        ),
    ],
)
def test_a_mistake_has_an_address_and_says_what_is_right(trigger: str, expected: list[str]) -> None:
    assert problems(trigger) == expected


def test_a_flow_trigger_in_the_newer_form_is_read() -> None:
    text = """
    type: io.kestra.plugin.core.trigger.Flow
    mode: AT_LEAST
    minSatisfied: 1
    window:
      from: "06:00:00"
      to: "09:00:00"
      timezone: Europe/Paris
      fireOnce: true
    dependsOn:
      - namespace: company.payroll
        states: [FAILED, WARNING]
        when: "{{ trigger.state == 'FAILED' }}"
      - flowId: bronze
    """
    assert problems(text) == []
    trigger = load_flow(flow(text)).flow.triggers[0]
    assert isinstance(trigger, Flow)
    assert trigger.mode is Mode.AT_LEAST
    assert trigger.window is not None
    assert trigger.window.from_ is not None
    assert [needed.states for needed in trigger.depends_on] == [["FAILED", "WARNING"], []]


def test_an_empty_backfill_is_none() -> None:
    trigger = load_flow(
        flow("type: io.kestra.plugin.core.trigger.Schedule\ncron: '@daily'\nbackfill: {}")
    ).flow.triggers[0]
    assert isinstance(trigger, Schedule)
    assert trigger.backfill is None


def test_a_bound_is_read_as_java_prints_it() -> None:
    text = """
    type: io.kestra.plugin.core.trigger.Schedule
    cron: "@daily"
    conditions:
      - type: io.kestra.plugin.core.condition.DateTimeBetween
        after: "2024-01-01T00:00:00.123456789+01:00[Europe/Paris]"
    """
    assert problems(text) == []


def test_at_least_needs_a_number() -> None:
    assert problems("type: flow\nmode: AT_LEAST") == [
        "8:5  triggers[0]: `mode: AT_LEAST` and `minSatisfied` need each other"
    ]


def test_the_oldest_form_of_a_time_window_is_read_with_a_warning() -> None:
    found = problems(
        """
        type: io.kestra.plugin.core.trigger.Flow
        conditions:
          - id: both
            type: io.kestra.plugin.core.condition.MultipleCondition
            sla:
              window: PT12H
            conditions:
              a:
                type: io.kestra.plugin.core.condition.ExecutionFlow
                namespace: company.team
                flowId: a
        """
    )
    assert found == ["14:9  triggers[0].conditions[0].sla: `sla` is an older spelling (write `timeWindow`)"]


def test_seconds_reach_the_schedule() -> None:
    trigger = load_flow(
        flow("type: io.kestra.plugin.core.trigger.Schedule\ncron: '*/10 0 9 * * *'\nwithSeconds: true")
    ).flow.triggers[0]
    assert isinstance(trigger, Schedule)
    assert trigger.with_seconds

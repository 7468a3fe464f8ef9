"""When conditions hold."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from nbflow.errors import TemplateError
from nbflow.expressions import render
from nbflow.model.execution import Attempt, Execution, TaskRun
from nbflow.model.state import State, StateHistory
from nbflow.plugins import Facts, Question
from nbflow.triggers.conditions import dates, executions, flows, logic
from nbflow.triggers.conditions.multiple import MultipleCondition
from nbflow.triggers.flow import Flow, TimeWindow
from nbflow.triggers.webhook import Webhook

NOW = datetime(2024, 3, 1, 12, 30, tzinfo=UTC)  # a Friday


def facts(
    date: datetime = NOW,
    execution: Execution | None = None,
    variables: dict[str, object] | None = None,
    task_runs: tuple[TaskRun, ...] = (),
) -> Facts:
    return Facts(date, lambda text: render(text, variables or {}), execution, task_runs=task_runs)


def ended(state: State = State.SUCCESS) -> StateHistory:
    return StateHistory.begin(NOW).move(State.RUNNING, NOW).move(state, NOW)


EXECUTION = Execution(
    "x", "company.team", "etl", 1, ended(), outputs={"rows": 3}, labels=(("env", "prod"), ("team", "a"))
)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (dates.DayWeek(day_of_week="FRIDAY"), True),
        (dates.DayWeek.model_validate({"dayOfWeek": "monday"}), False),
        (dates.DayWeek(day_of_week="MONDAY", date="2024-03-04"), True),
        (dates.DayWeek(day_of_week="SUNDAY", date="{{ trigger.date }}"), True),
        (dates.DayWeekInMonth(day_of_week="FRIDAY", day_in_month="FIRST"), True),
        (dates.DayWeekInMonth(day_of_week="FRIDAY", day_in_month="LAST"), False),
        (dates.DayWeekInMonth(day_of_week="FRIDAY", day_in_month="LAST", date="2024-03-29"), True),
        (dates.DayWeekInMonth(day_of_week="FRIDAY", day_in_month="THIRD", date="2024-03-15"), True),
        (dates.Weekend(), False),
        (dates.Weekend(date="2024-03-02T23:00:00Z"), True),
        (dates.Weekend(date="2024-03-02T23:00:00.123456789+01:00[Europe/Paris]"), True),
        (dates.DateTimeBetween(after=datetime(2024, 1, 1, tzinfo=UTC)), True),
        (dates.DateTimeBetween(before=datetime(2024, 1, 1)), False),  # as written in a flow
        (dates.DateTimeBetween(after=NOW), True),  # a schedule at the very bound fires
        (dates.DateTimeBetween(before=NOW), True),
        (dates.DateTimeBetween(after=datetime(2024, 3, 1, 12, 30, 1, tzinfo=UTC)), False),
        (dates.TimeBetween.model_validate({"after": "12:00:00", "before": "13:00:00"}), True),
        (dates.TimeBetween.model_validate({"after": "13:00:00+01:00", "before": "13:20:00+01:00"}), False),
        (dates.TimeBetween.model_validate({"after": "22:00:00", "before": "06:00:00"}), False),
        (
            dates.TimeBetween.model_validate({"after": "22:00:00", "before": "06:00:00", "date": "2024-03-01T23:00"}),
            True,
        ),
        (logic.Expression(expression="{{ 2 > 1 }}"), True),
        (logic.Expression(expression="{{ 2 < 1 }}"), False),
        (logic.Expression(expression="{{ trigger.n }}"), False),
        (logic.Expression(expression="{{ check }}"), False),
        (logic.Not(conditions=[dates.Weekend()]), True),
        (logic.Not(conditions=[dates.Weekend(), dates.DayWeek(day_of_week="FRIDAY")]), False),
        (logic.Or(conditions=[dates.Weekend(), dates.DayWeek(day_of_week="FRIDAY")]), True),
        (logic.Or(conditions=[dates.Weekend()]), False),
        (executions.ExecutionFlow(namespace="a", flow_id="b"), False),
    ],
)
def test_conditions_about_dates_and_expressions(condition: Question, holds: bool) -> None:
    variables: dict[str, object] = {"trigger": {"date": "2024-03-03T00:00:00Z", "n": 0}, "check": {"value": False}}
    assert condition.holds(facts(variables=variables)) is holds


def test_a_day_is_that_of_the_schedules_own_zone() -> None:
    late = datetime(2024, 3, 1, 23, 30, tzinfo=UTC).astimezone(ZoneInfo("Asia/Tokyo"))
    assert dates.Weekend().holds(facts(late))


def test_a_date_that_is_none_cannot_be_answered() -> None:
    with pytest.raises(TemplateError, match="`date` must render to an ISO 8601 date, got 'soon'"):
        dates.Weekend(date="soon").holds(facts())


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (flows.FlowCondition(namespace="company.team", flow_id="asks"), True),
        (flows.FlowCondition(namespace="company.team", flow_id="etl"), False),
        (flows.FlowNamespaceCondition(namespace="company.team"), True),
        (flows.FlowNamespaceCondition(namespace="company"), False),
        (flows.FlowNamespaceCondition(namespace="company", prefix=True), True),
    ],
)
def test_the_oldest_conditions_look_at_the_flow_that_asks(condition: Question, holds: bool) -> None:
    variables: dict[str, object] = {"flow": {"namespace": "company.team", "id": "asks"}}
    assert condition.holds(facts(execution=EXECUTION, variables=variables)) is holds


@pytest.mark.parametrize("cls", [dates.DateTimeBetween, dates.TimeBetween])
def test_bounds_are_needed(cls: Callable[[], Question]) -> None:
    with pytest.raises(ValidationError, match="needs `after`, `before` or both"):
        cls()


@pytest.mark.parametrize(
    ("holiday", "holds"),
    [
        ({"date": "2023-01-01"}, True),  # whatever the country of the machine is
        ({"date": "2023-07-14", "country": "FR"}, True),
        ({"date": "2023-07-14", "country": "{{ land }}"}, True),
        ({"date": "2023-01-02", "country": "FR"}, False),
        ({"date": "2023-03-08", "country": "DE"}, False),
        ({"date": "2023-03-08", "country": "DE", "subDivision": "BE"}, True),
        ({"date": "2023-03-08", "country": "de", "subDivision": "DE-BE"}, True),
    ],
)
def test_a_holiday_is_one_of_a_country_or_a_part_of_it(holiday: dict[str, str], holds: bool) -> None:
    pytest.importorskip("holidays")
    assert dates.PublicHoliday.model_validate(holiday).holds(facts(variables={"land": "fr"})) is holds


@pytest.mark.parametrize(("place", "country"), [("de_AT", "AT"), (None, "US"), ("C", "US")])
def test_the_country_is_that_of_the_machine(monkeypatch: pytest.MonkeyPatch, place: str | None, country: str) -> None:
    monkeypatch.setattr("locale.getlocale", lambda: (place, "UTF-8"))
    assert dates.country_of_the_machine() == country


def test_holidays_need_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)  # as if it were not installed
    condition = dates.PublicHoliday(country="FR", date="2024-07-14")
    with pytest.raises(TemplateError) as refused:
        condition.holds(facts())
    assert str(refused.value) == (
        "the condition PublicHoliday needs the package `holidays` (pip install 'jupyter-nbflow[holidays]')"
    )


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (executions.Execution(namespace="company.team", flow_id="etl", states=["SUCCESS"]), True),
        (executions.Execution(namespace="company.team", states=["FAILED"]), False),
        (executions.Execution(), True),
        (executions.ExecutionFlow(namespace="company.team", flow_id="etl"), True),
        (executions.ExecutionFlow(namespace="company", flow_id="etl"), False),
        (executions.ExecutionNamespace(namespace="company.team"), True),
        (executions.ExecutionNamespace(namespace="company", prefix=True), True),
        (executions.ExecutionNamespace(namespace="company"), False),
        (executions.ExecutionNamespace(namespace="team", comparison="SUFFIX"), True),
        (executions.ExecutionStatus.model_validate({"in": ["SUCCESS", "WARNING"]}), True),
        (executions.ExecutionStatus.model_validate({"in": ["FAILED"]}), False),
        (executions.ExecutionStatus.model_validate({"notIn": ["SUCCESS"]}), False),
        (executions.ExecutionLabels(labels={"env": "prod"}), True),
        (executions.ExecutionLabels(labels=[{"key": "env", "value": "prod"}, {"key": "team", "value": "b"}]), False),
        (executions.ExecutionOutputs(expression="{{ trigger.outputs.rows > 2 }}"), True),
        (executions.ExecutionOutputs(expression="{{ trigger.outputs.rows > 3 }}"), False),
    ],
)
def test_conditions_about_an_execution(condition: Question, holds: bool) -> None:
    variables: dict[str, object] = {"trigger": {"outputs": {"rows": 3}}}
    assert condition.holds(facts(execution=EXECUTION, variables=variables)) is holds


def test_a_retry_is_noticed() -> None:
    once = TaskRun("1", "x", "a", ended(), attempts=(Attempt(ended()),))
    twice = TaskRun("2", "x", "b", ended(), attempts=(Attempt(ended(State.FAILED)), Attempt(ended())))
    retried = executions.HasRetryAttempt.model_validate({"in": ["FAILED"]})
    assert not retried.holds(facts(execution=EXECUTION, task_runs=(once,)))
    assert retried.holds(facts(execution=EXECUTION, task_runs=(once, twice)))


def test_multiple_conditions_are_read() -> None:
    condition = MultipleCondition(
        id="both", conditions={"a": executions.ExecutionFlow(namespace="n", flow_id="f")}, window="P1D"
    )
    assert condition.reset_on_success


def test_flow_triggers_are_read() -> None:
    trigger = Flow.model_validate(
        {"id": "t", "preconditions": {"id": "p", "flows": [{"namespace": "n", "flowId": "f", "states": ["SUCCESS"]}],
         "where": [{"id": "w", "filters": [{"field": "NAMESPACE", "type": "STARTS_WITH", "value": "n"}]}],
         "timeWindow": {"type": "DAILY_TIME_DEADLINE", "deadline": "09:00:00Z"}, "resetOnSuccess": False}}
    )  # fmt: skip
    assert trigger.preconditions is not None
    assert State.FAILED in trigger.states
    assert State.RUNNING not in trigger.states


def test_a_window_needs_what_its_type_says() -> None:
    with pytest.raises(ValidationError, match="a window of type DAILY_TIME_WINDOW needs `startTime`"):
        TimeWindow(type="DAILY_TIME_WINDOW")


def test_preconditions_must_ask_for_something() -> None:
    with pytest.raises(ValidationError, match="preconditions need `flows` or `where`"):
        Flow.model_validate({"id": "t", "preconditions": {"id": "p"}})


def test_a_webhook_needs_a_key() -> None:
    assert Webhook(id="w", key="abc").key == "abc"
    with pytest.raises(ValidationError):
        Webhook(id="w", key="")

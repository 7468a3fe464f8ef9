"""Whether a trigger is to fire: its conditions, and what it waits for, asked about one execution.

What cannot be evaluated does not hold, and a warning says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from nbflow import regexes
from nbflow.engine.triggers.warning import warn
from nbflow.engine.triggers.windows import Span, Wait
from nbflow.model.execution import Execution
from nbflow.model.flow import Flow
from nbflow.model.state import State
from nbflow.plugins import Condition, Facts, Question, Trigger
from nbflow.plugins.truth import is_true
from nbflow.triggers.conditions.multiple import MultipleCondition
from nbflow.triggers.flow import (
    Dependency,
    ExecutionFilter,
    Filter,
    FilterField,
    FilterType,
    Mode,
    TimeWindow,
    UpstreamFlow,
)
from nbflow.triggers.flow import Flow as FlowTrigger


class Asker:
    """Asks the conditions of one trigger about one execution."""

    def __init__(self, flow: Flow, trigger: Trigger, facts: Facts) -> None:
        self._flow = flow
        self._trigger = trigger
        self._facts = facts

    def allows(self) -> bool:
        """Whether `when` and the conditions hold; those that collect executions are left to `waits`."""
        when = self._trigger.when
        if when is not None and not self._is(lambda: is_true(self._facts.render(when)), "when"):
            return False
        return all(
            self._holds(condition)
            for condition in self._trigger.conditions
            if not isinstance(condition, MultipleCondition)
        )

    def waits(self) -> list[Wait]:
        """What the trigger waits for besides, and what of it this execution brings."""
        found = [self._multiple(one) for one in self._trigger.conditions if isinstance(one, MultipleCondition)]
        if isinstance(self._trigger, FlowTrigger):
            if self._trigger.preconditions is not None:
                found.append(self._preconditions(self._trigger))
            if self._trigger.depends_on:
                found.append(self._dependencies(self._trigger))
        return found

    def _multiple(self, condition: MultipleCondition) -> Wait:
        window = condition.time_window
        if condition.window is not None or condition.window_advance is not None:
            window = TimeWindow.model_construct(
                **{
                    **window.__dict__,
                    "window": condition.window or window.window,
                    "window_advance": condition.window_advance or window.window_advance,
                }
            )
        return Wait(
            condition.id,
            tuple(condition.conditions),
            frozenset(name for name, one in condition.conditions.items() if self._holds(one)),
            len(condition.conditions),
            Span.of_time_window(window),
            resets=condition.reset_on_success,
        )

    def _preconditions(self, trigger: FlowTrigger) -> Wait:
        asked = trigger.preconditions
        assert asked is not None
        answers: dict[str, Callable[[], bool]] = {
            f"flow {number}": partial(self._fits, one) for number, one in enumerate(asked.flows, 1)
        }
        answers |= {f"where {one.id}": partial(self._passes, one) for one in asked.where}
        return Wait(
            asked.id,
            tuple(answers),
            frozenset(name for name, answer in answers.items() if self._is(answer, f"preconditions, {name}")),
            len(answers),
            Span.of_time_window(asked.time_window),
            resets=asked.reset_on_success,
        )

    def _dependencies(self, trigger: FlowTrigger) -> Wait:
        names = {f"flow {number}": one for number, one in enumerate(trigger.depends_on, 1)}
        needed = {Mode.ALL: len(names), Mode.ANY: 1, Mode.AT_LEAST: trigger.min_satisfied or 1}[trigger.mode]
        window = trigger.window
        return Wait(
            "dependsOn",
            tuple(names),
            frozenset(name for name, one in names.items() if self._is(partial(self._fits, one), f"dependsOn, {name}")),
            needed,
            Span.of_window(window) if window is not None else Span(),
            fires_once=window is not None and window.fire_once,
        )

    def _fits(self, wanted: Dependency | UpstreamFlow) -> bool:
        """Whether this is an execution of an upstream flow that is waited for."""
        execution = self._facts.execution
        if execution is None:
            return False
        when = wanted.when if isinstance(wanted, Dependency) else None
        return (
            wanted.namespace in (None, execution.namespace)
            and wanted.flow_id in (None, execution.flow_id)
            and (not wanted.states or execution.state in wanted.states)
            and set(wanted.labels.items()) <= set(execution.labels)
            and (when is None or is_true(self._facts.render(when)))
        )

    def _passes(self, where: ExecutionFilter) -> bool:
        execution = self._facts.execution
        if execution is None:
            return False
        answers = (_compares(one, self._value(one, execution)) for one in where.filters)
        return any(answers) if where.operand == "OR" else all(answers)

    def _value(self, one: Filter, execution: Execution) -> str:
        match one.field:
            case FilterField.NAMESPACE:
                return execution.namespace
            case FilterField.FLOW_ID:
                return execution.flow_id
            case FilterField.STATE:
                return str(execution.state)
            case FilterField.EXPRESSION:
                return self._facts.render(one.value or "")

    def _holds(self, condition: Condition) -> bool:
        if not isinstance(condition, Question):
            return False
        return self._is(lambda: condition.holds(self._facts), condition.type)

    def _is(self, answer: Callable[[], bool], what: str) -> bool:
        try:
            return answer()
        except Exception as error:  # conditions may be a plugin's, and what they raise is no reason to stop
            warn(self._flow, self._trigger, "condition_failed", f"{what} cannot be evaluated: {error}")
            return False


def listened_states(trigger: Trigger) -> Iterable[State]:
    """The states a trigger is asked about; those that its `dependsOn` name too, unless it lists its own."""
    if not isinstance(trigger, FlowTrigger):
        return ()
    if "states" in trigger.model_fields_set:
        return trigger.states
    return {*trigger.states, *(state for one in trigger.depends_on for state in one.states)}


def _compares(one: Filter, value: str) -> bool:
    wanted = one.value or ""
    match one.type:
        case FilterType.EQUAL_TO:
            return value == wanted
        case FilterType.NOT_EQUAL_TO:
            return value != wanted
        case FilterType.IN:
            return value in one.values
        case FilterType.NOT_IN:
            return value not in one.values
        case FilterType.IS_TRUE:
            return is_true(value)
        case FilterType.IS_FALSE:
            return not is_true(value)
        case FilterType.IS_NULL:
            return not value
        case FilterType.IS_NOT_NULL:
            return bool(value)
        case FilterType.STARTS_WITH:
            return value.startswith(wanted)
        case FilterType.ENDS_WITH:
            return value.endswith(wanted)
        case FilterType.CONTAINS:
            return wanted in value
        case FilterType.REGEX:
            return regexes.full_match(value, wanted)

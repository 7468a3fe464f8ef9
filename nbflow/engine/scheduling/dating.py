"""What one date of a schedule makes of its flow: whether the conditions hold, and the execution that it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from nbflow.clock import Clock
from nbflow.engine.services import NamespaceServices
from nbflow.engine.starting import CORRELATION, Start
from nbflow.engine.triggers.firing import Scene, fired
from nbflow.engine.triggers.warning import warn
from nbflow.engine.variables import execution_variables, namespace_variables
from nbflow.errors import NbflowError
from nbflow.model.execution import Execution
from nbflow.model.flow import Flow
from nbflow.model.state import State, StateHistory
from nbflow.model.task import LogLevel
from nbflow.plugins import Condition, Facts, Question, Trigger, is_true
from nbflow.scheduler.dates import Timetable
from nbflow.scheduler.schedules import dates_around, has_conditions, table_of
from nbflow.store import Store
from nbflow.triggers.schedule import Schedule
from nbflow.types import JsonValue, dated_id, derived_id


@dataclass(frozen=True, slots=True)
class Extra:
    """What a backfill adds to the executions of a schedule; their ids follow from its `key`."""

    key: str
    inputs: Mapping[str, JsonValue]
    labels: Mapping[str, str]
    system_labels: Mapping[str, str]


class Dating:
    """A schedule of a flow, asked about its dates."""

    def __init__(self, flow: Flow, trigger: Trigger, store: Store, clock: Clock) -> None:
        table = table_of(trigger)
        assert table is not None, "a schedule has dates"
        self.flow = flow
        self.trigger = trigger
        self.table: Timetable = table
        self._store = store
        self._clock = clock
        older = trigger.schedule_conditions if isinstance(trigger, Schedule) else []
        self._conditions: list[Condition] = [*trigger.conditions, *older]
        self._denials: dict[int, str] = {}

    def refusal(self, date: datetime) -> str | None:
        """Why the conditions keep a date from firing; None when they hold. What cannot be evaluated does not hold."""
        return self._refusal(date)[0] if self._conditions or self.trigger.when else None

    def allows(self, date: datetime) -> bool:
        """Whether the conditions hold for a date; of one that cannot be evaluated a warning tells."""
        if not (self._conditions or self.trigger.when):
            return True
        reason, is_broken = self._refusal(date)
        if reason is not None and is_broken:
            warn(self.flow, self.trigger, "condition_failed", reason)
        return reason is None

    def _refusal(self, date: datetime) -> tuple[str | None, bool]:
        """As `refusal`, and whether something could not be evaluated."""
        scene: Scene | None = None

        def render(text: str) -> str:
            nonlocal scene
            if scene is None:  # most conditions look at the date alone
                scene = self._scene(date, "", dates_around(self.table, date))
            return scene.text(text)

        facts = Facts(date.astimezone(self.table.zone), render)
        what = "`when`"
        try:
            when = self.trigger.when
            if when is not None and not is_true(render(when)):
                return f"`when` is not true: {when}", False
            for condition in self._conditions:
                what = f"the condition {condition.type.rpartition('.')[2]}"
                if not isinstance(condition, Question) or not condition.holds(facts):
                    return self._denial(condition, what), False
        except Exception as error:  # conditions may be a plugin's, and what they raise is no reason to stop
            return f"{what} cannot be evaluated: {error}", True
        return None, False

    def _denial(self, condition: Condition, what: str) -> str:
        """What is said of a condition that does not hold; it is asked about many dates."""
        said = self._denials.get(id(condition))
        if said is None:
            values = condition.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"type"})
            of = ", ".join(f"{name}: {value}" for name, value in values.items())
            said = self._denials[id(condition)] = f"{what} does not hold" + (f" ({of})" if of else "")
        return said

    def start(self, date: datetime, extra: Extra | None = None) -> Start:
        """The execution for a date. One that cannot be made as it should is FAILED, and its log says why.

        Its id follows from the date: whoever asks again is given the same one.
        """
        place = (self.flow.namespace, self.flow.id, self.trigger.id, date.isoformat())
        execution_id = derived_id(extra.key, *place) if extra is not None else dated_id(date, *place)
        output = dates_around(
            self.table, date, (lambda other: self.refusal(other) is None) if has_conditions(self.trigger) else None
        )
        trigger = self.trigger
        if extra is not None:
            labels = trigger.labels
            if isinstance(labels, list):
                labels = {label.get("key", ""): label.get("value", "") for label in labels}
            given = {"inputs": {**trigger.inputs, **extra.inputs}, "labels": {**labels, **extra.labels}}
            trigger = trigger.model_copy(update=given)
        scene = self._scene(date, execution_id, output)
        try:
            start = fired(
                self.flow,
                trigger,
                output,
                scene,
                self._store,
                self._clock,
                execution_id=execution_id,
                schedule_date=date,
            )
        except NbflowError as error:
            start = self._failed(date, execution_id, output, error)
        return _labelled(start, extra.system_labels) if extra is not None else start

    def _failed(self, date: datetime, execution_id: str, output: Mapping[str, JsonValue], error: NbflowError) -> Start:
        now = self._clock.now()
        labels = {**self.flow.label_map, CORRELATION: execution_id}
        execution = Execution(
            execution_id,
            self.flow.namespace,
            self.flow.id,
            self.flow.revision or 1,
            StateHistory.begin(now).move(State.FAILED, now),
            labels=tuple(labels.items()),
            trigger={"id": self.trigger.id, "type": self.trigger.type, "variables": dict(output)},
            schedule_date=date,
        )
        problems = "".join(f"; {problem.path}: {problem.message}" for problem in getattr(error, "problems", ()))
        return Start(
            execution, [(LogLevel.ERROR, f"the trigger {self.trigger.id} could not start it: {error}{problems}")]
        )

    def _scene(self, date: datetime, execution_id: str, output: Mapping[str, JsonValue]) -> Scene:
        flow = self.flow
        execution = Execution(
            execution_id,
            flow.namespace,
            flow.id,
            flow.revision or 1,
            StateHistory.begin(self._clock.now()),
            schedule_date=date,
        )
        variables = {
            **execution_variables(flow, execution, {}, {}, self._store.settings),
            "namespace": namespace_variables(flow.namespace, self._store.namespaces.variables),
            "trigger": output,
            "schedule": output,
        }
        return Scene(variables, NamespaceServices(flow.namespace, self._store, self._clock, lambda secret: None))


def _labelled(start: Start, labels: Mapping[str, str]) -> Start:
    all_labels = {**dict(start.execution.labels), **labels}
    return replace(start, execution=replace(start.execution, labels=tuple(all_labels.items())))

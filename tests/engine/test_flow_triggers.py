"""Flows that start when executions of others change their state."""

from __future__ import annotations

import json
import logging
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent, indent

import pytest

from nbflow.engine import Engine, Execution
from nbflow.model.events import ExecutionChanged
from nbflow.store import TriggerState
from nbflow.testing import FakeClock, eventually
from tests.engine.cutting import copies_of

OVEN = """
id: oven
namespace: bakery
labels: {shift: early}
inputs: [{id: loaves, type: INT, defaults: 2}]
tasks:
  - {id: bake, type: return, format: "{{ inputs.loaves }} loaves"}
outputs:
  - {id: baked, type: INT, value: "{{ inputs.loaves }}"}
"""

BROKEN = """
id: broken
namespace: bakery
tasks:
  - {id: burn, type: io.kestra.plugin.core.execution.Fail, retry: {maxAttempts: 2, interval: PT0.01S}}
"""

MIXER = """
id: mixer
namespace: bakery.dough
tasks:
  - {id: mix, type: return, format: mixed}
"""

_FLOW = "type: io.kestra.plugin.core.trigger.Flow\n"
_CONDITION = "io.kestra.plugin.core.condition"
OF_OVEN = f"conditions: [{{type: {_CONDITION}.ExecutionFlow, namespace: bakery, flowId: oven}}]\n"


def listener(trigger: str, *, id: str = "shop", head: str = "", type: str = _FLOW) -> str:
    """A flow with a Flow trigger `bell` that has these properties."""
    return (
        f"id: {id}\nnamespace: town\n{head}\n"
        "tasks:\n  - {id: sell, type: return, format: '{{ trigger.flowId }} {{ trigger.state }}'}\n"
        "triggers:\n  - id: bell\n" + indent(type + dedent(trigger), "    ")
    )


def sales(engine: Engine, count: int, id: str = "shop") -> list[Execution]:
    """The executions of the listener once there are so many, all ended; oldest first."""
    eventually(lambda: len(engine.executions("town", id)) >= count, within=10)
    found = [each.wait(10) for each in engine.executions("town", id)]
    assert len(found) == count
    return found[::-1]


def none_more(engine: Engine, count: int = 0, id: str = "shop") -> None:
    """Nothing more comes: what has been noted was looked at, and there are so many executions."""
    eventually(lambda: engine.store.state_changes.waiting("", datetime(2100, 1, 1, tzinfo=UTC)) == [], within=10)
    time.sleep(0.1)
    assert len(engine.executions("town", id)) == count


def run(engine: Engine, id: str, namespace: str = "bakery", **more: object) -> Execution:
    return engine.run(namespace, id, more, wait=True, timeout=20)


def test_it_fires_when_an_execution_ends(engine: Engine) -> None:
    engine.deploy(OVEN)
    engine.deploy(listener(OF_OVEN))
    cause = run(engine, "oven")
    [sale] = sales(engine, 1)
    assert sale.state == "SUCCESS"
    assert sale.task_runs["sell"].outputs["value"] == "oven SUCCESS"
    assert sale.trigger is not None
    assert (sale.trigger["id"], sale.trigger["type"]) == ("bell", "io.kestra.plugin.core.trigger.Flow")
    variables = sale.trigger["variables"]
    assert isinstance(variables, dict)
    assert variables | {"executionLabels": None} == {
        "executionId": cause.id,
        "namespace": "bakery",
        "flowId": "oven",
        "flowRevision": 1,
        "state": "SUCCESS",
        "outputs": {"baked": 2},
        "executionLabels": None,
    }
    assert variables["executionLabels"]["shift"] == "early"  # type: ignore[index, call-overload]
    assert sale.labels["system.correlationId"] == cause.id
    none_more(engine, 1)


@pytest.mark.parametrize(
    "type", ["flow", "io.kestra.core.models.triggers.types.Flow", "'io.kestra.plugin.core.trigger.Flow'"]
)
def test_older_names_of_the_trigger_listen_too(engine: Engine, type: str) -> None:
    engine.deploy(listener("", type=f"type: {type}\n"))
    engine.deploy(OVEN)
    home = engine.settings.home
    engine.close()
    with Engine(home) as again:  # reads the flows from its history
        run(again, "oven")
        sales(again, 1)


def test_it_never_fires_for_executions_of_its_own_flow(engine: Engine) -> None:
    engine.deploy(listener(""))
    run(engine, "shop", "town")
    none_more(engine, 1)


def test_it_fires_on_every_change_to_the_states_it_names(engine: Engine) -> None:
    engine.deploy("""
id: oven
namespace: bakery
tasks:
  - {id: rest, type: io.kestra.plugin.core.flow.Pause, delay: PT0.1S}
  - {id: rise, type: io.kestra.plugin.core.flow.Pause, delay: PT0.1S}
""")
    engine.deploy(listener("states: [CREATED, RUNNING, PAUSED, SUCCESS, FAILED]\n" + OF_OVEN))
    run(engine, "oven")
    seen = [sale.trigger["variables"]["state"] for sale in sales(engine, 6)]  # type: ignore[index, call-overload]
    assert sorted(seen) == ["PAUSED"] * 2 + ["RUNNING"] * 3 + ["SUCCESS"]


def test_unless_it_names_states_it_waits_for_the_end(engine: Engine) -> None:
    engine.deploy(OVEN)
    engine.deploy(BROKEN)
    engine.deploy(listener(""))
    run(engine, "oven")
    run(engine, "broken")
    assert [sale.task_runs["sell"].outputs["value"] for sale in sales(engine, 2)] == ["oven SUCCESS", "broken FAILED"]


@pytest.mark.parametrize(
    ("condition", "fires"),
    [
        ("{type: C.ExecutionFlow, namespace: bakery, flowId: mixer}", False),
        ("{type: C.ExecutionNamespace, namespace: bak, comparison: PREFIX}", True),
        ("{type: C.ExecutionNamespace, namespace: bak}", False),
        ("{type: C.ExecutionStatus, in: [FAILED]}", False),
        ("{type: C.ExecutionStatus, notIn: [FAILED]}", True),
        ("{type: C.ExecutionLabels, labels: {shift: early}}", True),
        ("{type: C.ExecutionLabels, labels: {shift: late}}", False),
        ("{type: C.ExecutionOutputs, expression: '{{ trigger.outputs.baked == 2 }}'}", True),
        ("{type: C.ExecutionOutputs, expression: '{{ trigger.outputs.baked > 2 }}'}", False),
        (
            "{type: C.Expression, expression: \"{{ outputs.bake.value == '2 loaves' and labels.shift == 'early' }}\"}",
            True,
        ),
        ("{type: C.Not, conditions: [{type: C.ExecutionStatus, in: [FAILED]}]}", True),
        ("{type: C.Or, conditions: [{type: C.ExecutionStatus, in: [FAILED]}, {type: C.Weekend}]}", None),
        ("{type: C.HasRetryAttempt, in: [FAILED]}", False),
    ],
)
def test_conditions_are_asked_about_the_execution(engine: Engine, condition: str, fires: bool | None) -> None:
    engine.deploy(OVEN)
    engine.deploy(listener(f"conditions:\n  - {condition.replace('C.', _CONDITION + '.')}\n"))
    run(engine, "oven")
    if fires is None:
        fires = datetime.now(UTC).weekday() >= 5
    none_more(engine, int(fires))


def test_attempts_of_tasks_are_seen(engine: Engine) -> None:
    engine.deploy(BROKEN)
    engine.deploy(listener(f"conditions: [{{type: {_CONDITION}.HasRetryAttempt, in: [FAILED]}}]"))
    run(engine, "broken")
    sales(engine, 1)


def test_when_is_asked_too(engine: Engine) -> None:
    engine.deploy(OVEN)
    engine.deploy(listener('when: "{{ trigger.outputs.baked > 2 }}"\n'))
    run(engine, "oven")
    none_more(engine, 0)
    run(engine, "oven", loaves=3)
    sales(engine, 1)


def test_a_condition_that_cannot_be_evaluated_does_not_fire_and_warns(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    engine.deploy(OVEN)
    engine.deploy(listener(f"conditions: [{{type: {_CONDITION}.Expression, expression: '{{{{ what.is.this }}}}'}}]"))
    with caplog.at_level(logging.WARNING):
        assert run(engine, "oven").state == "SUCCESS"
        none_more(engine, 0)
    [record] = [each for each in caplog.records if each.__dict__.get("action") == "condition_failed"]
    assert record.__dict__["flow_id"] == "shop"
    assert "bell" in record.getMessage()


def test_inputs_come_from_the_execution_and_required_ones_are_not_checked(engine: Engine) -> None:
    engine.deploy(OVEN)
    head = "inputs:\n  - {id: what, type: STRING}\n  - {id: many, type: INT}\n  - {id: missing, type: STRING}"
    trigger = "inputs: {what: '{{ outputs.bake.value }}', many: '{{ trigger.outputs.baked }}'}\n" + OF_OVEN
    trigger += "labels: {of: '{{ flow.id }}', lost: '{{ nothing.here }}'}\n"
    engine.deploy(listener(trigger, head=head))
    run(engine, "oven")
    [sale] = sales(engine, 1)
    assert sale.inputs["what"] == "2 loaves"
    assert sale.inputs["many"] == 2
    assert sale.inputs.get("missing") is None
    assert sale.labels["of"] == "shop"
    assert "lost" not in sale.labels


def test_inputs_that_cannot_be_rendered_keep_it_from_firing(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    engine.deploy(OVEN)
    engine.deploy(listener("inputs: {what: '{{ outputs.nobody.value }}'}\n", head="inputs: [{id: what, type: STRING}]"))
    run(engine, "oven")
    none_more(engine, 0)
    assert "firing_failed" in [record.__dict__.get("action") for record in caplog.records]


@pytest.mark.parametrize(("head", "trigger"), [("disabled: true", ""), ("", "disabled: true\n"), ("draft: true", "")])
def test_what_is_disabled_does_not_fire(engine: Engine, head: str, trigger: str) -> None:
    engine.deploy(OVEN)
    engine.deploy(listener(trigger, head=head))
    run(engine, "oven")
    none_more(engine, 0)


def test_a_trigger_or_flow_that_is_switched_off_does_not_fire(engine: Engine) -> None:
    engine.deploy(OVEN)
    engine.deploy(listener(""))
    engine.store.triggers.save(TriggerState("town", "shop", "bell", disabled=True))
    run(engine, "oven")
    none_more(engine, 0)
    engine.store.triggers.save(TriggerState("town", "shop", "bell"))
    engine.store.flows.set_disabled("town", "shop", True)
    eventually(lambda: not engine._hub._of_all)
    run(engine, "oven")
    none_more(engine, 0)


def test_nothing_is_watched_without_a_flow_trigger(engine: Engine) -> None:
    engine.deploy(OVEN)
    run(engine, "oven")
    assert not engine._hub._of_all
    engine.deploy(listener(""))
    assert engine._hub._of_all
    engine.delete_flow("town", "shop")
    assert not engine._hub._of_all


def test_flows_that_listen_to_each_other_come_to_an_end(
    engine: Engine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nbflow.engine.triggers.upstream.LONGEST", 4)
    caplog.set_level(logging.WARNING, "nbflow")
    of = "conditions: [{{type: " + _CONDITION + ".ExecutionFlow, namespace: town, flowId: {}}}]\n"
    engine.deploy(listener(of.format("pong") + "states: [SUCCESS, FAILED]", id="ping"))
    engine.deploy(listener(of.format("ping") + "states: [SUCCESS, FAILED]", id="pong"))
    engine.run("town", "ping")
    eventually(lambda: "flows that listen to each other run for ever" in caplog.text, within=10)
    last = engine.executions("town")[0]
    none_more(engine, 3, "ping")
    none_more(engine, 2, "pong")
    assert [record.getMessage() for record in caplog.records] == [
        f"trigger bell of town.pong does not fire: execution {last.id} is the last of 4 that were started because of "
        "each other (flows that listen to each other run for ever: let a condition end the circle)"
    ]


def test_a_trigger_that_another_engine_deploys_is_noticed(engine: Engine) -> None:
    engine.deploy(OVEN)
    run(engine, "oven")
    with Engine(engine.settings.home) as other:
        other.deploy(listener(""))
    eventually(lambda: bool(engine._hub._of_all))
    run(engine, "oven")
    sales(engine, 1)


def test_two_engines_fire_once(engine: Engine) -> None:
    engine.deploy(OVEN)
    engine.deploy(listener(OF_OVEN))
    with Engine(engine.settings.home) as other:
        for number in range(6):
            run((engine, other)[number % 2], "oven")
        sales(engine, 6)
        none_more(engine, 6)


# -- Several executions together --------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 3, 4, 8, tzinfo=UTC))


@pytest.fixture
def clocked(tmp_path: Path, clock: FakeClock) -> Iterator[Engine]:
    with Engine(tmp_path / "clocked", clock=clock) as engine:
        engine.deploy(OVEN)
        engine.deploy(BROKEN.replace("PT0.01S", "PT0S"))
        engine.deploy(MIXER)
        yield engine


BOTH = """
preconditions:
  id: both
  flows:
    - {namespace: bakery, flowId: oven, states: [SUCCESS], labels: {shift: early}}
    - {namespace: bakery.dough, flowId: mixer}
"""
OLD_BOTH = f"""
conditions:
  - type: {_CONDITION}.MultipleCondition
    id: both
    window: PT24H
    windowAdvance: PT0S
    conditions:
      oven: {{type: {_CONDITION}.ExecutionFlow, namespace: bakery, flowId: oven}}
      mixer: {{type: {_CONDITION}.ExecutionFlow, namespace: bakery.dough, flowId: mixer}}
"""
NEW_BOTH = """
dependsOn:
  - {namespace: bakery, flowId: oven, when: "{{ trigger.state == 'SUCCESS' }}"}
  - {namespace: bakery.dough, flowId: mixer}
window: {every: P1D}
"""
WHERE_BOTH = """
preconditions:
  id: both
  where:
    - id: hot
      filters:
        - {field: NAMESPACE, type: STARTS_WITH, value: bak}
        - {field: FLOW_ID, type: REGEX, value: "o.*n"}
        - {field: STATE, type: IN, values: [SUCCESS, WARNING]}
        - {field: EXPRESSION, type: IS_TRUE, value: "{{ labels.shift == 'early' }}"}
    - id: cold
      operand: OR
      filters:
        - {field: FLOW_ID, type: EQUAL_TO, value: nobody}
        - {field: NAMESPACE, type: ENDS_WITH, value: dough}
"""


def mixed(engine: Engine) -> None:
    run(engine, "mixer", "bakery.dough")


@pytest.mark.parametrize("trigger", [BOTH, OLD_BOTH, NEW_BOTH, WHERE_BOTH], ids=["new", "old", "newest", "where"])
def test_it_waits_until_all_have_come_then_begins_anew(clocked: Engine, trigger: str) -> None:
    clocked.deploy(listener(trigger))
    run(clocked, "oven")
    run(clocked, "oven")
    run(clocked, "broken")
    none_more(clocked, 0)
    mixed(clocked)
    [sale] = sales(clocked, 1)
    assert sale.task_runs["sell"].outputs["value"] == "mixer SUCCESS"
    mixed(clocked)
    none_more(clocked, 1)
    run(clocked, "oven")
    sales(clocked, 2)


def test_the_outputs_of_all_that_it_waited_for_are_put_together(clocked: Engine) -> None:
    clocked.deploy(MIXER + "outputs:\n  - {id: dough, type: STRING, value: soft}\n")
    clocked.deploy(
        listener(BOTH + "inputs: {all: '{{ trigger.outputs.baked }} {{ trigger.outputs.dough }}'}\n", head=ALL)
    )
    for loaves in (3, 4):
        mixed(clocked)
        run(clocked, "oven", loaves=loaves)
    assert [sale.inputs for sale in sales(clocked, 2)] == [{"all": "3 soft"}, {"all": "4 soft"}]


ALL = "inputs: [{id: all, type: STRING}]"


def test_without_a_reset_each_that_comes_again_fires(clocked: Engine) -> None:
    clocked.deploy(listener(BOTH + "  resetOnSuccess: false\n"))
    run(clocked, "oven")
    mixed(clocked)
    sales(clocked, 1)
    run(clocked, "broken")
    none_more(clocked, 1)
    mixed(clocked)
    sales(clocked, 2)


def test_what_has_come_is_remembered_by_the_history(clocked: Engine, clock: FakeClock) -> None:
    clocked.deploy(listener(BOTH))
    run(clocked, "oven")
    none_more(clocked, 0)
    home = clocked.settings.home
    clocked.close()
    with Engine(home, clock=clock) as again:
        mixed(again)
        sales(again, 1)


@pytest.mark.parametrize(
    ("window", "first", "later", "fires"),
    [
        ("{type: DURATION_WINDOW, window: PT6H}", "06:00", "11:59", True),
        ("{type: DURATION_WINDOW, window: PT6H}", "11:59", "12:00", False),
        ("{type: DURATION_WINDOW, window: PT6H, windowAdvance: PT2H}", "11:59", "12:00", True),
        ("{type: SLIDING_WINDOW, window: PT1H}", "11:30", "12:29", True),
        ("{type: SLIDING_WINDOW, window: PT1H}", "11:30", "12:30", False),
        ("{type: DAILY_TIME_DEADLINE, deadline: '09:00:00'}", "00:00", "08:59", True),
        ("{type: DAILY_TIME_DEADLINE, deadline: '09:00:00'}", "08:00", "09:00", False),
        ("{type: DAILY_TIME_WINDOW, startTime: '06:00:00', endTime: '09:00:00'}", "06:00", "08:00", True),
        ("{type: DAILY_TIME_WINDOW, startTime: '06:00:00', endTime: '09:00:00'}", "05:59", "08:00", False),
        (
            "{type: DAILY_TIME_WINDOW, startTime: '06:00:00', endTime: '09:00:00', timezone: Asia/Tokyo}",
            "21:00",
            "22:00",
            True,
        ),
    ],
)
def test_only_what_comes_within_the_window_counts(
    tmp_path: Path, window: str, first: str, later: str, fires: bool
) -> None:
    clock = FakeClock(datetime.fromisoformat(f"2026-03-04T{first}:00Z"))
    with Engine(tmp_path / "home", clock=clock, takes_over=False) as engine:
        engine.deploy(OVEN)
        engine.deploy(MIXER)
        engine.deploy(listener(BOTH + f"  timeWindow: {window}\n"))
        run(engine, "oven")
        none_more(engine, 0)
        clock.advance(datetime.fromisoformat(f"2026-03-04T{later}:00Z") - clock.now())
        mixed(engine)
        none_more(engine, int(fires))


def test_a_change_that_is_told_twice_counts_once(clocked: Engine) -> None:
    clocked.deploy(listener(BOTH))
    cause = run(clocked, "oven")
    mixed(clocked)
    sales(clocked, 1)
    record = clocked.record(cause.id)
    clocked._listening._numbers.clear()  # as in an engine that goes on for another
    clocked.store.writer.defer(*clocked._hub.noted(record))
    clocked._hub.publish(ExecutionChanged(record))
    none_more(clocked, 1)
    mixed(clocked)
    none_more(clocked, 1)


@pytest.mark.parametrize(
    ("mode", "fires"), [("mode: ANY", 2), ("mode: AT_LEAST\nminSatisfied: 2", 1), ("mode: ALL", 1)]
)
def test_dependencies_may_be_fewer_than_all(clocked: Engine, mode: str, fires: int) -> None:
    clocked.deploy(listener(NEW_BOTH + mode))
    run(clocked, "oven")
    mixed(clocked)
    none_more(clocked, fires)


def test_a_window_may_fire_only_once(clocked: Engine, clock: FakeClock) -> None:
    clocked.deploy(listener(NEW_BOTH.replace("{every: P1D}", "{every: P1D, fireOnce: true}")))
    for expected in (1, 1):
        run(clocked, "oven")
        mixed(clocked)
        none_more(clocked, expected)
    clock.advance(timedelta(days=1))
    run(clocked, "oven")
    mixed(clocked)
    sales(clocked, 2)


# -- Engines that die -------------------------------------------------------------------------------------------------


def test_no_copy_of_the_history_has_a_change_without_its_note(engine: Engine, tmp_path: Path) -> None:
    """Wherever an engine dies: triggers were asked about the states an execution came to, or are still to be."""
    engine.deploy(BROKEN)
    engine.deploy(listener("states: [RUNNING, FAILED, RESTARTED]"))
    copies = copies_of(engine)
    execution = run(engine, "broken")
    engine.restart(execution.id).wait(10)
    sales(engine, 5)
    assert {_what_is_known(copy, tmp_path / "copy.db") for copy in copies} == {"nothing", "noted", "asked"}


def _what_is_known(copy: bytes, path: Path) -> str:
    """How a copy of the history stands to the newest state of its execution."""
    path.write_bytes(copy)
    history = sqlite3.connect(path)
    try:
        found = history.execute("SELECT id, history FROM executions WHERE namespace = 'bakery'").fetchone()
        if found is None:
            return "nothing"
        moves = json.loads(found[1])
        noted = history.execute("SELECT count(*) FROM state_changes WHERE number = ?", (len(moves),)).fetchone()[0]
        fired = history.execute("SELECT count(*) FROM executions WHERE namespace = 'town'").fetchone()[0]
    finally:
        history.close()
    expected = len(moves) - 1  # not for CREATED
    return "noted" if noted else "asked" if fired == expected else "lost"


_DYING = """
import os, sys
from nbflow.engine import Engine
from nbflow.store.state_changes import StateChangeStore
from nbflow.engine.ownership import Ownership

die = lambda *_, **__: os._exit(9)
if sys.argv[2] == "before":
    StateChangeStore.settle = die
else:
    Ownership.take_up = die
engine = Engine(sys.argv[1])
engine.run("bakery", "oven", wait=True)
import time; time.sleep(10)
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_it_fires_once_even_when_the_engine_dies_in_between(engine: Engine, moment: str) -> None:
    with Engine(engine.settings.home, takes_over=False) as author:
        author.deploy(OVEN)
        author.deploy(listener(OF_OVEN))
        died = subprocess.run([sys.executable, "-c", _DYING, str(engine.settings.home), moment], timeout=60)
        assert died.returncode == 9
        assert len(author.executions("town")) == (moment == "after")
    engine.deploy(MIXER)
    mixed(engine)
    [sale] = sales(engine, 1)
    assert sale.task_runs["sell"].outputs["value"] == "oven SUCCESS"
    time.sleep(2.5)
    none_more(engine, 1)

"""Tasks that delete what the history need not keep."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import ValidationError

from nbflow.engine import Engine
from nbflow.expressions import default_environment
from nbflow.model.dynamic import render_model
from nbflow.model.state import State
from nbflow.model.task import LogLevel
from nbflow.plugins import RunContext, RunnableTask
from nbflow.plugins.home import Upkeep
from nbflow.settings import Settings
from nbflow.store import Store
from nbflow.tasks.purging import PurgeExecutions, PurgeKV, PurgeLogs
from nbflow.testing import run_task

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass
class Context:
    """As much of a context as these tasks look at."""

    upkeep: Upkeep
    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(Settings(tmp_path / "home", durability="normal")) as store:
        yield store


def read(kind: type[RunnableTask], **properties: Any) -> Any:
    """A task as the engine hands it out: read from YAML, rendered, read again."""
    environment = default_environment()

    def render(value: object, keeps_types: bool) -> object:
        return (environment.render_value_typed if keeps_types else environment.render_value)(value, {"days": 2})

    return render_model(kind.model_validate({"id": "purge", **properties}), render)


def outputs(store: Store, task: RunnableTask, now: datetime = NOW) -> dict[str, Any]:
    context = cast("RunContext", Context(store.purging, now))
    return dict(asyncio.run(cast("Any", task.run(context))).to_json())


HELLO = """
id: hello
namespace: company.team
tasks:
  - {id: log, type: log, message: [one, two]}
  - {id: warn, type: log, message: three, level: WARN}
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine whose flow has run twice."""
    with Engine(tmp_path / "home") as engine:
        engine.deploy(HELLO)
        for _ in range(2):
            engine.run("company.team", "hello", wait=True, timeout=60)
        yield engine


def test_executions_are_purged_and_counted(engine: Engine) -> None:
    later = datetime.now(UTC) + timedelta(seconds=1)
    kept = read(PurgeExecutions, endDate="{{ now() | dateAdd(-1, 'MONTHS') }}")
    assert outputs(engine.store, kept, later)["executionsCount"] == 0
    logs_only = read(PurgeExecutions, purgeExecution=False, purgeMetric="{{ false }}", batchSize="1")
    assert outputs(engine.store, logs_only, later) == {
        "executionsCount": 0,
        "logsCount": 6,
        "metricsCount": 0,
        "storagesCount": 0,
    }
    task = read(PurgeExecutions, namespace="company", states=["SUCCESS", "FAILED"])
    assert outputs(engine.store, task, later) == {
        "executionsCount": 2,
        "logsCount": 0,
        "metricsCount": 0,
        "storagesCount": 0,
    }
    assert engine.executions() == []


def test_executions_are_narrowed_down_by_flow_and_beginning(engine: Engine) -> None:
    later = datetime.now(UTC) + timedelta(seconds=1)
    for narrowed in (
        {"flowId": "other", "namespace": "company.team"},
        {"flowId": "hello", "namespace": "company"},
        {"startDate": later.isoformat()},
        {"states": ["FAILED"]},
    ):
        assert outputs(engine.store, read(PurgeExecutions, **narrowed), later)["executionsCount"] == 0
    task = read(PurgeExecutions, flowId="hello", namespace="company.team", startDate="2020-01-01")
    assert outputs(engine.store, task, later)["executionsCount"] == 2


def test_log_lines_are_purged_and_counted(engine: Engine) -> None:
    later = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    newest = engine.executions(limit=1)[0].id
    for properties, count in (
        ({"endDate": "{{ now() | dateAdd(-1, 'MONTHS') }}"}, 0),
        ({"endDate": later, "flowId": "other"}, 0),
        ({"endDate": later, "startDate": later}, 0),
        ({"endDate": later, "logLevels": ["TRACE", "WARN"]}, 2),
        ({"endDate": later, "executionId": newest}, 2),
        ({"endDate": later, "namespace": "company", "batchSize": 1}, 2),
    ):
        assert outputs(engine.store, read(PurgeLogs, **properties)) == {"count": count}
    assert len(engine.executions()) == 2


def test_values_are_purged_and_counted(store: Store) -> None:
    for namespace in ("company", "company.team", "other"):
        for key, ttl in (("AI_old", DAY), ("old", DAY), ("AI_new", None)):
            store.kv.put(namespace, key, 1, NOW - 2 * DAY, ttl=ttl)
    for properties, size in (
        ({"namespaces": ["company"], "keyPattern": "AI_*", "includeChildNamespaces": False}, 1),
        ({"namespaces": ["company"], "keyPattern": "{{ 'AI' }}_*"}, 1),
        ({"namespacePattern": "oth?r"}, 2),
        ({"behavior": {"type": "key"}}, 2),
        ({}, 0),
        ({"behavior": {"type": "key", "expiredOnly": False}, "namespaces": ["{{ 'other' }}"]}, 1),
        ({"expiredOnly": True, "behavior": {"expiredOnly": False}}, 0),
        ({"expiredOnly": "{{ 1 > 2 }}"}, 2),
    ):
        assert outputs(store, read(PurgeKV, **properties)) == {"size": size}, properties
    assert store.kv.list(None, NOW) == []


def test_an_execution_does_not_purge_itself() -> None:
    """Inside an engine, as a flow runs it: the execution that purges is under way."""
    result = run_task(PurgeExecutions(id="purge"))
    assert result.outputs == {"executionsCount": 0, "logsCount": 0, "metricsCount": 0, "storagesCount": 0}
    assert run_task(read(PurgeLogs, endDate="{{ now() }}")).outputs == {"count": 0}
    assert run_task(PurgeKV(id="purge")).outputs == {"size": 0}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-02-01T00:00:00Z", datetime(2026, 2, 1, tzinfo=UTC)),
        ("2026-02-01T01:00:00+01:00[Europe/Paris]", datetime(2026, 2, 1, tzinfo=UTC)),
        ("2026-02-01", datetime(2026, 2, 1, tzinfo=UTC)),
        (datetime(2026, 2, 1), datetime(2026, 2, 1, tzinfo=UTC)),
        ("{{ '2026-02-03T00:00:00Z' | dateAdd(-days, 'DAYS') }}", datetime(2026, 2, 1, tzinfo=UTC)),
    ],
)
def test_dates_are_instants(written: object, meant: datetime) -> None:
    assert read(PurgeLogs, endDate=written).end_date == meant
    assert read(PurgeExecutions, endDate=written, startDate=written).start_date == meant


@pytest.mark.parametrize(
    ("kind", "properties", "message"),
    [
        (PurgeLogs, {}, "Field required"),
        (PurgeLogs, {"endDate": "soon"}, "must be a date and time such as 2024-01-31T08:30:00Z"),
        (PurgeExecutions, {"states": ["DONE"]}, "Input should be"),
        (PurgeExecutions, {"batchSize": 0}, "greater than 0"),
        (PurgeKV, {"namespaces": ["a"], "namespacePattern": "b"}, "cannot be given together"),
        (PurgeKV, {"behavior": {"type": "version", "keepAmount": 2}}, "Input should be 'key'"),
    ],
)
def test_wrong_properties_are_refused(kind: type[RunnableTask], properties: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        read(kind, **properties)


def test_kestras_names_lead_here() -> None:
    old = ("io.kestra.plugin.core.execution.Purge", "io.kestra.plugin.core.storage.Purge")
    assert PurgeExecutions.type_name == "io.kestra.plugin.core.execution.PurgeExecutions"
    assert {*old, "io.kestra.core.tasks.storages.Purge"} == set(PurgeExecutions.old_names)
    assert PurgeLogs.type_name == "io.kestra.plugin.core.log.PurgeLogs"
    assert PurgeKV.type_name == "io.kestra.plugin.core.kv.PurgeKV"
    states = read(PurgeExecutions, states=["KILLED"]).states
    assert states == [State.KILLED]
    assert read(PurgeLogs, endDate="2026-01-01", logLevels=["WARN"]).log_levels == [LogLevel.WARN]

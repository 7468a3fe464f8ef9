"""Flows that start when messages come: looked for now and then, or listened to."""

from __future__ import annotations

from pathlib import Path

from confluent_kafka import Producer

from nbflow.engine import Engine
from nbflow.testing import eventually

FLOW = """
id: job
namespace: tests
tasks:
  - {{id: say, type: return, format: "{say}"}}
triggers:
  - id: s
    type: io.kestra.plugin.kafka.{kind}
    topic: words
    groupId: nbflow
    properties: {{bootstrap.servers: "{broker}"}}
    {more}
"""


def send(broker: str, *words: str) -> None:
    producer = Producer({"bootstrap.servers": broker})
    for word in words:
        producer.produce("words", word)
    producer.flush(10)


def said(engine: Engine, number: int) -> list[str]:
    def all_said() -> bool:
        found = engine.executions("tests", "job")
        return len(found) == number and all(one.record.state.is_terminal for one in found)

    eventually(all_said, within=60)
    return sorted(str(one.task_runs["say"].outputs["value"]) for one in engine.executions("tests", "job"))


def test_each_message_starts_the_flow(broker: str, tmp_path: Path) -> None:
    send(broker, "one")
    with Engine(tmp_path / "home", scheduler=True) as engine:
        engine.deploy(FLOW.format(kind="RealtimeTrigger", say="{{ trigger.value }}", broker=broker, more=""))
        assert said(engine, 1) == ["one"]
        send(broker, "two", "three")
        assert said(engine, 3) == ["one", "three", "two"]


def test_what_has_come_starts_the_flow_together(broker: str, tmp_path: Path) -> None:
    more = "pollDuration: PT1S\n    interval: PT1S"
    send(broker, "one", "two")
    with Engine(tmp_path / "home", scheduler=True) as engine:
        engine.deploy(FLOW.format(kind="Trigger", say="{{ trigger.messagesCount }}", broker=broker, more=more))
        assert said(engine, 1) == ["2"]

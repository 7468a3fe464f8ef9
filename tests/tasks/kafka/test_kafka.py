"""Messages go to a broker and come back, in every type."""

from __future__ import annotations

import builtins
import json
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from nbflow.engine import Engine, Execution
from nbflow.tasks.kafka.client import KafkaConnection
from nbflow.tasks.kafka.produce import Produce
from nbflow.testing import eventually, run_task
from tests.tasks.conftest import RunTasks, messages


def rows(engine: Engine, execution: Execution, task_id: str = "take") -> list[Any]:
    uri = str(execution.task_runs[task_id].outputs["uri"])
    return [json.loads(line) for line in engine.read_file(uri).decode().splitlines()]


def send(broker: str, topic: str, *values: bytes) -> None:
    producer = Producer({"bootstrap.servers": broker})
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(10) == 0


def test_messages_go_there_and_come_back(broker: str, run_tasks: RunTasks, engine: Engine) -> None:
    execution = run_tasks(f"""
        - id: send
          type: io.kestra.plugin.kafka.Produce
          topic: users
          properties: {{bootstrap.servers: "{broker}"}}
          keySerializer: INTEGER
          valueSerializer: JSON
          from:
            - {{key: 1, value: {{name: Ada}}, headers: {{a: x}}, timestamp: "2025-01-01T00:00:00Z"}}
            - {{key: 2, value: [1, "ü"], headers: [{{a: y}}, {{a: z}}]}}
            - {{key: 3, value: null}}
        - id: take
          type: io.kestra.plugin.kafka.Consume
          topic: [users]
          properties: {{bootstrap.servers: "{broker}"}}
          keyDeserializer: INTEGER
          valueDeserializer: JSON
          maxRecords: 3
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert execution.task_runs["send"].outputs == {"messagesCount": 3}
    found = sorted(rows(engine, execution), key=lambda row: row["key"])
    assert [(row["key"], row["value"], row["headers"]) for row in found] == [
        (1, {"name": "Ada"}, [{"a": "x"}]),
        (2, [1, "ü"], [{"a": "y"}, {"a": "z"}]),
        (3, None, []),
    ]
    assert found[0]["timestamp"] == "2025-01-01T00:00:00+00:00"
    assert found[0]["topic"] == "users"


def test_what_was_consumed_can_be_produced_again(broker: str, run_tasks: RunTasks, engine: Engine) -> None:
    send(broker, "in", *[str(number).encode() for number in range(2500)])
    execution = run_tasks(f"""
        - {{id: take, type: kafka_consume, topic: in, bootstrapServers: "{broker}", maxRecords: 2500}}
        - id: send
          type: kafka_produce
          bootstrapServers: "{broker}"
          from: "{{{{ outputs.take.uri }}}}"
          transactional: false
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert execution.task_runs["send"].outputs == {"messagesCount": 2500}
    assert sorted(int(row["value"]) for row in rows(engine, execution)) == list(range(2500))


def test_it_ends_when_nothing_has_come_for_a_while(broker: str, run_tasks: RunTasks, engine: Engine) -> None:
    send(broker, "t", b"a", b"b")
    execution = run_tasks(f"""
        - {{id: take, type: kafka_consume, topic: t, bootstrapServers: "{broker}", pollDuration: PT0.3S}}
        - {{id: late, type: kafka_consume, topic: t, bootstrapServers: "{broker}", pollDuration: PT0.3S,
            since: "2100-01-01T00:00:00Z"}}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    counts = [execution.task_runs[name].outputs["messagesCount"] for name in ("take", "late")]
    assert counts == [2, 0]  # the broker of the tests knows the end alone, no instants before it


@pytest.mark.slow
def test_a_group_remembers_what_was_read(broker: str, run_tasks: RunTasks, engine: Engine) -> None:
    tasks = f"""
        - id: take
          type: io.kestra.plugin.kafka.Consume
          topicPattern: gr.*
          groupId: g
          bootstrapServers: "{broker}"
          pollDuration: PT0.5S
    """
    send(broker, "group", b"a", b"b")
    late = tasks.replace("groupId: g", "groupId: other\n          since: '2100-01-01T00:00:00Z'")
    assert rows(engine, run_tasks(late)) == []
    assert sorted(row["value"] for row in rows(engine, run_tasks(tasks))) == ["a", "b"]
    # The broker of the tests does not let a second consumer into a group soon; what the group knows is looked at here.
    committed = Consumer({"bootstrap.servers": broker, "group.id": "g"})
    numbers = committed.list_topics("group", 10).topics["group"].partitions
    places = committed.committed([TopicPartition("group", number) for number in numbers], 10)
    assert sum(max(place.offset, 0) for place in places) == 2
    committed.close()


@pytest.mark.parametrize(
    ("on_error", "kept"), [("{type: SKIPPED}", None), ("{type: STORE}", "file"), ("{type: DLQ, topic: bad}", "bad")]
)
def test_what_cannot_be_read_is_left_out_stored_or_sent_on(
    broker: str, run_tasks: RunTasks, engine: Engine, on_error: str, kept: str | None
) -> None:
    send(broker, "t", b'{"a": 1}', b"{broken")
    execution = run_tasks(f"""
        - id: take
          type: kafka_consume
          topic: t
          bootstrapServers: "{broker}"
          valueDeserializer: JSON
          maxRecords: 2
          onSerdeError: {on_error}
    """)
    assert [row["value"] for row in rows(engine, execution)] == [{"a": 1}]
    assert any("'{broken' cannot be read as JSON" in message for message in messages(execution))
    stored = execution.task_runs["take"].outputs.get("serdeErrorsUri")
    assert (stored and engine.read_file(str(stored))) == (b"{broken\n" if kept == "file" else None)
    if kept == "bad":
        again = run_tasks(
            f"- {{id: take, type: kafka_consume, topic: bad, bootstrapServers: '{broker}', maxRecords: 1}}"
        )
        assert rows(engine, again)[0]["value"] == "{broken"


def test_header_filters_leave_other_messages_out(broker: str, run_tasks: RunTasks, engine: Engine) -> None:
    execution = run_tasks(f"""
        - id: send
          type: kafka_produce
          topic: t
          bootstrapServers: "{broker}"
          from: [{{value: a, headers: {{kind: x}}}}, {{value: b, headers: {{kind: y}}}}, {{value: c}}]
        - {{id: take, type: kafka_consume, topic: t, bootstrapServers: "{broker}", maxRecords: 3,
            headerFilters: {{kind: y}}}}
    """)
    assert [row["value"] for row in rows(engine, execution)] == ["b"]


def test_a_kill_ends_the_waiting(broker: str, run_tasks: RunTasks, engine: Engine) -> None:
    send(broker, "t", b"a")
    task = f"- {{id: take, type: kafka_consume, topic: t, bootstrapServers: '{broker}', pollDuration: PT1H}}"
    execution = run_tasks(task, wait=False)
    eventually(lambda: any(run.state == "RUNNING" for run in engine.execution(execution.id).task_runs))
    engine.kill(execution.id)
    assert engine.wait(execution.id, timeout=20).state == "KILLED"


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("{type: kafka_produce, from: {value: a}, bootstrapServers: B}", "message 1 has no topic (set `topic`)"),
        (
            "{type: kafka_produce, topic: t, from: {value: a}}",
            "no server of Kafka is named (set `bootstrap.servers` in `properties`)",
        ),
        (
            "{type: kafka_produce, topic: t, from: {v: a}, bootstrapServers: B}",
            'message 1 is none: {"v": "a"} (write a map of headers, key, partition, timestamp, topic, value)',
        ),
        (
            "{type: kafka_produce, topic: t, from: {value: a}, bootstrapServers: B, properties: {acks.all: x}}",
            'sending to Kafka failed: No such configuration property: "acks.all" '
            "(name it as librdkafka does, or leave it out)",
        ),
        (
            "{type: kafka_produce, topic: t, from: {value: a}, bootstrapServers: B, valueSerializer: LONG}",
            "\"a\" cannot be written as LONG: invalid literal for int() with base 10: 'a'",
        ),
        ("{type: kafka_consume, bootstrapServers: B}", "name either `topic` or `topicPattern`"),
        (
            "{type: kafka_consume, bootstrapServers: B, topicPattern: a.*}",
            "`topicPattern` needs `groupId`",
        ),
    ],
)
def test_what_is_wrong_is_said(broker: str, run_tasks: RunTasks, task: str, message: str) -> None:
    written = task.replace("bootstrapServers: B", f"bootstrapServers: '{broker}'")
    assert messages(run_tasks(f"- {{id: t, {written[1:]}"))[-1] == message


def test_the_extra_is_named_when_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "confluent_kafka":
            raise ModuleNotFoundError("No module named 'confluent_kafka'", name=name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    result = run_task(Produce(id="p", topic="t", from_={"value": "a"}, bootstrap_servers="localhost:1"))
    assert result.messages[-1] == (
        "Kafka needs the package `confluent-kafka`, which is not installed (pip install 'jupyter-nbflow[kafka]')"
    )


def test_properties_of_java_become_those_of_librdkafka() -> None:
    connection = KafkaConnection(
        properties={
            "bootstrap.servers": "b:1",
            "key.serializer": "org.apache.kafka.common.serialization.StringSerializer",
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "PLAIN",
            "sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule required "
            'username="me" password="s;3 cret";',
        }
    )
    assert connection.settings(None, {"acks": "all"}) == {  # type: ignore[arg-type]  # no file is written
        "bootstrap.servers": "b:1",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "me",
        "sasl.password": "s;3 cret",
        "acks": "all",
    }


def test_the_trigger_of_the_lessons_is_valid(engine: Engine) -> None:
    assert not [
        problem
        for problem in engine.validate("""
id: stream
namespace: dev
tasks: [{id: log, type: log, message: "{{ trigger.uri }}"}]
triggers:
  - id: kafka
    type: io.kestra.plugin.kafka.Trigger
    topic: "data-stream"
    bootstrapServers: "localhost:9092"
  - id: newer
    type: io.kestra.plugin.kafka.Trigger
    topic: test_kestra
    properties: {bootstrap.servers: "localhost:9092"}
    serdeProperties: {schema.registry.url: "http://localhost:8085"}
    keyDeserializer: STRING
    interval: PT30S
    maxRecords: 5
    groupId: group
""")
        if problem.is_error
    ]

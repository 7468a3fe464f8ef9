"""The task type that sends messages to Kafka."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.kafka.client import KafkaConnection, failed, kafka
from nbflow.tasks.kafka.serdes import SerdeType, to_bytes
from nbflow.tasks.working_files import is_stored
from nbflow.types import JsonValue

_PATIENCE = 30.0
_KNOWN = {"key", "value", "topic", "partition", "timestamp", "headers", "offset"}


@task_type(
    "io.kestra.plugin.kafka.Produce",
    aliases=["kafka_produce"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.kafka.Produce
            properties:
              bootstrap.servers: localhost:9092
            topic: users
            valueSerializer: JSON
            from:
              key: "{{ execution.id }}"
              value:
                name: Ada
              headers:
                source: nbflow
            """,
            title="One message with a JSON value",
            needs="a Kafka broker",
        )
    ],
)
class Produce(KafkaConnection, RunnableTask):
    """Send messages to Kafka."""

    class Output(RunnableTask.Output):
        messages_count: int = Field(description="Messages sent.")

    topic: Dynamic[Text] | None = Field(default=None, description="Topic of messages that name none.")
    from_: Dynamic[JsonValue] = Field(
        alias="from",
        description="Messages: a map with `key`, `value`, `topic`, `partition`, `timestamp` and `headers`, a list of "
        "such, or the URI of a stored file of them (JSON Lines).",
    )
    key_serializer: Dynamic[SerdeType] = Field(default=SerdeType.STRING, description="How keys are written.")
    value_serializer: Dynamic[SerdeType] = Field(default=SerdeType.STRING, description="How values are written.")
    transactional: Dynamic[bool] = Field(default=True, description="Whether either all messages arrive or none.")

    async def run(self, ctx: RunContext) -> Output:
        stopped = threading.Event()
        try:
            count = await asyncio.to_thread(self._send, ctx, stopped)
        finally:
            stopped.set()
        ctx.metric("records", count)
        return self.Output(messages_count=count)

    def _send(self, ctx: RunContext, stopped: threading.Event) -> int:
        package = kafka()
        more = {"transactional.id": f"nbflow-{uuid4().hex}"} if self.transactional else {}
        failures: list[Any] = []

        def arrived(error: Any, _message: Any) -> None:
            if error is not None:
                failures.append(error)

        count = 0
        try:
            producer = package.Producer(self.settings(ctx, more))
            if self.transactional:
                producer.init_transactions(_PATIENCE)
                producer.begin_transaction()
            for message in self._messages(ctx):
                if stopped.is_set():
                    raise TaskFailedError("stopped before all messages were sent")
                _produce(producer, {**message, "on_delivery": arrived})
                count += 1
            if self.transactional:
                producer.commit_transaction(_PATIENCE)
            elif producer.flush(_PATIENCE):
                raise TaskFailedError("some messages did not arrive in time")
        except package.KafkaException as cause:
            raise failed(cause, "sending to Kafka") from cause
        if failures:
            raise TaskFailedError(f"{len(failures)} messages did not arrive: {failures[0].str()}")
        return count

    def _messages(self, ctx: RunContext) -> Iterator[dict[str, Any]]:
        """The messages, as librdkafka wants them. Raises: TaskFailedError."""
        for number, item in enumerate(_items(ctx, self.from_), 1):
            if not isinstance(item, dict) or not set(item) <= _KNOWN:
                raise TaskFailedError(
                    f"message {number} is none: {json.dumps(item, ensure_ascii=False)[:200]}",
                    hint=f"write a map of {', '.join(sorted(_KNOWN - {'offset'}))}",
                )
            topic = item.get("topic") or self.topic
            if not topic:
                raise TaskFailedError(f"message {number} has no topic", hint="set `topic`")
            message: dict[str, Any] = {
                "topic": topic,
                "key": to_bytes(item.get("key"), self.key_serializer),
                "value": to_bytes(item.get("value"), self.value_serializer),
                "headers": list(_headers(item.get("headers"))),
            }
            if item.get("partition") is not None:
                message["partition"] = int(str(item["partition"]))
            if item.get("timestamp") is not None:
                message["timestamp"] = _milliseconds(item["timestamp"])
            yield message


def _produce(producer: Any, message: dict[str, Any]) -> None:
    while True:
        try:
            producer.produce(**message)
        except BufferError:  # its queue is full: wait until some have left
            producer.poll(0.1)
            continue
        producer.poll(0)
        return


def _items(ctx: RunContext, given: JsonValue) -> Iterator[JsonValue]:
    if isinstance(given, str) and is_stored(given.strip()):
        with ctx.file(given.strip()).open("rb") as file:
            for number, line in enumerate((line for line in map(bytes.strip, file) if line), 1):
                try:
                    yield json.loads(line)
                except ValueError as cause:
                    raise TaskFailedError(f"item {number} of the file is no JSON") from cause
        return
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError as cause:
            raise TaskFailedError("`from` is neither a stored file nor JSON") from cause
    yield from given if isinstance(given, list) else [given]


def _headers(given: JsonValue) -> Iterator[tuple[str, bytes]]:
    """Headers as a map, or as a list of such: a name may come twice."""
    for part in given if isinstance(given, list) else [given or {}]:
        if not isinstance(part, dict):
            raise TaskFailedError("`headers` must be a map")
        yield from ((name, b"" if value is None else str(value).encode()) for name, value in part.items())


def _milliseconds(given: JsonValue) -> int:
    if isinstance(given, int | float):
        return int(given)
    try:
        moment = datetime.fromisoformat(str(given))
    except ValueError as cause:
        raise TaskFailedError(f"`timestamp` is no instant: {given!r}") from cause
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)

"""The task type that takes messages from Kafka."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import Field, PositiveInt

from nbflow.errors import TaskFailedError
from nbflow.plugins import Duration, Dynamic, Example, Model, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.kafka.client import KafkaConnection, failed, kafka
from nbflow.tasks.kafka.serdes import SerdeError, SerdeType, from_bytes
from nbflow.tasks.sql.values import json_line
from nbflow.tasks.storage.scratch import scratch_file
from nbflow.types import JsonValue

_PATIENCE = 30.0
_SLICE = 0.2
"""Seconds of one look, so that a kill is noticed."""
_PORTION = 500


class GroupType(StrEnum):
    """How consumers of one group share a topic; nbflow takes part as CONSUMER."""

    CONSUMER = "CONSUMER"
    SHARE = "SHARE"


class SerdeErrorBehavior(StrEnum):
    """What happens to a message that cannot be read."""

    SKIPPED = "SKIPPED"
    DLQ = "DLQ"
    STORE = "STORE"


class OnSerdeError(Model):
    """What happens to a message that cannot be read."""

    type: Dynamic[SerdeErrorBehavior] = Field(
        default=SerdeErrorBehavior.SKIPPED, description="SKIPPED, DLQ (sent to `topic`) or STORE (kept in a file)."
    )
    topic: Dynamic[Text] | None = Field(default=None, description="Where DLQ sends it.")


class Consumption(KafkaConnection):
    """What is taken from Kafka, and how it is read."""

    topic: Dynamic[list[Text] | Text] | None = Field(default=None, description="Topic, or several.")
    topic_pattern: Dynamic[Text] | None = Field(
        default=None, description="Regular expression of topics, instead of `topic`; needs `groupId`."
    )
    partitions: Dynamic[list[int]] = Field(
        default_factory=list, description="Partitions to read, without sharing them in a group."
    )
    group_id: Dynamic[Text] | None = Field(
        default=None, description="Group that remembers what was read; everything is read again unless said."
    )
    group_type: Dynamic[GroupType] = Field(default=GroupType.CONSUMER, description="CONSUMER; SHARE is refused.")
    acknowledge_type: Text = Field(default="ACCEPT", description="Accepted; it belongs to SHARE.")
    key_deserializer: Dynamic[SerdeType] = Field(default=SerdeType.STRING, description="How keys are read.")
    value_deserializer: Dynamic[SerdeType] = Field(default=SerdeType.STRING, description="How values are read.")
    on_serde_error: Dynamic[OnSerdeError] = Field(
        default_factory=OnSerdeError, description="What happens to a message that cannot be read."
    )
    since: Dynamic[Text] | None = Field(
        default=None, description="Instant to read from (ISO 8601), where no group remembers another place."
    )
    header_filters: Dynamic[dict[str, Text]] = Field(
        default_factory=dict, description="Headers that messages must have; others are left out."
    )
    poll_duration: Dynamic[Duration] = Field(
        default=timedelta(seconds=5), description="It ends when no message has come for this long."
    )
    max_records: Dynamic[PositiveInt] | None = Field(default=None, description="It ends after as many messages.")
    max_duration: Dynamic[Duration] | None = Field(default=None, description="It ends after this long.")

    @property
    def topics(self) -> list[str]:
        """The topics, in whichever form they are written."""
        if self.topic is None:
            return []
        return [self.topic] if isinstance(self.topic, str) else list(self.topic)


class Listening:
    """Messages as they come; its methods block for a moment."""

    def __init__(self, consumer: Any, read: Callable[[Any], dict[str, JsonValue] | None], *, remembers: bool) -> None:
        self._consumer = consumer  # Any: confluent_kafka has no types
        self._read = read
        self._remembers = remembers

    def next(self) -> list[tuple[Any, dict[str, JsonValue] | None]]:
        """The next messages, each with what is in it; None for one that is left out. Raises: TaskFailedError."""
        found = []
        for message in self._consumer.consume(_PORTION, timeout=_SLICE):
            if message.error() is not None:
                raise TaskFailedError(f"reading from Kafka failed: {message.error().str()}")
            found.append((message, self._read(message)))
        return found

    def remember(self, message: Any) -> None:
        """Let the group remember that a message was read."""
        if self._remembers:
            self._consumer.commit(message=message, asynchronous=False)

    def close(self) -> None:
        self._consumer.close()


@task_type(
    "io.kestra.plugin.kafka.Consume",
    aliases=["kafka_consume"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.kafka.Consume
            properties:
              bootstrap.servers: localhost:9092
            topic: users
            groupId: nbflow
            valueDeserializer: JSON
            maxRecords: 1000
            """,
            title="What has come since the last time",
            needs="a Kafka broker",
        )
    ],
)
class Consume(Consumption, RunnableTask):
    """Take messages from Kafka into a stored file, one JSON value a line."""

    class Output(RunnableTask.Output):
        messages_count: int = Field(description="Messages in the file.")
        uri: Text = Field(description="URI of the stored messages (JSON Lines).")
        serde_errors_uri: Text | None = Field(
            default=None, description="URI of what could not be read, with `onSerdeError` STORE; one value a line."
        )

    async def run(self, ctx: RunContext) -> Output:
        self._check()
        stopped = threading.Event()
        try:
            return await asyncio.to_thread(self._take, ctx, stopped)
        finally:
            stopped.set()

    def listen(self, ctx: RunContext) -> Listening:
        """Take messages as they come. Raises: TaskFailedError."""
        self._check()
        package = kafka()
        try:
            consumer = package.Consumer(self.settings(ctx, self._as_member(ctx)))
            self._subscribe(package, consumer)
        except package.KafkaException as cause:
            raise failed(cause, "reading from Kafka") from cause
        return Listening(consumer, lambda message: self._read(ctx, message, []), remembers=bool(self.group_id))

    def _check(self) -> None:
        if self.group_type is GroupType.SHARE:
            raise TaskFailedError("share groups cannot be used here", hint="leave `groupType` out")
        if bool(self.topics) == bool(self.topic_pattern):
            raise TaskFailedError("name either `topic` or `topicPattern`")
        if self.topic_pattern and not self.group_id:
            raise TaskFailedError("`topicPattern` needs `groupId`")

    def _as_member(self, ctx: RunContext) -> dict[str, object]:
        return {
            "group.id": self.group_id or f"nbflow-{ctx.task_run_id}",
            "enable.auto.commit": False,
            "auto.offset.reset": self.properties.get("auto.offset.reset", "earliest"),
        }

    def _take(self, ctx: RunContext, stopped: threading.Event) -> Output:
        package = kafka()
        more = self._as_member(ctx)
        broken: list[bytes] = []
        count = 0
        try:
            consumer = package.Consumer(self.settings(ctx, more))
            try:
                self._subscribe(package, consumer)
                with scratch_file(ctx) as path:
                    with path.open("w", encoding="utf-8") as lines:
                        for message in self._messages(consumer, stopped):
                            row = self._read(ctx, message, broken)
                            if row is not None:
                                lines.write(json_line(row))
                                count += 1
                    uri = ctx.store_file(path, "messages.jsonl")
                errors = self._put_aside(ctx, package, broken)
                if self.group_id and not stopped.is_set() and consumer.assignment():
                    _commit(package, consumer)
            finally:
                consumer.close()
        except package.KafkaException as cause:
            raise failed(cause, "reading from Kafka") from cause
        ctx.metric("records", count)
        return self.Output(messages_count=count, uri=uri, serde_errors_uri=errors)

    def _subscribe(self, package: Any, consumer: Any) -> None:
        if self.group_id and not self.partitions:
            topics = self.topics or [f"^{(self.topic_pattern or '').removeprefix('^')}"]
            consumer.subscribe(topics, **({"on_assign": self._begin(package)} if self.since else {}))
            return
        start = _instant(self.since) if self.since else package.OFFSET_BEGINNING
        places = []
        for topic in self.topics:
            known = consumer.list_topics(topic, timeout=_PATIENCE).topics[topic]
            if known.error is not None:
                raise TaskFailedError(f"the topic `{topic}` cannot be read: {known.error.str()}")
            numbers = self.partitions or list(known.partitions)
            places += [package.TopicPartition(topic, number, start) for number in numbers]
        consumer.assign(consumer.offsets_for_times(places, timeout=_PATIENCE) if self.since else places)

    def _begin(self, package: Any) -> Callable[[Any, list[Any]], None]:
        """Where a group begins that remembers no place yet: at `since`."""
        start = _instant(self.since or "")

        def assigned(consumer: Any, partitions: list[Any]) -> None:
            remembered = consumer.committed(partitions, timeout=_PATIENCE)
            fresh = [one for one in remembered if one.offset == package.OFFSET_INVALID]
            asked = [package.TopicPartition(one.topic, one.partition, start) for one in fresh]
            found = consumer.offsets_for_times(asked, timeout=_PATIENCE) if asked else []
            consumer.assign([*(one for one in remembered if one not in fresh), *found])

        return assigned

    def _messages(self, consumer: Any, stopped: threading.Event) -> Iterator[Any]:
        """Messages until enough have come, or none for a while. Joining a group is no part of that while."""
        began = quiet_since = time.monotonic()
        is_ready = False
        count = 0
        longest = self.max_duration.total_seconds() if self.max_duration else None
        while not stopped.is_set():
            room = _PORTION if self.max_records is None else min(_PORTION, self.max_records - count)
            portion = consumer.consume(room, timeout=_SLICE)
            now = time.monotonic()
            for message in portion:
                if message.error() is not None:
                    raise TaskFailedError(f"reading from Kafka failed: {message.error().str()}")
                count += 1
                yield message
            if not is_ready:
                is_ready = bool(portion or consumer.assignment()) or now - began > _PATIENCE
                quiet_since = now
            elif portion:
                quiet_since = now
            if (
                (self.max_records is not None and count >= self.max_records)
                or (longest is not None and now - began >= longest)
                or now - quiet_since >= self.poll_duration.total_seconds()
            ):
                return

    def _read(self, ctx: RunContext, message: Any, broken: list[bytes]) -> dict[str, JsonValue] | None:
        """A message as JSON; None when it is left out."""
        headers = [(name, (value or b"").decode(errors="replace")) for name, value in message.headers() or []]
        if any((name, value) not in headers for name, value in self.header_filters.items()):
            return None
        try:
            key = from_bytes(message.key(), self.key_deserializer)
            value = from_bytes(message.value(), self.value_deserializer)
        except SerdeError as error:
            ctx.log.warning("%s, offset %d: %s", message.topic(), message.offset(), error.message)
            broken.append(error.data)
            return None
        kind, milliseconds = message.timestamp()
        return {
            "key": key,
            "value": value,
            "topic": message.topic(),
            "headers": [{name: text} for name, text in headers],
            "partition": message.partition(),
            "timestamp": datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat() if kind else None,
            "offset": message.offset(),
        }

    def _put_aside(self, ctx: RunContext, package: Any, broken: list[bytes]) -> str | None:
        """What could not be read goes where `onSerdeError` says; the URI of a file."""
        chosen = self.on_serde_error
        if not broken or chosen.type is SerdeErrorBehavior.SKIPPED:
            return None
        if chosen.type is SerdeErrorBehavior.STORE:
            return ctx.store_bytes(b"\n".join(broken) + b"\n", "serde-errors.txt")
        if not chosen.topic:
            raise TaskFailedError("`onSerdeError: DLQ` needs a `topic`")
        producer = package.Producer(self.settings(ctx, {}))
        for data in broken:
            producer.produce(chosen.topic, data)
        if producer.flush(_PATIENCE):
            raise TaskFailedError(f"not all messages that could not be read arrived at `{chosen.topic}`")
        return None


def _commit(package: Any, consumer: Any) -> None:
    """Let the group remember what was read; nothing read is nothing to remember."""
    try:
        consumer.commit(asynchronous=False)
    except package.KafkaException as cause:
        if cause.args[0].code() != package.KafkaError._NO_OFFSET:
            raise


def _instant(text: str) -> int:
    """Milliseconds since 1970."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as cause:
        raise TaskFailedError(f"`since` is no instant: {text!r}", hint="such as 2025-01-31T08:30:00Z") from cause
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)

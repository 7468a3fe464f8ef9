"""Triggers that fire when messages are there: one that looks now and then, one that listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

from pydantic import Field

from nbflow.plugins import Example, PollingTrigger, RealtimeTrigger, RunContext, Text, Trigger, trigger_type
from nbflow.tasks.kafka.consume import Consume, Consumption
from nbflow.types import JsonValue


@trigger_type(
    "io.kestra.plugin.kafka.Trigger",
    aliases=["kafka_trigger"],
    examples=[
        Example(
            """
            id: kafka
            type: io.kestra.plugin.kafka.Trigger
            topic: data-stream
            groupId: nbflow
            properties:
              bootstrap.servers: localhost:9092
            interval: PT30S
            """,
            needs="a Kafka broker",
        )
    ],
)
class KafkaTrigger(Consumption, PollingTrigger):
    """Start the flow with what has come to a topic, looked at now and then."""

    class Output(Trigger.Output):
        messages_count: int = Field(description="Messages in the file.")
        uri: Text = Field(description="URI of the stored messages (JSON Lines).")

    async def look(self, ctx: RunContext) -> Trigger.Output | None:
        taken = await _consume(self).run(ctx)
        return self.Output(messages_count=taken.messages_count, uri=taken.uri) if taken.messages_count else None


@trigger_type(
    "io.kestra.plugin.kafka.RealtimeTrigger",
    aliases=["kafka_realtime_trigger"],
    examples=[
        Example(
            """
            id: kafka
            type: io.kestra.plugin.kafka.RealtimeTrigger
            topic: data-stream
            groupId: nbflow
            properties:
              bootstrap.servers: localhost:9092
            """,
            needs="a Kafka broker",
        )
    ],
)
class KafkaRealtimeTrigger(Consumption, RealtimeTrigger):
    """Start the flow for every message that comes to a topic."""

    class Output(Trigger.Output):
        key: JsonValue = Field(default=None, description="Key of the message.")
        value: JsonValue = Field(default=None, description="Value of the message.")
        topic: Text = Field(description="Topic of the message.")
        headers: list[dict[str, str]] = Field(default_factory=list, description="Headers of the message.")
        partition: int = Field(description="Partition of the message.")
        timestamp: datetime | None = Field(default=None, description="When it was sent.")
        offset: int = Field(description="Number of the message in its partition.")

    async def stream(self, ctx: RunContext) -> AsyncIterator[Trigger.Output]:
        messages = await asyncio.to_thread(_consume(self).listen, ctx)
        try:
            while True:
                for message, row in await asyncio.to_thread(messages.next):
                    if row is not None:
                        yield self.Output.model_validate(row)
                    await asyncio.to_thread(messages.remember, message)
        finally:
            await asyncio.shield(asyncio.to_thread(messages.close))


def _consume(trigger: Consumption) -> Consume:
    """The task that takes messages as a trigger says."""
    values = {name: getattr(trigger, name) for name in Consumption.model_fields}
    return Consume.model_construct(id="consume", type="io.kestra.plugin.kafka.Consume", **values)

"""Triggers that fire when messages are there. Flows with them can be deployed; they do not fire yet."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import Field

from nbflow.plugins import Duration, Example, Text, Trigger, trigger_type
from nbflow.tasks.kafka.consume import Consumption
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
class KafkaTrigger(Consumption, Trigger):
    """Start the flow with what has come to a topic, looked at now and then."""

    class Output(Trigger.Output):
        messages_count: int = Field(description="Messages in the file.")
        uri: Text = Field(description="URI of the stored messages (JSON Lines).")

    interval: Duration = Field(default=timedelta(minutes=1), description="How often to look.")


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
class KafkaRealtimeTrigger(Consumption, Trigger):
    """Start the flow for every message that comes to a topic."""

    class Output(Trigger.Output):
        key: JsonValue = Field(default=None, description="Key of the message.")
        value: JsonValue = Field(default=None, description="Value of the message.")
        topic: Text = Field(description="Topic of the message.")
        headers: list[dict[str, str]] = Field(default_factory=list, description="Headers of the message.")
        partition: int = Field(description="Partition of the message.")
        timestamp: datetime | None = Field(default=None, description="When it was sent.")
        offset: int = Field(description="Number of the message in its partition.")

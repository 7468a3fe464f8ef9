"""A Kafka broker of this machine: librdkafka brings one along for tests, which speaks the real protocol."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer


@pytest.fixture
def broker() -> Iterator[str]:
    """Its address. It lives as long as the client that made it."""
    quiet = logging.getLogger("tests.kafka.broker")
    quiet.setLevel(logging.CRITICAL)
    client = Producer({"test.mock.num.brokers": 1, "test.mock.broker.rtt": 0}, logger=quiet)
    (found,) = client.list_topics(timeout=10).brokers.values()
    yield f"{found.host}:{found.port}"
    client.flush(1)

"""How Kafka is reached: properties as Java's clients take them, made into those of librdkafka."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from pydantic import AliasChoices, Field

from nbflow.errors import MissingExtraError, TaskFailedError
from nbflow.plugins import Dynamic, Model, RunContext, Text

_OF_JAVA = ("key.serializer", "value.serializer", "key.deserializer", "value.deserializer", "ssl.keystore.type")
"""Properties that say what other properties of a task say, or what librdkafka finds out itself."""
_FILES = ("ssl.keystore.location", "ssl.truststore.location", "ssl.ca.location")
_LOGIN = re.compile(r"""\b(username|password)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s;]+))""")


class KafkaConnection(Model):
    """Where Kafka is."""

    properties: Dynamic[dict[str, Text]] = Field(
        default_factory=dict,
        description="Properties of Kafka's clients: `bootstrap.servers`, and what logging in takes.",
    )
    bootstrap_servers: Dynamic[Text] | None = Field(
        default=None,
        validation_alias=AliasChoices("bootstrapServers"),
        description="Instead of `bootstrap.servers` in `properties`. nbflow's own.",
    )
    serde_properties: Dynamic[dict[str, Text]] = Field(
        default_factory=dict, description="Accepted; the types here need no properties."
    )

    def settings(self, ctx: RunContext, more: Mapping[str, Any]) -> dict[str, Any]:
        """The configuration of a client of librdkafka. Raises: TaskFailedError when no server is named."""
        given: dict[str, Any] = {name: value for name, value in self.properties.items() if name not in _OF_JAVA}
        if self.bootstrap_servers:
            given["bootstrap.servers"] = self.bootstrap_servers
        if not given.get("bootstrap.servers"):
            raise TaskFailedError("no server of Kafka is named", hint="set `bootstrap.servers` in `properties`")
        jaas = given.pop("sasl.jaas.config", None)
        if jaas:
            given.update({f"sasl.{match[1]}": match[2] or match[3] or match[4] for match in _LOGIN.finditer(jaas)})
        for name in _FILES:
            if name in given:
                given[name] = _as_file(ctx, name, given[name])
        if "ssl.truststore.location" in given:  # librdkafka reads certificates of authorities from PEM only
            given.setdefault("ssl.ca.location", given.pop("ssl.truststore.location"))
            given.pop("ssl.truststore.password", None)
            given.pop("ssl.truststore.type", None)
        return {**given, **more}


def _as_file(ctx: RunContext, name: str, value: str) -> str:
    """Keys come as base64, as in Kestra, or as a path that exists."""
    if "/" in value and "\n" not in value and len(value) < 1000:
        return value
    try:
        content = base64.b64decode(value.replace("\n", ""), validate=True)
    except binascii.Error as cause:
        raise TaskFailedError(f"`{name}` is no base64") from cause
    path = ctx.path(f".nbflow-{ctx.task_run_id}-{name}")
    path.write_bytes(content)
    path.chmod(0o600)
    return str(path)


def kafka() -> Any:
    """The package `confluent_kafka`. Raises: MissingExtraError when it is not installed."""
    try:
        import confluent_kafka
    except ModuleNotFoundError as missing:
        raise MissingExtraError(
            "Kafka needs the package `confluent-kafka`, which is not installed",
            hint="pip install 'jupyter-nbflow[kafka]'",
        ) from missing
    return confluent_kafka


def failed(cause: Exception, doing: str) -> TaskFailedError:
    """What librdkafka says, in words of ours."""
    error = cause.args[0] if cause.args else cause
    said = error.str() if hasattr(error, "str") else str(error)
    hint = "name it as librdkafka does, or leave it out" if "configuration property" in said else ""
    return TaskFailedError(f"{doing} failed: {said}", hint=hint)

"""Task types that send events to Sentry."""

from __future__ import annotations

import json
import re
import uuid
from typing import ClassVar

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.model.execution import instant
from nbflow.plugins import Dynamic, RunContext, Text, task_type
from nbflow.tasks.messages.sending import Message, MessageTask, given, payload_example, read_payload
from nbflow.tasks.messages.summaries import AboutExecution, details_of, summary_example
from nbflow.types import JsonValue

_DSN = re.compile(r"(?P<scheme>https?)://(?P<key>[^:@/]+)(?::[^@/]*)?@(?P<host>[^/]+)/(?P<project>\d+)/?")


class SentryTask(MessageTask):
    """What tasks that send events to Sentry declare."""

    service: ClassVar[str] = "Sentry"

    dsn: Dynamic[Text] = Field(description="DSN of the project, or an address that takes envelopes.")

    def _message(self, ctx: RunContext, event: dict[str, JsonValue]) -> Message:
        """An event in an envelope. Source: develop.sentry.dev/sdk/data-model/envelopes."""
        event.setdefault("event_id", uuid.uuid4().hex)
        content = json.dumps(event, ensure_ascii=False)
        head = {"event_id": event["event_id"], "sent_at": instant(ctx.now())}
        item = {"type": "event", "length": len(content.encode()), "content_type": "application/json"}
        match = _DSN.fullmatch(self.dsn.strip())
        url = self.dsn
        if match is not None:
            scheme, key, host, project = match["scheme"], match["key"], match["host"], match["project"]
            url = f"{scheme}://{host}/api/{project}/envelope/?sentry_version=7&sentry_client=nbflow&sentry_key={key}"
        return Message(url, f"{json.dumps(head)}\n{json.dumps(item)}\n{content}\n")


@task_type(
    "io.kestra.plugin.sentry.SentryAlert",
    aliases=["sentry"],
    old_names=["io.kestra.plugin.notifications.sentry.SentryAlert"],
    examples=[
        payload_example(
            "io.kestra.plugin.sentry.SentryAlert",
            "Sentry",
            '{level: warning, message: {message: "{{ flow.id }} is late."}}',
            "dsn: \"{{ secret('SENTRY_DSN') }}\"",
        )
    ],
)
class SentryAlert(SentryTask):
    """Send an event to Sentry."""

    endpoint_type: Text = Field(default="ENVELOPE", description="Accepted; events are sent in envelopes.")
    payload: Dynamic[JsonValue] = Field(default=None, description="The event; one that names the execution.")

    async def messages(self, ctx: RunContext) -> list[Message]:
        event: JsonValue = {
            "timestamp": instant(ctx.now()),
            "platform": "python",
            "level": "error",
            "message": {"message": f"Execution {ctx.execution_id} failed"},
            "extra": {"Namespace": ctx.namespace, "Flow ID": ctx.flow_id, "Execution ID": ctx.execution_id},
        }
        if self.payload is not None:
            event = read_payload(self.payload)
        if not isinstance(event, dict):
            raise TaskFailedError("`payload` must be a map for Sentry")
        return [self._message(ctx, dict(event))]


@task_type(
    "io.kestra.plugin.sentry.SentryExecution",
    aliases=["sentry_execution"],
    old_names=["io.kestra.plugin.notifications.sentry.SentryExecution"],
    examples=[
        summary_example("io.kestra.plugin.sentry.SentryExecution", "Sentry", "dsn: \"{{ secret('SENTRY_DSN') }}\"")
    ],
)
class SentryExecution(AboutExecution, SentryTask):
    """Send an event about an execution to Sentry."""

    endpoint_type: Text = Field(default="ENVELOPE", description="Accepted; events are sent in envelopes.")
    event_id: Dynamic[Text] | None = Field(default=None, description="Id of the event; a new one unless said.")
    platform: Dynamic[Text] = Field(default="python", description="Platform that is named.")
    level: Dynamic[Text] | None = Field(default=None, description="How grave it is; by the state.")
    transaction: Dynamic[Text] | None = Field(default=None, description="Name of what was done.")
    server_name: Dynamic[Text] | None = Field(default=None, description="Name of the machine.")
    extra: Dynamic[dict[str, JsonValue]] = Field(default_factory=dict, description="Further names and values.")
    errors: Dynamic[JsonValue] = Field(default=None, description="Errors to send along.")

    async def messages(self, ctx: RunContext) -> list[Message]:
        summary = await self.summary(ctx)
        level = self.level or ("error" if summary.is_failure else "info")
        event = given(
            event_id=self.event_id,
            timestamp=instant(ctx.now()),
            platform=self.platform.lower(),
            level=level.lower(),
            message={"message": summary.text},
            transaction=self.transaction,
            server_name=self.server_name,
            extra={**details_of(summary), **self.extra},
            errors=self.errors,
        )
        return [self._message(ctx, event)]

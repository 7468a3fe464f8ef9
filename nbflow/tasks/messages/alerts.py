"""Task types that raise alerts: PagerDuty, Opsgenie, Squadcast, Zenduty, Twilio."""

from __future__ import annotations

import base64
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.model.execution import instant
from nbflow.plugins import Dynamic, RunContext, Text, task_type
from nbflow.tasks.messages.sending import Message, MessageTask, WebhookTask, given, payload_example, read_payload
from nbflow.tasks.messages.summaries import AboutExecution, details_of, summary_example
from nbflow.types import JsonValue

_LONGEST_SUMMARY = 1_024

_PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"


@task_type(
    "io.kestra.plugin.pagerduty.PagerDutyAlert",
    aliases=["pagerduty"],
    old_names=["io.kestra.plugin.notifications.pagerduty.PagerDutyAlert"],
    examples=[
        payload_example(
            "io.kestra.plugin.pagerduty.PagerDutyAlert",
            "PagerDuty",
            '{event_action: trigger, payload: {summary: "{{ flow.id }} is late.", source: nbflow, severity: info}}',
            "url: https://events.pagerduty.com/v2/enqueue",
        )
    ],
)
class PagerDutyAlert(WebhookTask):
    """Send an event to PagerDuty."""

    service: ClassVar[str] = "PagerDuty"

    url: Dynamic[Text] = Field(default=_PAGERDUTY, description="Address of the interface for events.")


@task_type(
    "io.kestra.plugin.pagerduty.PagerDutyExecution",
    aliases=["pagerduty_execution"],
    old_names=["io.kestra.plugin.notifications.pagerduty.PagerDutyExecution"],
    examples=[
        summary_example(
            "io.kestra.plugin.pagerduty.PagerDutyExecution",
            "PagerDuty",
            "routingKey: \"{{ secret('PAGERDUTY_KEY') }}\"",
        )
    ],
)
class PagerDutyExecution(AboutExecution, MessageTask):
    """Raise an alert in PagerDuty about an execution."""

    service: ClassVar[str] = "PagerDuty"

    url: Dynamic[Text] = Field(default=_PAGERDUTY, description="Address of the interface for events.")
    routing_key: Dynamic[Text] | None = Field(default=None, description="Key of the integration.")
    deduplication_key: Dynamic[Text] | None = Field(
        default=None, description="What makes alerts one: a later event with this key changes the alert."
    )
    event_action: Dynamic[Text] | None = Field(
        default=None, description="`trigger`, `acknowledge` or `resolve`; the first unless there is a key."
    )
    payload_summary: Dynamic[Text] | None = Field(default=None, description="What the alert says; the summary.")

    async def messages(self, ctx: RunContext) -> list[Message]:
        summary = await self.summary(ctx)
        said = self.payload_summary or summary.message or f"{summary.title}: {summary.outcome}"
        event: dict[str, JsonValue] = {
            "summary": said[:_LONGEST_SUMMARY],
            "source": f"{summary.namespace} {summary.id}",
            "severity": "error" if summary.is_failure else "info",
            "timestamp": instant(ctx.now()),
            "custom_details": details_of(summary),
        }
        link: JsonValue = {"href": summary.link, "text": summary.outcome}
        body = given(
            routing_key=self.routing_key,
            dedup_key=self.deduplication_key,
            event_action=self.event_action or ("acknowledge" if self.deduplication_key else "trigger"),
            payload=event,
            links=[link] if summary.link else None,
        )
        return [Message(self.url, body)]


class OpsgenieTask(MessageTask):
    """What tasks that raise alerts in Opsgenie declare."""

    service: ClassVar[str] = "Opsgenie"

    url: Dynamic[Text] = Field(default="https://api.opsgenie.com/v2/alerts", description="Address for alerts.")
    authorization_token: Dynamic[Text] | None = Field(default=None, description="What is sent as `Authorization`.")

    def _message(self, body: JsonValue) -> Message:
        token = self.authorization_token
        return Message(self.url, body, {"Authorization": token} if token else {})


@task_type(
    "io.kestra.plugin.opsgenie.OpsgenieAlert",
    aliases=["opsgenie"],
    old_names=["io.kestra.plugin.notifications.opsgenie.OpsgenieAlert"],
    examples=[
        payload_example(
            "io.kestra.plugin.opsgenie.OpsgenieAlert",
            "Opsgenie",
            '{message: "{{ flow.id }} is late.", priority: P3}',
            "authorizationToken: \"GenieKey {{ secret('OPSGENIE_KEY') }}\"",
        )
    ],
)
class OpsgenieAlert(OpsgenieTask):
    """Raise an alert in Opsgenie."""

    payload: Dynamic[JsonValue] = Field(description="The alert: a map, or JSON text of one.")

    async def messages(self, ctx: RunContext) -> list[Message]:
        return [self._message(read_payload(self.payload))]


@task_type(
    "io.kestra.plugin.opsgenie.OpsgenieExecution",
    aliases=["opsgenie_execution"],
    old_names=["io.kestra.plugin.notifications.opsgenie.OpsgenieExecution"],
    examples=[
        summary_example(
            "io.kestra.plugin.opsgenie.OpsgenieExecution",
            "Opsgenie",
            "authorizationToken: \"GenieKey {{ secret('OPSGENIE_KEY') }}\"",
            "priority: P2",
        )
    ],
)
class OpsgenieExecution(AboutExecution, OpsgenieTask):
    """Raise an alert in Opsgenie about an execution."""

    message: Dynamic[Text] | None = Field(default=None, description="Title of the alert; that of the summary.")
    alias: Dynamic[Text] | None = Field(default=None, description="What makes alerts one.")
    responders: Dynamic[dict[str, Text]] = Field(default_factory=dict, description="Who is called: id → type.")
    visible_to: Dynamic[dict[str, Text]] = Field(default_factory=dict, description="Who sees it: id → type.")
    tags: Dynamic[list[Text]] = Field(default_factory=list, description="Tags of the alert.")
    priority: Dynamic[Text] | None = Field(default=None, description="From P1 to P5.")

    async def messages(self, ctx: RunContext) -> list[Message]:
        summary = await self.summary(ctx)
        body = given(
            message=self.message or summary.title,
            alias=self.alias,
            description=summary.text,
            responders=_people(self.responders),
            visibleTo=_people(self.visible_to),
            tags=list(self.tags) or None,
            priority=self.priority,
            details=details_of(summary),
        )
        return [self._message(body)]


def _people(types: dict[str, str]) -> JsonValue:
    return [{"id": name, "type": kind} for name, kind in types.items()] or None


@task_type(
    "io.kestra.plugin.squadcast.SquadcastIncomingWebhook",
    aliases=["squadcast"],
    old_names=["io.kestra.plugin.notifications.squadcast.SquadcastIncomingWebhook"],
    examples=[
        payload_example(
            "io.kestra.plugin.squadcast.SquadcastIncomingWebhook",
            "Squadcast",
            '{message: "{{ flow.id }} is late.", status: trigger}',
        )
    ],
)
class SquadcastIncomingWebhook(WebhookTask):
    """Send an incident to Squadcast."""

    service: ClassVar[str] = "Squadcast"


@task_type(
    "io.kestra.plugin.squadcast.SquadcastExecution",
    aliases=["squadcast_execution"],
    old_names=["io.kestra.plugin.notifications.squadcast.SquadcastExecution"],
    examples=[summary_example("io.kestra.plugin.squadcast.SquadcastExecution", "Squadcast")],
)
class SquadcastExecution(AboutExecution, MessageTask):
    """Send an incident about an execution to Squadcast."""

    service: ClassVar[str] = "Squadcast"

    url: Dynamic[Text] = Field(description="Address of the webhook.")
    message: Dynamic[Text] | None = Field(default=None, description="Title of the incident; that of the summary.")
    priority: Dynamic[Text] | None = Field(default=None, description="From P1 to P5.")
    event_id: Dynamic[Text] | None = Field(default=None, description="Id of the event.")
    status: Dynamic[Text] | None = Field(default=None, description="`trigger` or `resolve`.")
    tags: Dynamic[dict[str, Text]] = Field(default_factory=dict, description="Tags of the incident.")

    async def messages(self, ctx: RunContext) -> list[Message]:
        summary = await self.summary(ctx)
        body = given(
            message=self.message or summary.title,
            description=summary.text,
            priority=self.priority,
            event_id=self.event_id,
            status=self.status,
            tags=dict(self.tags) or None,
        )
        return [Message(self.url, body)]


@task_type(
    "io.kestra.plugin.zenduty.ZendutyAlert",
    aliases=["zenduty"],
    old_names=["io.kestra.plugin.notifications.zenduty.ZendutyAlert"],
    examples=[
        payload_example(
            "io.kestra.plugin.zenduty.ZendutyAlert",
            "Zenduty",
            '{alert_type: info, message: "{{ flow.id }} is late.", summary: It still runs.}',
        )
    ],
)
class ZendutyAlert(WebhookTask):
    """Raise an alert in Zenduty."""

    service: ClassVar[str] = "Zenduty"


class AlertType(StrEnum):
    """How grave an alert is to Zenduty."""

    CRITICAL = "CRITICAL"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    RESOLVED = "RESOLVED"
    ERROR = "ERROR"
    WARNING = "WARNING"
    INFO = "INFO"


@task_type(
    "io.kestra.plugin.zenduty.ZendutyExecution",
    aliases=["zenduty_execution"],
    old_names=["io.kestra.plugin.notifications.zenduty.ZendutyExecution"],
    examples=[summary_example("io.kestra.plugin.zenduty.ZendutyExecution", "Zenduty")],
)
class ZendutyExecution(AboutExecution, MessageTask):
    """Raise an alert in Zenduty about an execution."""

    service: ClassVar[str] = "Zenduty"

    url: Dynamic[Text] = Field(description="Address of the webhook.")
    message: Dynamic[Text] | None = Field(default=None, description="Title of the alert; that of the summary.")
    summary_: Dynamic[Text] | None = Field(default=None, description="Text of the alert; that of the summary.")
    alert_type: Dynamic[AlertType] | None = Field(default=None, description="How grave it is; by the state.")
    entity_id: Dynamic[Text] | None = Field(default=None, description="What makes alerts one.")
    urls: Dynamic[list[JsonValue]] = Field(default_factory=list, description="Links to show.")

    async def messages(self, ctx: RunContext) -> list[Message]:
        summary = await self.summary(ctx)
        kind = self.alert_type or (AlertType.CRITICAL if summary.is_failure else AlertType.INFO)
        link: JsonValue = {"link_url": summary.link, "link_text": summary.outcome}
        body = given(
            alert_type=kind.lower(),
            message=self.message or summary.title,
            summary=self.summary_ or summary.text,
            entity_id=self.entity_id or summary.id,
            payload=details_of(summary),
            urls=[*self.urls, *([link] if summary.link else [])] or None,
        )
        return [Message(self.url, body)]


class TwilioTask(MessageTask):
    """What tasks that notify through Twilio declare."""

    service: ClassVar[str] = "Twilio"

    url: Dynamic[Text] = Field(description="Address of the notification service.")
    account_sid: Dynamic[Text] = Field(
        validation_alias="accountSID", serialization_alias="accountSID", description="Id of the account."
    )
    auth_token: Dynamic[Text] = Field(description="Token of the account.")

    def _message(self, body: JsonValue) -> Message:
        if not isinstance(body, dict):
            raise TaskFailedError("`payload` must be a map for Twilio")
        login = base64.b64encode(f"{self.account_sid}:{self.auth_token}".encode()).decode()
        return Message(self.url, body, {"Authorization": f"Basic {login}"}, as_form=True)


@task_type(
    "io.kestra.plugin.twilio.notify.TwilioAlert",
    aliases=["twilio"],
    old_names=["io.kestra.plugin.notifications.twilio.TwilioAlert"],
    examples=[
        payload_example(
            "io.kestra.plugin.twilio.notify.TwilioAlert",
            "Twilio",
            '{Identity: "0000001", Body: "{{ flow.id }} is late."}',
            "url: https://notify.twilio.com/v1/Services/IS0/Notifications\n"
            "accountSID: \"{{ secret('TWILIO_SID') }}\"\n"
            "authToken: \"{{ secret('TWILIO_TOKEN') }}\"",
        )
    ],
)
class TwilioAlert(TwilioTask):
    """Notify people through Twilio."""

    payload: Dynamic[JsonValue] = Field(description="The notification: a map, or JSON text of one.")

    async def messages(self, ctx: RunContext) -> list[Message]:
        return [self._message(read_payload(self.payload))]


@task_type(
    "io.kestra.plugin.twilio.notify.TwilioExecution",
    aliases=["twilio_execution"],
    old_names=["io.kestra.plugin.notifications.twilio.TwilioExecution"],
    examples=[
        summary_example(
            "io.kestra.plugin.twilio.notify.TwilioExecution",
            "Twilio",
            "url: https://notify.twilio.com/v1/Services/IS0/Notifications",
            "accountSID: \"{{ secret('TWILIO_SID') }}\"",
            "authToken: \"{{ secret('TWILIO_TOKEN') }}\"",
            'identity: "0000001"',
        )
    ],
)
class TwilioExecution(AboutExecution, TwilioTask):
    """Notify people through Twilio how an execution went."""

    body: Dynamic[Text] | None = Field(default=None, description="Text to send instead of the summary.")
    identity: Dynamic[Text] | None = Field(default=None, description="Who gets it.")
    tag: Dynamic[Text] | None = Field(default=None, description="Tag of those who get it.")

    async def messages(self, ctx: RunContext) -> list[Message]:
        text = self.body or (await self.summary(ctx)).text
        return [self._message(given(Body=text, Identity=self.identity, Tag=self.tag))]

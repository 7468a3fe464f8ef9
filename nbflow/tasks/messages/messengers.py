"""Task types that write to people's messengers: WhatsApp, Facebook Messenger, LINE."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar
from urllib.parse import quote

from pydantic import Field

from nbflow.plugins import Dynamic, RunContext, Text, task_type
from nbflow.tasks.messages.sending import Message, MessageTask, WebhookTask, given, payload_example
from nbflow.tasks.messages.summaries import AboutExecution, summary_example
from nbflow.types import JsonValue


@task_type(
    "io.kestra.plugin.meta.whatsapp.WhatsAppIncomingWebhook",
    aliases=["whatsapp"],
    old_names=["io.kestra.plugin.notifications.whatsapp.WhatsAppIncomingWebhook"],
    examples=[
        payload_example(
            "io.kestra.plugin.meta.whatsapp.WhatsAppIncomingWebhook",
            "WhatsApp",
            '{profileName: nbflow, whatsAppIds: ["1"], from: 380999999999}',
        )
    ],
)
class WhatsAppIncomingWebhook(WebhookTask):
    """Write to WhatsApp through a webhook."""

    service: ClassVar[str] = "WhatsApp"


@task_type(
    "io.kestra.plugin.meta.whatsapp.WhatsAppExecution",
    aliases=["whatsapp_execution"],
    old_names=["io.kestra.plugin.notifications.whatsapp.WhatsAppExecution"],
    examples=[summary_example("io.kestra.plugin.meta.whatsapp.WhatsAppExecution", "WhatsApp")],
)
class WhatsAppExecution(AboutExecution, MessageTask):
    """Tell WhatsApp how an execution went."""

    service: ClassVar[str] = "WhatsApp"

    url: Dynamic[Text] = Field(description="Address of the webhook.")
    profile_name: Dynamic[Text] | None = Field(default=None, description="Name of the sender.")
    whats_app_ids: Dynamic[list[Text]] = Field(default_factory=list, description="Ids of those who get it.")
    from_: Dynamic[Text] | None = Field(default=None, description="Telephone number of the sender.")
    message_id: Dynamic[Text] | None = Field(default=None, description="Id of the message.")
    text_body: Dynamic[Text] | None = Field(default=None, description="Text to send instead of the summary.")
    recipient_id: Dynamic[Text] | None = Field(default=None, description="Id of the one who gets it.")

    async def messages(self, ctx: RunContext) -> list[Message]:
        text = self.text_body or (await self.summary(ctx)).text
        profile: JsonValue = {"name": self.profile_name}
        contacts: list[JsonValue] = [{"profile": profile, "wa_id": one} for one in self.whats_app_ids]
        message = given(id=self.message_id, text={"body": text}, type="text", **{"from": self.from_})
        named = contacts if self.profile_name else None
        return [Message(self.url, given(contacts=named, messages=[message], recipient_id=self.recipient_id))]


class MessagingType(StrEnum):
    """Why Messenger is to deliver a message."""

    UPDATE = "UPDATE"
    RESPONSE = "RESPONSE"
    MESSAGE_TAG = "MESSAGE_TAG"


@task_type(
    "io.kestra.plugin.meta.messenger.MessengerExecution",
    aliases=["messenger_execution"],
    old_names=["io.kestra.plugin.notifications.messenger.MessengerExecution"],
    examples=[
        summary_example(
            "io.kestra.plugin.meta.messenger.MessengerExecution",
            "Messenger",
            'pageId: "100"',
            "accessToken: \"{{ secret('MESSENGER_TOKEN') }}\"",
            'recipientIds: ["200"]',
        )
    ],
)
class MessengerExecution(AboutExecution, MessageTask):
    """Tell people on Facebook Messenger how an execution went."""

    service: ClassVar[str] = "Messenger"

    page_id: Dynamic[Text] = Field(description="Id of the page that writes.")
    access_token: Dynamic[Text] = Field(description="Access token of the page.")
    recipient_ids: Dynamic[list[Text]] = Field(min_length=1, description="Ids of those who get it.")
    messaging_type: Dynamic[MessagingType] = Field(
        default=MessagingType.UPDATE, description="Why it is sent: UPDATE, RESPONSE or MESSAGE_TAG."
    )
    text_body: Dynamic[Text] | None = Field(default=None, description="Text to send instead of the summary.")
    url: Dynamic[Text] | None = Field(default=None, description="Address to send to; that of the page unless said.")

    async def messages(self, ctx: RunContext) -> list[Message]:
        text = self.text_body or (await self.summary(ctx)).text
        url = self.url or f"https://graph.facebook.com/v18.0/{self.page_id}/messages"
        address = f"{url}{'&' if '?' in url else '?'}access_token={quote(self.access_token, safe='')}"
        return [
            Message(
                address,
                {"recipient": {"id": one}, "messaging_type": str(self.messaging_type), "message": {"text": text}},
            )
            for one in self.recipient_ids
        ]


@task_type(
    "io.kestra.plugin.line.LineExecution",
    aliases=["line_execution"],
    old_names=["io.kestra.plugin.notifications.line.LineExecution"],
    examples=[
        summary_example(
            "io.kestra.plugin.line.LineExecution", "LINE", "channelAccessToken: \"{{ secret('LINE_TOKEN') }}\""
        )
    ],
)
class LineExecution(AboutExecution, MessageTask):
    """Tell all friends of a LINE account how an execution went."""

    service: ClassVar[str] = "LINE"

    url: Dynamic[Text] = Field(
        default="https://api.line.me/v2/bot/message/broadcast", description="Address to send to."
    )
    channel_access_token: Dynamic[Text] = Field(description="Access token of the channel.")
    text_body: Dynamic[Text] | None = Field(default=None, description="Text to send instead of the summary.")

    async def messages(self, ctx: RunContext) -> list[Message]:
        text = self.text_body or (await self.summary(ctx)).text
        body: JsonValue = {"messages": [{"type": "text", "text": text}]}
        return [Message(self.url, body, {"Authorization": f"Bearer {self.channel_access_token}"})]

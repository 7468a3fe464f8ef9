"""Task types that write to Slack, and to chats that understand Slack's webhooks: Mattermost, Rocket.Chat, Zulip."""

from __future__ import annotations

import json
import re
from typing import ClassVar, Self

from pydantic import AliasChoices, Field, model_validator

from nbflow.plugins import Dynamic, Example, RunContext, Text, task_type
from nbflow.tasks.messages.sending import Message, MessageTask, WebhookTask, payload_example, read_payload
from nbflow.tasks.messages.summaries import AboutExecution, Summary, summary_example
from nbflow.types import JsonValue

_BOLD = re.compile(r"\*\*(.+?)\*\*")
_ITALIC = re.compile(r"__(.+?)__")
_LINK = re.compile(r"\[([^\[\]]+)\]\((\S+?)\)")
_COLORS = {"SUCCESS": "good", "WARNING": "warning"}


@task_type(
    "io.kestra.plugin.slack.SlackIncomingWebhook",
    aliases=["slack", "mattermost", "io.kestra.plugin.slack.notifications.SlackIncomingWebhook"],
    old_names=[
        "io.kestra.plugin.notifications.slack.SlackIncomingWebhook",
        "io.kestra.core.tasks.notifications.Slack",
    ],
    examples=[
        Example(
            """
            id: tell
            type: io.kestra.plugin.slack.SlackIncomingWebhook
            url: "{{ secret('SLACK_WEBHOOK') }}"
            messageText: "**{{ flow.id }}** has loaded {{ 3 }} files."
            """,
            title="Write a line to the channel of a webhook",
            needs="a Slack webhook",
        ),
        Example(
            """
            id: tell
            type: slack
            url: "{{ secret('SLACK_WEBHOOK') }}"
            payload:
              blocks:
                - type: section
                  text: {type: mrkdwn, text: "Execution `{{ execution.id }}` is under way."}
            """,
            title="Send blocks, written as a map",
            needs="a Slack webhook",
        ),
    ],
)
class SlackIncomingWebhook(WebhookTask):
    """Write to a channel of Slack, or of a chat that takes the same messages, through an incoming webhook."""

    service: ClassVar[str] = "Slack"

    message_text: Dynamic[Text] | None = Field(
        default=None,
        validation_alias=AliasChoices("messageText", "message", "text"),
        description="The message as text with Markdown; JSON text of a map is sent as that. Not used with `payload`.",
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.payload is None and self.message_text is None:
            raise ValueError("needs `payload` or `messageText`")
        return self

    async def messages(self, ctx: RunContext) -> list[Message]:
        body = read_payload(self.payload) if self.payload is not None else _read_text(self.message_text or "")
        return [Message(self.url, body)]


class SlackSummary(AboutExecution, MessageTask):
    """A summary of an execution as Slack shows it."""

    url: Dynamic[Text] = Field(description="Address of the webhook.")
    channel: Dynamic[Text] | None = Field(default=None, description="Channel, for webhooks that are tied to none.")
    username: Dynamic[Text] | None = Field(default=None, description="Name to write under, where it can be chosen.")
    icon_url: Dynamic[Text] | None = Field(default=None, description="Address of a picture to write under.")
    icon_emoji: Dynamic[Text] | None = Field(default=None, description="Emoji to write under, such as `:tada:`.")

    async def messages(self, ctx: RunContext) -> list[Message]:
        chosen = {
            "channel": self.channel,
            "username": self.username,
            "icon_url": self.icon_url,
            "icon_emoji": self.icon_emoji,
        }
        body = slack_payload(await self.summary(ctx))
        return [Message(self.url, {**body, **{name: value for name, value in chosen.items() if value is not None}})]


@task_type(
    "io.kestra.plugin.slack.SlackExecution",
    aliases=["slack_execution", "io.kestra.plugin.slack.notifications.SlackExecution"],
    old_names=["io.kestra.plugin.notifications.slack.SlackExecution"],
    examples=[
        Example(
            """
            id: alert
            type: io.kestra.plugin.slack.SlackExecution
            url: "{{ secret('SLACK_WEBHOOK') }}"
            executionId: "{{ trigger.executionId }}"
            customMessage: "Somebody should have a look."
            """,
            title="Tell of an execution that a Flow trigger has seen",
            needs="a Slack webhook",
        )
    ],
)
class SlackExecution(SlackSummary):
    """Tell Slack how an execution went: its link, state and duration, and the task that failed with its error."""

    service: ClassVar[str] = "Slack"


@task_type(
    "io.kestra.plugin.zulip.ZulipIncomingWebhook",
    aliases=["zulip"],
    old_names=["io.kestra.plugin.notifications.zulip.ZulipIncomingWebhook"],
    examples=[
        payload_example("io.kestra.plugin.zulip.ZulipIncomingWebhook", "Zulip", '{text: "{{ flow.id }} has ended."}')
    ],
)
class ZulipIncomingWebhook(WebhookTask):
    """Write to Zulip through an incoming webhook."""

    service: ClassVar[str] = "Zulip"


@task_type(
    "io.kestra.plugin.zulip.ZulipExecution",
    aliases=["zulip_execution"],
    old_names=["io.kestra.plugin.notifications.zulip.ZulipExecution"],
    examples=[summary_example("io.kestra.plugin.zulip.ZulipExecution", "Zulip")],
)
class ZulipExecution(SlackSummary):
    """Tell Zulip how an execution went, through its webhook for Slack's messages."""

    service: ClassVar[str] = "Zulip"


def slack_payload(summary: Summary) -> dict[str, JsonValue]:
    """A summary in Slack's blocks and attachments."""
    title = f"*{_link(summary.title, summary.link)}*"
    told = f"{title}\n> {escaped(summary.outcome)}"
    section: dict[str, JsonValue] = {"type": "section", "text": _markdown(told)}
    if summary.link:
        button: JsonValue = {"type": "plain_text", "text": "Details"}
        section["accessory"] = {"type": "button", "text": button, "url": summary.link}
    blocks: list[JsonValue] = []
    if summary.message:
        blocks.append({"type": "section", "text": _markdown(summary.message)})
    blocks.append(section)
    if summary.error:
        blocks.append({"type": "section", "text": _markdown(f"```{escaped(summary.error)}```")})
    fields: list[JsonValue] = [{"title": name, "value": escaped(value), "short": True} for name, value in summary.facts]
    color = _COLORS.get(summary.state, "danger")
    attachment: JsonValue = {"color": color, "fields": fields, "ts": int(summary.start.timestamp())}
    return {"text": told, "blocks": blocks, "attachments": [attachment]}


def escaped(text: str) -> str:
    """Text that Slack shows as it is: nothing in it is a link or calls a channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def to_mrkdwn(text: str) -> str:
    """Markdown as Slack writes it: one star for bold, `<url|text>` for links."""
    return _LINK.sub(r"<\2|\1>", _ITALIC.sub(r"_\1_", _BOLD.sub(r"*\1*", text)))


def _read_text(text: str) -> JsonValue:
    try:
        read: JsonValue = json.loads(text, strict=False)
    except ValueError:
        read = None
    return read if isinstance(read, dict) else {"text": to_mrkdwn(text)}


def _markdown(text: str) -> JsonValue:
    return {"type": "mrkdwn", "text": text}


def _link(text: str, url: str) -> str:
    return f"<{url}|{escaped(text)}>" if url else escaped(text)

"""Task types that write to chats: Discord, Teams, Google Chat, Telegram."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AliasChoices, BeforeValidator, Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, Model, RunContext, Text, task_type
from nbflow.tasks.messages.sending import Message, MessageTask, WebhookTask, given, payload_example
from nbflow.tasks.messages.summaries import AboutExecution, summary_example
from nbflow.types import JsonValue

_GREEN, _ORANGE, _RED = 0x2EB886, 0xDAA038, 0xA30200
_LONGEST_DISCORD = 4_000
_LONGEST_TELEGRAM = 4_096


@task_type(
    "io.kestra.plugin.discord.DiscordIncomingWebhook",
    aliases=["discord"],
    old_names=["io.kestra.plugin.notifications.discord.DiscordIncomingWebhook"],
    examples=[
        Example(
            """
            id: tell
            type: io.kestra.plugin.discord.DiscordIncomingWebhook
            url: "{{ secret('DISCORD_WEBHOOK') }}"
            payload:
              username: nbflow
              content: "{{ flow.id }} has ended."
            """,
            title="Write to a channel",
            needs="a Discord webhook",
        )
    ],
)
class DiscordIncomingWebhook(WebhookTask):
    """Write to a channel of Discord through a webhook."""

    service: ClassVar[str] = "Discord"


class Embed(Model):
    """A box in a message of Discord."""

    title: Dynamic[Text] | None = Field(default=None, description="Its title.")
    website_url: Dynamic[Text] | None = Field(default=None, description="Where its title leads.")
    description: Dynamic[Text] | None = Field(default=None, description="Its text.")
    thumbnail: Dynamic[Text] | None = Field(default=None, description="Address of a small picture.")
    author_name: Dynamic[Text] | None = Field(default=None, description="Who is named as its author.")
    color: Dynamic[list[int]] | None = Field(default=None, description="Its colour: red, green, blue from 0 to 255.")
    footer: Dynamic[Text] | None = Field(default=None, description="The line below it.")

    def to_json(self, avatar_url: str | None) -> dict[str, JsonValue]:
        """The embed in Discord's spelling."""
        red, green, blue = [*(self.color or []), 0, 0, 0][:3]
        author = given(name=self.author_name, url=self.website_url, icon_url=avatar_url)
        return given(
            title=self.title,
            description=self.description,
            url=self.website_url,
            thumbnail={"url": self.thumbnail} if self.thumbnail else None,
            author=author if self.author_name else None,
            color=(red << 16) + (green << 8) + blue if self.color is not None else None,
            footer={"text": self.footer} if self.footer else None,
        )


@task_type(
    "io.kestra.plugin.discord.DiscordExecution",
    aliases=["discord_execution"],
    old_names=["io.kestra.plugin.notifications.discord.DiscordExecution"],
    examples=[summary_example("io.kestra.plugin.discord.DiscordExecution", "Discord")],
)
class DiscordExecution(AboutExecution, MessageTask):
    """Tell Discord how an execution went."""

    service: ClassVar[str] = "Discord"

    url: Dynamic[Text] = Field(description="Address of the webhook.")
    username: Dynamic[Text] | None = Field(default=None, description="Name to write under.")
    avatar_url: Dynamic[Text] | None = Field(default=None, description="Address of a picture to write under.")
    content: Dynamic[Text] | None = Field(default=None, description="Text above the summary.")
    embed_list: Dynamic[list[Embed]] = Field(default_factory=list, description="Boxes to show above the summary.")

    async def messages(self, ctx: RunContext) -> list[Message]:
        summary = await self.summary(ctx)
        color = {"SUCCESS": _GREEN, "WARNING": _ORANGE}.get(summary.state, _RED)
        lines = [f"{name}: {value}" for name, value in summary.facts]
        if summary.error:
            lines.append(f"```{summary.error}```")
        described: dict[str, JsonValue] = given(
            title=summary.title,
            url=summary.link or None,
            description="\n".join(lines)[:_LONGEST_DISCORD],
            color=color,
            footer={"text": summary.outcome},
        )
        body = given(
            username=self.username,
            avatar_url=self.avatar_url,
            content="\n".join(part for part in (self.content, summary.message) if part) or None,
            tts=False,
            embeds=[*(embed.to_json(self.avatar_url) for embed in self.embed_list), described],
            allowed_mentions={"parse": []},  # an error that says @everyone must not call everyone
        )
        return [Message(self.url, body)]


@task_type(
    "io.kestra.plugin.microsoft365.teams.TeamsIncomingWebhook",
    aliases=["teams"],
    old_names=["io.kestra.plugin.notifications.teams.TeamsIncomingWebhook"],
    examples=[
        payload_example(
            "io.kestra.plugin.microsoft365.teams.TeamsIncomingWebhook", "Teams", '{text: "{{ flow.id }} has ended."}'
        )
    ],
)
class TeamsIncomingWebhook(WebhookTask):
    """Write to a channel of Microsoft Teams through a webhook."""

    service: ClassVar[str] = "Teams"


@task_type(
    "io.kestra.plugin.microsoft365.teams.TeamsExecution",
    aliases=["teams_execution"],
    old_names=["io.kestra.plugin.notifications.teams.TeamsExecution"],
    examples=[summary_example("io.kestra.plugin.microsoft365.teams.TeamsExecution", "Teams")],
)
class TeamsExecution(AboutExecution, MessageTask):
    """Tell Microsoft Teams how an execution went, as a message card."""

    service: ClassVar[str] = "Teams"

    url: Dynamic[Text] = Field(description="Address of the webhook.")
    theme_color: Dynamic[Text] = Field(default="0076D7", description="Colour of the card, as six hexadecimal digits.")
    activity_title: Dynamic[Text] | None = Field(default=None, description="Title of the card; that of the summary.")
    activity_subtitle: Dynamic[Text] | None = Field(default=None, description="What stands below the title.")

    async def messages(self, ctx: RunContext) -> list[Message]:
        summary = await self.summary(ctx)
        facts: list[JsonValue] = [{"name": name, "value": value} for name, value in summary.facts]
        if summary.error:
            facts.append({"name": "Error", "value": summary.error})
        section = given(
            activityTitle=self.activity_title or summary.title,
            activitySubtitle=self.activity_subtitle or summary.outcome,
            text=summary.message or None,
            facts=facts,
            markdown=True,
        )
        action: JsonValue = {
            "@type": "OpenUri",
            "name": "Details",
            "targets": [{"os": "default", "uri": summary.link}],
        }
        body: dict[str, JsonValue] = {
            "@type": "MessageCard",
            "@context": "http://schema.org/extensions",
            "themeColor": self.theme_color,
            "summary": f"{summary.title}: {summary.outcome}",
            "sections": [section],
            **({"potentialAction": [action]} if summary.link else {}),
        }
        return [Message(self.url, body)]


@task_type(
    "io.kestra.plugin.googleworkspace.chat.GoogleChatIncomingWebhook",
    aliases=["google_chat"],
    old_names=["io.kestra.plugin.notifications.google.GoogleChatIncomingWebhook"],
    examples=[
        payload_example(
            "io.kestra.plugin.googleworkspace.chat.GoogleChatIncomingWebhook",
            "Google Chat",
            '{text: "{{ flow.id }} has ended."}',
        )
    ],
)
class GoogleChatIncomingWebhook(WebhookTask):
    """Write to a space of Google Chat through a webhook."""

    service: ClassVar[str] = "Google Chat"


@task_type(
    "io.kestra.plugin.googleworkspace.chat.GoogleChatExecution",
    aliases=["google_chat_execution"],
    old_names=["io.kestra.plugin.notifications.google.GoogleChatExecution"],
    examples=[summary_example("io.kestra.plugin.googleworkspace.chat.GoogleChatExecution", "Google Chat")],
)
class GoogleChatExecution(AboutExecution, MessageTask):
    """Tell Google Chat how an execution went."""

    service: ClassVar[str] = "Google Chat"

    url: Dynamic[Text] = Field(description="Address of the webhook.")
    text: Dynamic[Text] | None = Field(default=None, description="Text to send instead of the summary.")

    async def messages(self, ctx: RunContext) -> list[Message]:
        return [Message(self.url, {"text": self.text or (await self.summary(ctx)).text})]


class ParseMode(StrEnum):
    """How Telegram reads a text."""

    HTML = "HTML"
    MARKDOWNV2 = "MarkdownV2"


def _read_parse_mode(value: object) -> object:
    names = {"html": ParseMode.HTML, "markdownv2": ParseMode.MARKDOWNV2}
    return names.get(value.lower(), value) if isinstance(value, str) else value


class TelegramTask(MessageTask):
    """What tasks that write to Telegram declare."""

    service: ClassVar[str] = "Telegram"

    token: Dynamic[Text] = Field(description="Token of the bot.")
    channel: Dynamic[Text] = Field(description="Id of the chat, or name of the channel with its `@`.")
    parse_mode: Dynamic[Annotated[ParseMode, BeforeValidator(_read_parse_mode)]] | None = Field(
        default=None, description="How the text is read: HTML or MARKDOWNV2; plain text unless said."
    )
    endpoint_override: Dynamic[Text] = Field(
        default="https://api.telegram.org", description="Address of the interface for bots."
    )

    def _message(self, text: str) -> Message:
        url = f"{self.endpoint_override.rstrip('/')}/bot{self.token}/sendMessage"
        mode = str(self.parse_mode) if self.parse_mode is not None else None
        return Message(url, given(chat_id=self.channel, text=text[:_LONGEST_TELEGRAM], parse_mode=mode))

    def check(self, answer: str) -> None:
        try:
            said = json.loads(answer)
        except ValueError:
            said = None
        if not isinstance(said, dict) or said.get("ok") is not True:
            raise TaskFailedError(f"Telegram did not take the message: {answer[:300]}")


@task_type(
    "io.kestra.plugin.telegram.TelegramSend",
    aliases=["telegram"],
    old_names=["io.kestra.plugin.notifications.telegram.TelegramSend"],
    examples=[
        payload_example(
            "io.kestra.plugin.telegram.TelegramSend",
            "Telegram",
            '"{{ flow.id }} has ended."',
            'token: "{{ secret(\'TELEGRAM_TOKEN\') }}"\nchannel: "@team"',
        )
    ],
)
class TelegramSend(TelegramTask):
    """Write to a chat of Telegram as a bot."""

    payload: Dynamic[Text] = Field(
        validation_alias=AliasChoices("payload", "text", "message"), description="Text of the message."
    )

    async def messages(self, ctx: RunContext) -> list[Message]:
        return [self._message(self.payload)]


@task_type(
    "io.kestra.plugin.telegram.TelegramExecution",
    aliases=["telegram_execution"],
    old_names=["io.kestra.plugin.notifications.telegram.TelegramExecution"],
    examples=[
        summary_example(
            "io.kestra.plugin.telegram.TelegramExecution",
            "Telegram",
            "token: \"{{ secret('TELEGRAM_TOKEN') }}\"",
            'channel: "@team"',
        )
    ],
)
class TelegramExecution(AboutExecution, TelegramTask):
    """Tell a chat of Telegram how an execution went."""

    payload: Dynamic[Text] | None = Field(default=None, description="Text to send instead of the summary.")

    async def messages(self, ctx: RunContext) -> list[Message]:
        return [self._message(self.payload or (await self.summary(ctx)).text)]

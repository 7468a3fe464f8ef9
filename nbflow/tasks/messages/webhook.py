"""Task types that send JSON to a webhook of any kind."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nbflow.plugins import Dynamic, Example, RunContext, Text, task_type
from nbflow.tasks.messages.sending import Message, MessageTask, WebhookTask
from nbflow.tasks.messages.summaries import AboutExecution, summary_example
from nbflow.types import JsonValue


@task_type(
    "nbflow.messages.Webhook",
    aliases=["send_webhook"],
    examples=[
        Example(
            """
            id: tell
            type: nbflow.messages.Webhook
            url: https://hooks.example.com/loaded
            payload: {flow: "{{ flow.id }}", execution: "{{ execution.id }}"}
            """,
            title="Send JSON to any webhook",
            needs="a webhook",
        )
    ],
)
class Webhook(WebhookTask):
    """Send JSON to a webhook of any kind."""

    service: ClassVar[str] = "the webhook"


@task_type(
    "nbflow.messages.WebhookExecution",
    aliases=["webhook_execution"],
    examples=[
        summary_example(
            "nbflow.messages.WebhookExecution", "a service of yours", "url: https://hooks.example.com/failed"
        )
    ],
)
class WebhookExecution(AboutExecution, MessageTask):
    """Send a webhook of any kind all there is to say of an execution, as JSON."""

    service: ClassVar[str] = "the webhook"

    url: Dynamic[Text] = Field(description="Address of the webhook.")

    async def messages(self, ctx: RunContext) -> list[Message]:
        summary = await self.summary(ctx)
        body: dict[str, JsonValue] = {
            "title": summary.title,
            "outcome": summary.outcome,
            "state": summary.state,
            "duration": summary.duration,
            "link": summary.link,
            "failedTask": summary.failed_task,
            "error": summary.error,
            "customMessage": summary.message,
            "customFields": dict(summary.fields),
            "execution": dict(summary.execution),
        }
        return [Message(self.url, {name: value for name, value in body.items() if value not in ("", {})})]

"""Sending a message over HTTP: what every task that does so declares, and how a payload is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text
from nbflow.tasks.http.exchange import shown
from nbflow.tasks.http.options import HttpOptions
from nbflow.tasks.http.request import Request
from nbflow.types import JsonValue

_EXCERPT = 300


class MessageOptions(HttpOptions):
    """How the request is made."""

    headers: Dynamic[dict[str, Text]] = Field(default_factory=dict, description="Further headers to send.")


@dataclass(frozen=True, slots=True)
class Message:
    """A request to make. `body` is sent as it is when it is text, as a form with `as_form`, as JSON otherwise."""

    url: str
    body: JsonValue
    headers: Mapping[str, str] = field(default_factory=dict)
    as_form: bool = False


class MessageTask(RunnableTask):
    """Sends one message or several over HTTP."""

    service: ClassVar[str] = ""
    """What people call the place it goes to."""

    options: Dynamic[MessageOptions] | None = Field(default=None, description="How the request is made.")

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        for message in await self.messages(ctx):
            answer = await self._send(ctx, message)
            self.check(answer)
        ctx.log.info("the message was sent to %s", self.service)
        return self.Output()

    async def messages(self, ctx: RunContext) -> list[Message]:
        """What is to be sent. Raises: TaskFailedError."""
        raise TypeError(f"{type(self).__name__} does not say what it sends: write `messages`")

    def check(self, answer: str) -> None:
        """Look at an answer that says that all is well. Raises: TaskFailedError when it is not."""

    async def _send(self, ctx: RunContext, message: Message) -> str:
        ctx.hide(message.url, shown(message.url))  # the address of a webhook is a secret by itself
        options = self.options or MessageOptions()
        text = message.body if isinstance(message.body, str) else json.dumps(message.body, ensure_ascii=False)
        ctx.log.debug("sending to %s: %s", self.service, text)
        content = {"form_data": message.body} if message.as_form else {"body": text, "content_type": "application/json"}
        request = Request(
            id=ctx.task_id,
            uri=message.url,
            method="POST",
            headers={**message.headers, **options.headers},
            options=HttpOptions(**{name: getattr(options, name) for name in options.model_fields_set - {"headers"}}),
            **content,
        )
        try:
            async with request.exchange(ctx) as response:
                await response.aread()
                return str(response.text)
        except TaskFailedError as failure:
            said = failure.message.replace(shown(message.url), hidden(message.url))
            raise TaskFailedError(f"{self.service}: {said}", hint=failure.hint) from None


class WebhookTask(MessageTask):
    """Sends a payload to the address of a webhook."""

    url: Dynamic[Text] = Field(description="Address of the webhook.")
    payload: Dynamic[JsonValue] = Field(default=None, description="The message: a map, or JSON text of one.")

    async def messages(self, ctx: RunContext) -> list[Message]:
        return [Message(self.url, read_payload(self.payload), self.headers())]

    def headers(self) -> dict[str, str]:
        """Headers that this service wants."""
        return {}


def read_payload(payload: JsonValue) -> JsonValue:
    """A payload as a value. Raises: TaskFailedError when there is none, or it is text that is no JSON."""
    if payload is None or payload == "":
        raise TaskFailedError("there is nothing to send", hint="give a `payload`")
    if not isinstance(payload, str):
        return payload
    try:
        read: JsonValue = json.loads(payload, strict=False)  # a text may span lines, as people write it in YAML
    except ValueError as cause:
        raise TaskFailedError(
            f"`payload` is text that is no JSON ({cause}): {payload[:_EXCERPT]}",
            hint="write `{{ value | toJson }}` where a value has quotes in it, or give a map",
        ) from cause
    return read


def given(**values: JsonValue) -> dict[str, JsonValue]:
    """The values that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def payload_example(type_name: str, service: str, payload: str, more: str = "") -> Example:
    """An example of a task that sends a payload; `more` are its further properties, a line each."""
    secret = f"{service.upper().replace(' ', '_')}_WEBHOOK"
    lines = ["id: tell", f"type: {type_name}", more or f"url: \"{{{{ secret('{secret}') }}}}\"", f"payload: {payload}"]
    return Example("\n".join(lines) + "\n", title="Send a message, written as a map.", needs=f"a webhook of {service}")


def hidden(url: str) -> str:
    """An address without what comes after its host."""
    parts = urlsplit(shown(url))
    return f"{parts.scheme}://{parts.netloc}/…"

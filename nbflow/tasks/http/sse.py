"""The task type that listens to server-sent events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field, PositiveInt

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.http.exchange import HttpTask, shown
from nbflow.tasks.http.options import HttpOptions
from nbflow.types import JsonValue


@task_type(
    "io.kestra.plugin.core.http.SseRequest",
    aliases=["sse"],
    examples=[
        Example(
            """
            id: answer
            type: io.kestra.plugin.core.http.SseRequest
            uri: https://events.example.com/stream
            concatJqExpression: .data.text
            maxEvents: 100
            """,
            title="Join the texts of events.",
            needs="a server of events",
        )
    ],
)
class SseRequest(HttpTask):
    """Listen to the events that a server sends, until it ends them or there are enough."""

    class Output(RunnableTask.Output):
        uri: Text = Field(description="The address that was asked, after redirects.")
        size: int = Field(description="How many events came.")
        events: list[dict[str, JsonValue]] | None = Field(
            default=None, description="The events, each with `data`, `id`, `name`, `comment` and `retry`."
        )
        result: Text | None = Field(default=None, description="What `concatJqExpression` gave, joined.")

    concat_jq_expression: Dynamic[Text] | None = Field(
        default=None, description="jq expression: what it gives for each event is joined, instead of `events`."
    )
    failed_on_missing_jq: Dynamic[bool] = Field(
        default=True, description="Whether an event that the jq expression fails on is a failure."
    )
    max_events: Dynamic[PositiveInt] | None = Field(
        default=None, description="Leave after so many events; without it, when the server ends."
    )

    async def run(self, ctx: RunContext) -> Output:
        self.headers = {"Accept": "text/event-stream", **self.headers}
        longest = (self.options or HttpOptions()).max_content_length
        events: list[dict[str, JsonValue]] = []
        length = 0
        async with self.exchange(ctx) as response:
            uri = shown(str(response.url))
            async for event in _events(response):
                length += len(str(event["data"]))
                if length > longest:
                    raise TaskFailedError(
                        f"{uri} sent more than {longest} bytes",
                        hint="say how much is enough in `maxEvents`, or raise `options.maxContentLength`",
                    )
                events.append(event)
                if len(events) == self.max_events:
                    break
        ctx.metric("size", len(events))
        if self.concat_jq_expression is None:
            return self.Output(uri=uri, size=len(events), events=events)
        found = [text for event in events for text in self._extract(ctx, self.concat_jq_expression, event)]
        if not found:
            return self.Output(uri=uri, size=len(events), events=events)
        return self.Output(uri=uri, size=len(events), result="".join(found))

    def _extract(self, ctx: RunContext, expression: str, event: dict[str, JsonValue]) -> list[str]:
        import jq

        try:
            value = jq.compile(expression).input_value(event).first()
        except StopIteration:
            return []
        except ValueError as cause:
            return self._missing(ctx, f"{cause}", event, cause)
        if isinstance(value, dict | list) or value is None:
            return self._missing(ctx, f"it gives {type(value).__name__}, no text", event, None)
        return [value if isinstance(value, str) else json.dumps(value)]

    def _missing(self, ctx: RunContext, why: str, event: dict[str, JsonValue], cause: Exception | None) -> list[str]:
        message = f"`concatJqExpression` fails on the event {json.dumps(event)[:200]}: {why}"
        if self.failed_on_missing_jq:
            raise TaskFailedError(message, hint="set `failedOnMissingJq: false` to leave such events out") from cause
        ctx.log.debug("%s", message)
        return []


@dataclass(slots=True)
class _Event:
    """An event whose lines are still coming. Source: the HTML standard, section 9.2.6."""

    data: list[str] = field(default_factory=list)
    others: dict[str, JsonValue] = field(default_factory=dict)

    def take(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self.data.append(value)
        elif name == "event":
            self.others["name"] = value
        elif name == "":
            self.others["comment"] = value
        elif name == "id" and "\0" not in value:
            self.others["id"] = value
        elif name == "retry" and value.isdigit():
            self.others["retry"] = int(value)

    def whole(self) -> dict[str, JsonValue]:
        text = "\n".join(self.data)
        try:
            data: JsonValue = json.loads(text)
        except ValueError:
            data = text
        return {"data": data, **self.others}


async def _events(response: Any) -> AsyncIterator[dict[str, JsonValue]]:  # Any: httpx is imported as it is used
    event = _Event()
    async for line in response.aiter_lines():
        if line:
            event.take(line.removeprefix("\ufeff"))
        elif event.data:
            yield event.whole()
            event = _Event()
        else:
            event = _Event()

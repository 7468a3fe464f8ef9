"""The trigger that asks an address now and then, and starts the flow when the answer is as wished."""

from __future__ import annotations

import asyncio

from pydantic import Field

from nbflow.plugins import Dynamic, Example, PollingTrigger, RunContext, Text, Trigger, is_true, trigger_type
from nbflow.tasks.http.exchange import HttpCall
from nbflow.tasks.http.request import answer
from nbflow.types import JsonValue


@trigger_type(
    "io.kestra.plugin.core.http.Trigger",
    aliases=["http_trigger"],
    old_names=["io.kestra.plugin.fs.http.Trigger"],
    examples=[
        Example(
            """
            id: cheap
            type: io.kestra.plugin.core.http.Trigger
            uri: https://shop.example.com/products/1
            responseCondition: "{{ json(response.body).price <= 110 }}"
            interval: PT30S
            stopAfter: [SUCCESS]
            """,
            title="Once the price has fallen; then never again.",
            needs="a server that answers",
        )
    ],
)
class HttpTrigger(HttpCall, PollingTrigger):
    """Start the flow when an address answers as wished."""

    class Output(Trigger.Output):
        uri: Text = Field(description="The address that was asked, after redirects.")
        code: int = Field(description="Status code of the answer.")
        headers: dict[str, JsonValue] = Field(description="Headers of the answer, each with a list of values.")
        body: Text | None = Field(default=None, description="Body of the answer as text.")
        encrypted_body: dict[str, JsonValue] | None = Field(
            default=None, description="The body instead, with `encryptBody`: expressions see its text, the history not."
        )

    response_condition: Text = Field(
        default="{{ response.statusCode < 400 }}",
        description="Expression that is true of an answer to start for; it sees `response`: `statusCode`, `body`, "
        "`headers`, `uri`.",
    )
    encrypt_body: Dynamic[bool] = Field(
        default=False, description="Whether the body is put out as `encryptedBody`, encrypted at rest, instead."
    )

    async def look(self, ctx: RunContext) -> Trigger.Output | None:
        uri, code, headers, text = await answer(self, ctx)
        response: dict[str, JsonValue] = {
            "uri": uri,
            "code": code,
            "statusCode": code,
            "headers": headers,
            "body": text,
        }
        if not is_true(await asyncio.to_thread(ctx.render, self.response_condition, {"response": response})):
            return None
        sealed = await asyncio.to_thread(ctx.seal, text) if self.encrypt_body else None
        body = None if self.encrypt_body else text
        return self.Output(uri=uri, code=code, headers=headers, body=body, encrypted_body=sealed)

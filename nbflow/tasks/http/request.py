"""The task type that sends a request and puts out the answer."""

from __future__ import annotations

import asyncio

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.http.exchange import HttpCall, HttpTask, headers_of, shown
from nbflow.tasks.http.options import HttpOptions
from nbflow.types import JsonValue


@task_type(
    "io.kestra.plugin.core.http.Request",
    aliases=["http", "request"],
    old_names=["io.kestra.core.tasks.http.Request", "io.kestra.plugin.fs.http.Request"],
    examples=[
        Example(
            """
            - id: weather
              type: io.kestra.plugin.core.http.Request
              uri: https://api.example.com/weather
              method: GET
              headers:
                Accept: application/json
            - id: show
              type: log
              message: "{{ json(outputs.weather.body).temperature }} degrees"
            """,
            title="Ask an API.",
            needs="a server that answers",
        ),
        Example(
            """
            id: post
            type: io.kestra.plugin.core.http.Request
            uri: https://api.example.com/orders
            method: POST
            contentType: application/json
            body:
              city: Oslo
            options:
              auth:
                type: BEARER
                token: "{{ secret('TOKEN') }}"
            """,
            title="Send JSON, with a token.",
            needs="a server that takes it",
        ),
    ],
)
class Request(HttpTask):
    """Send an HTTP request and put out the answer; for large ones there is Download."""

    class Output(RunnableTask.Output):
        uri: Text = Field(description="The address that was asked, after redirects.")
        code: int = Field(description="Status code of the answer.")
        headers: dict[str, JsonValue] = Field(description="Headers of the answer, each with a list of values.")
        body: Text | None = Field(
            default=None, description="Body of the answer as text; `json(outputs.id.body)` reads JSON."
        )
        encrypted_body: dict[str, JsonValue] | None = Field(
            default=None, description="The body instead, with `encryptBody`: expressions see its text, the history not."
        )

    encrypt_body: Dynamic[bool] = Field(
        default=False, description="Whether the body is put out as `encryptedBody`, encrypted at rest, instead."
    )

    async def run(self, ctx: RunContext) -> Output:
        uri, code, headers, text = await answer(self, ctx)
        return self.Output(
            uri=uri,
            code=code,
            headers=headers,
            body=None if self.encrypt_body else text,
            encrypted_body=await asyncio.to_thread(ctx.seal, text) if self.encrypt_body else None,
        )


async def answer(call: HttpCall, ctx: RunContext) -> tuple[str, int, dict[str, JsonValue], str]:
    """What a request is answered with: the address after redirects, the status code, headers, and the body as text.

    Raises: TaskFailedError.
    """
    longest = (call.options or HttpOptions()).max_content_length
    async with call.exchange(ctx) as response:
        body = bytearray()
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > longest:
                raise TaskFailedError(
                    f"{call.method.upper()} {shown(call.uri)} answered more than {longest} bytes",
                    hint="use io.kestra.plugin.core.http.Download, or raise `options.maxContentLength`",
                )
        tags = {"request.method": call.method.upper(), "response.code": str(response.status_code)}
        ctx.metric("response.length", len(body), tags=tags)
        text = _text(bytes(body), response.encoding or "utf-8")
        return shown(str(response.url)), response.status_code, headers_of(response), text


def _text(body: bytes, encoding: str) -> str:
    try:
        return body.decode(encoding)
    except (UnicodeDecodeError, LookupError) as cause:
        raise TaskFailedError(
            f"the answer is no text in {encoding}", hint="use io.kestra.plugin.core.http.Download for other content"
        ) from cause

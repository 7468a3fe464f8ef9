"""One question to a model, and its answer; clear words for what goes wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from nbflow.errors import TaskFailedError
from nbflow.plugins import RunContext
from nbflow.tasks.ai.providers import Target
from nbflow.tasks.ai.talking import ChatOutput, ContentSource, Talk, TokenUsage
from nbflow.tasks.ai.wires import Letter, chat_letter, embedding_letter, read_reply, read_vectors
from nbflow.types import JsonValue

_PATIENCE = timedelta(seconds=120)
_AT_ONCE = 96
"""Texts in one request for vectors; Gemini takes 100."""
_EXCERPT = 300


async def chat(
    ctx: RunContext,
    target: Target,
    talk: Talk,
    *,
    timeout: timedelta | None = None,  # noqa: ASYNC109  # how long httpx waits for bytes, not for this function
    sources: Sequence[ContentSource] | None = None,
) -> ChatOutput:
    """Ask a model. Raises: TaskFailedError when it cannot be reached, refuses, or answers no JSON where it should."""
    chosen = talk.configuration
    letter = chat_letter(target, talk)
    if chosen.log_requests:
        ctx.log.debug("to %s: %s", target.service.name, json.dumps(letter.body, ensure_ascii=False))
    began = time.monotonic()
    answer = await _post(target, letter, timeout)
    took = int((time.monotonic() - began) * 1000)
    if chosen.log_responses:
        ctx.log.debug("from %s: %s", target.service.name, json.dumps(answer, ensure_ascii=False))
    try:
        reply = read_reply(target.service.wire, answer)
    except (LookupError, TypeError, AttributeError) as cause:
        raise _unreadable(target, answer) from cause
    count_tokens(ctx, reply.usage)
    parsed = _json_in(reply.text) if chosen.wants_json else None
    return ChatOutput(
        text_output=None if chosen.wants_json else reply.text,
        json_output=parsed,
        completion=reply.text,
        token_usage=reply.usage,
        finish_reason=reply.finish,
        thinking=reply.thinking if chosen.return_thinking else None,
        request_duration=took,
        sources=list(sources) if sources is not None else None,
    )


async def embed(
    target: Target,
    texts: Sequence[str],
    *,
    timeout: timedelta | None = None,  # noqa: ASYNC109  # how long httpx waits for bytes, not for this function
) -> tuple[list[list[float]], TokenUsage]:
    """The vectors of texts, in their order. Raises: TaskFailedError."""
    vectors: list[list[float]] = []
    usage = TokenUsage()
    for start in range(0, len(texts), _AT_ONCE):
        portion = texts[start : start + _AT_ONCE]
        answer = await _post(target, embedding_letter(target, portion), timeout)
        try:
            found, counted = read_vectors(target.service.wire, answer)
        except (LookupError, TypeError, AttributeError) as cause:
            raise _unreadable(target, answer) from cause
        if len(found) != len(portion):
            raise TaskFailedError(f"{target.service.name} gave {len(found)} vectors for {len(portion)} texts")
        vectors += found
        usage += counted
    return vectors, usage


def count_tokens(ctx: RunContext, usage: TokenUsage) -> None:
    """Report how much was read and written."""
    for name, value in (
        ("input.token.count", usage.input_token_count),
        ("output.token.count", usage.output_token_count),
        ("total.token.count", usage.total_token_count),
    ):
        if value is not None:
            ctx.metric(name, value)


async def _post(target: Target, letter: Letter, patience: timedelta | None) -> Any:
    import httpx

    seconds = (patience or _PATIENCE).total_seconds()
    where = f"{target.service.name} ({httpx.URL(letter.url).host})"
    try:
        async with httpx.AsyncClient(timeout=httpx.Timeout(seconds, connect=30.0)) as client:
            response = await client.post(letter.url, json=letter.body, headers=dict(letter.headers))
    except httpx.TimeoutException as cause:
        raise TaskFailedError(f"{where} gave no answer in time", hint="raise the task's `timeout`") from cause
    except (httpx.HTTPError, httpx.InvalidURL) as cause:
        raise TaskFailedError(f"{where} cannot be reached: {cause or type(cause).__name__}") from cause
    if response.status_code >= 400:
        passes = response.status_code in (408, 429) or response.status_code >= 500
        hint = "a `retry` helps when that passes" if passes else ""
        if response.status_code in (401, 403):
            hint = "check `apiKey`"
        raise TaskFailedError(f"{where} answered {response.status_code}: {_complaint(response)}", hint=hint)
    try:
        return response.json()
    except ValueError as cause:
        raise _unreadable(target, response.text) from cause


def _complaint(response: Any) -> str:
    try:
        error = response.json()["error"]
        said = error["message"] if isinstance(error, dict) else error
    except (ValueError, LookupError, TypeError):
        said = response.text or response.reason_phrase
    return " ".join(str(said)[:_EXCERPT].split())


def _unreadable(target: Target, answer: object) -> TaskFailedError:
    shown = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    return TaskFailedError(
        f"{target.service.name} answered something else than expected: {shown[:_EXCERPT]}",
        hint="check `baseUrl` and `type` of the provider",
    )


def _json_in(text: str) -> JsonValue:
    """The JSON of an answer; models like to put it between fences."""
    bare = text.strip().removeprefix("```json").removeprefix("```").removesuffix("```")
    try:
        parsed: JsonValue = json.loads(bare)
    except ValueError as cause:
        raise TaskFailedError(
            f"the answer is no JSON: {text[:_EXCERPT]!r}", hint="say in the prompt what it has to hold"
        ) from cause
    return parsed

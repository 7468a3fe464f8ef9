"""How each provider wants to be asked, and how its answers read. Plain values in, plain values out; no network.

Source: the providers' REST references (OpenAI chat completions and embeddings, Gemini generateContent and
batchEmbedContents, Anthropic messages, Ollama chat and embed, Azure OpenAI).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbflow.tasks.ai.providers import Target, Wire
from nbflow.tasks.ai.talking import FinishReason, Reply, Role, Talk, TokenUsage

_AZURE_VERSION = "2024-10-21"
_ANTHROPIC_VERSION = "2023-06-01"
_ANTHROPIC_LONGEST = 4096
"""Tokens; Anthropic wants a limit to be said."""

_FINISHES = {
    "stop": FinishReason.STOP,
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_EXECUTION,
    "tool_use": FinishReason.TOOL_EXECUTION,
    "content_filter": FinishReason.CONTENT_FILTER,
    "safety": FinishReason.CONTENT_FILTER,
    "refusal": FinishReason.CONTENT_FILTER,
}


@dataclass(frozen=True, slots=True)
class Letter:
    """A request: POST `body` as JSON to `url`."""

    url: str
    body: dict[str, Any]  # Any: JSON of many shapes, built here and sent on
    headers: Mapping[str, str]


def chat_letter(target: Target, talk: Talk) -> Letter:
    """The request for an answer."""
    match target.service.wire:
        case Wire.GEMINI:
            return Letter(
                f"{target.base}/models/{_bare(target.model)}:generateContent", _gemini_chat(talk), _headers(target)
            )
        case Wire.ANTHROPIC:
            return Letter(f"{target.base}/messages", _anthropic_chat(target, talk), _headers(target))
        case Wire.OLLAMA:
            return Letter(f"{target.base}/api/chat", _ollama_chat(target, talk), _headers(target))
    return Letter(_openai_url(target, "chat/completions"), _openai_chat(target, talk), _headers(target))


def embedding_letter(target: Target, texts: Sequence[str]) -> Letter:
    """The request for vectors."""
    match target.service.wire:
        case Wire.GEMINI:
            return Letter(
                f"{target.base}/models/{_bare(target.model)}:batchEmbedContents",
                {"requests": [_gemini_text(target, text) for text in texts]},
                _headers(target),
            )
        case Wire.OLLAMA:
            return Letter(f"{target.base}/api/embed", {"model": target.model, "input": list(texts)}, _headers(target))
    body = {"model": target.model, "input": list(texts)}
    return Letter(_openai_url(target, "embeddings"), body, _headers(target))


def read_reply(wire: Wire, answer: Any) -> Reply:
    """What a model has answered. Raises: LookupError, TypeError for an answer of another shape."""
    match wire:
        case Wire.GEMINI:
            return _read_gemini(answer)
        case Wire.ANTHROPIC:
            parts = answer["content"]
            usage = answer.get("usage", {})
            return Reply(
                "".join(part["text"] for part in parts if part["type"] == "text"),
                TokenUsage.of(usage.get("input_tokens"), usage.get("output_tokens")),
                _finish(answer.get("stop_reason")),
                "".join(part["thinking"] for part in parts if part["type"] == "thinking") or None,
            )
        case Wire.OLLAMA:
            message = answer["message"]
            return Reply(
                message["content"],
                TokenUsage.of(answer.get("prompt_eval_count"), answer.get("eval_count")),
                _finish(answer.get("done_reason")),
                message.get("thinking"),
            )
    choice = answer["choices"][0]
    usage = answer.get("usage") or {}
    return Reply(
        choice["message"].get("content") or "",
        TokenUsage.of(usage.get("prompt_tokens"), usage.get("completion_tokens"), usage.get("total_tokens")),
        _finish(choice.get("finish_reason")),
        choice["message"].get("reasoning_content"),
    )


def read_vectors(wire: Wire, answer: Any) -> tuple[list[list[float]], TokenUsage]:
    """The vectors, in the order of the texts. Raises: LookupError, TypeError for an answer of another shape."""
    if wire is Wire.GEMINI:
        return [item["values"] for item in answer["embeddings"]], TokenUsage()
    if wire is Wire.OLLAMA:
        return answer["embeddings"], TokenUsage.of(answer.get("prompt_eval_count"))
    usage = answer.get("usage") or {}
    ordered = sorted(answer["data"], key=lambda item: item.get("index", 0))
    vectors = [item["embedding"] for item in ordered]
    return vectors, TokenUsage.of(usage.get("prompt_tokens"), None, usage.get("total_tokens"))


def _headers(target: Target) -> dict[str, str]:
    if not target.key:
        return {}
    match target.service.wire:
        case Wire.GEMINI:
            return {"x-goog-api-key": target.key}
        case Wire.ANTHROPIC:
            return {"x-api-key": target.key, "anthropic-version": _ANTHROPIC_VERSION}
        case Wire.AZURE:
            return {"api-key": target.key}
    return {"Authorization": f"Bearer {target.key}"}


def _openai_url(target: Target, path: str) -> str:
    if target.service.wire is Wire.AZURE:
        version = target.provider.service_version or _AZURE_VERSION
        return f"{target.base}/openai/deployments/{target.model}/{path}?api-version={version}"
    return f"{target.base}/{path}"


def _openai_chat(target: Target, talk: Talk) -> dict[str, Any]:
    chosen = talk.configuration
    roles = {Role.SYSTEM: "system", Role.USER: "user", Role.AI: "assistant"}
    messages = [{"role": roles[role], "content": text} for role, text in talk.messages]
    if talk.system:
        messages.insert(0, {"role": "system", "content": talk.system})
    # OpenAI's newer models refuse `max_tokens`, those who copy its API know no other name.
    longest = "max_completion_tokens" if target.service.name in ("OpenAI", "AzureOpenAI") else "max_tokens"
    body: dict[str, Any] = {
        "model": target.model,
        "messages": messages,
        "temperature": chosen.temperature,
        "top_p": chosen.top_p,
        "seed": chosen.seed,
        longest: chosen.max_token,
    }
    if chosen.wants_json:
        schema = chosen.schema_of_answer
        body["response_format"] = {"type": "json_object"}
        if schema is not None and chosen.response_format is not None:
            named: dict[str, Any] = {"name": str(schema.get("title") or "answer"), "schema": schema}
            if chosen.response_format.json_schema_description:
                named["description"] = chosen.response_format.json_schema_description
            named["strict"] = chosen.response_format.strict_json
            body["response_format"] = {"type": "json_schema", "json_schema": named}
    return _without_none(body)


def _gemini_chat(talk: Talk) -> dict[str, Any]:
    chosen = talk.configuration
    instructions = [talk.system, *(text for role, text in talk.messages if role is Role.SYSTEM)]
    thinking = {
        "thinkingBudget": 0 if chosen.thinking_enabled is False else chosen.thinking_budget_tokens,
        "includeThoughts": chosen.return_thinking,
    }
    generation = {
        "temperature": chosen.temperature,
        "topP": chosen.top_p,
        "topK": chosen.top_k,
        "seed": chosen.seed,
        "maxOutputTokens": chosen.max_token,
        "responseMimeType": "application/json" if chosen.wants_json else None,
        "responseJsonSchema": chosen.schema_of_answer,
        "thinkingConfig": _without_none(thinking) or None,
    }
    roles = {Role.USER: "user", Role.AI: "model"}
    body: dict[str, Any] = {
        "contents": [
            {"role": roles[role], "parts": [{"text": text}]} for role, text in talk.messages if role is not Role.SYSTEM
        ],
        "generationConfig": _without_none(generation) or None,
    }
    if any(instructions):
        body["systemInstruction"] = {"parts": [{"text": text} for text in instructions if text]}
    return _without_none(body)


def _gemini_text(target: Target, text: str) -> dict[str, Any]:
    chosen = target.provider.embedding_model_configuration
    body = {
        "model": f"models/{_bare(target.model)}",
        "content": {"parts": [{"text": text}]},
        "taskType": chosen.task_type if chosen else None,
        "outputDimensionality": chosen.output_dimensionality if chosen else None,
    }
    return _without_none(body)


def _anthropic_chat(target: Target, talk: Talk) -> dict[str, Any]:
    chosen = talk.configuration
    instructions = [talk.system, *(text for role, text in talk.messages if role is Role.SYSTEM)]
    if chosen.wants_json:
        instructions.append("Answer with one JSON value and nothing else.")
        if chosen.schema_of_answer is not None:
            instructions.append(f"It has to meet this JSON Schema: {json.dumps(chosen.schema_of_answer)}")
    roles = {Role.USER: "user", Role.AI: "assistant"}
    body: dict[str, Any] = {
        "model": target.model,
        "max_tokens": chosen.max_token or target.provider.max_tokens or _ANTHROPIC_LONGEST,
        "system": "\n\n".join(text for text in instructions if text) or None,
        "messages": [{"role": roles[role], "content": text} for role, text in talk.messages if role is not Role.SYSTEM],
        "temperature": chosen.temperature,
        "top_p": chosen.top_p,
        "top_k": chosen.top_k,
    }
    if chosen.thinking_enabled:
        body["thinking"] = {"type": "enabled", "budget_tokens": chosen.thinking_budget_tokens or 1024}
    return _without_none(body)


def _ollama_chat(target: Target, talk: Talk) -> dict[str, Any]:
    chosen = talk.configuration
    roles = {Role.SYSTEM: "system", Role.USER: "user", Role.AI: "assistant"}
    said = [(Role.SYSTEM, talk.system), *talk.messages] if talk.system else talk.messages
    options = {
        "temperature": chosen.temperature,
        "top_k": chosen.top_k,
        "top_p": chosen.top_p,
        "seed": chosen.seed,
        "num_predict": chosen.max_token,
    }
    body: dict[str, Any] = {
        "model": target.model,
        "messages": [{"role": roles[role], "content": text} for role, text in said],
        "stream": False,
        "options": _without_none(options) or None,
        "format": (chosen.schema_of_answer or "json") if chosen.wants_json else None,
        "think": chosen.thinking_enabled,
    }
    return _without_none(body)


def _read_gemini(answer: Any) -> Reply:
    usage = answer.get("usageMetadata", {})
    counted = TokenUsage.of(
        usage.get("promptTokenCount"), usage.get("candidatesTokenCount"), usage.get("totalTokenCount")
    )
    if not answer.get("candidates"):  # the question itself was refused
        return Reply("", counted, FinishReason.CONTENT_FILTER)
    candidate = answer["candidates"][0]
    parts = candidate.get("content", {}).get("parts", [])
    thoughts = "".join(part.get("text", "") for part in parts if part.get("thought"))
    text = "".join(part.get("text", "") for part in parts if not part.get("thought"))
    return Reply(text, counted, _finish(candidate.get("finishReason")), thoughts or None)


def _finish(reason: object) -> FinishReason:
    return _FINISHES.get(str(reason).lower(), FinishReason.OTHER)


def _bare(model: str) -> str:
    return model.removeprefix("models/")


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}

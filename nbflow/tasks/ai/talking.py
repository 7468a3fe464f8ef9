"""What is said to a model and what comes back, in the same words for every provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import Field, field_validator

from nbflow.plugins import Dynamic, Model, RunnableTask, Text
from nbflow.types import JsonValue


class Role(StrEnum):
    """Who says something."""

    SYSTEM = "SYSTEM"
    AI = "AI"
    USER = "USER"


class FinishReason(StrEnum):
    """Why an answer ends."""

    STOP = "STOP"
    LENGTH = "LENGTH"
    TOOL_EXECUTION = "TOOL_EXECUTION"
    CONTENT_FILTER = "CONTENT_FILTER"
    OTHER = "OTHER"


class ResponseFormatType(StrEnum):
    """What an answer is."""

    TEXT = "TEXT"
    JSON = "JSON"


class ChatMessage(Model):
    """One message of a chat."""

    type: Dynamic[Role] = Field(default=Role.USER, description="Who says it: SYSTEM, USER or AI.")
    content: Dynamic[Text] = Field(description="What is said.")

    @field_validator("type", mode="before")
    @classmethod
    def _other_words(cls, value: object) -> object:
        if not isinstance(value, str) or "{" in value:
            return value
        return {"ASSISTANT": "AI"}.get(value.upper(), value.upper())


class ResponseFormat(Model):
    """What an answer has to be."""

    type: Dynamic[ResponseFormatType] = Field(default=ResponseFormatType.TEXT, description="TEXT or JSON.")
    json_schema: Dynamic[dict[str, JsonValue]] | None = Field(
        default=None, description="JSON Schema that the answer has to meet, with JSON."
    )
    json_schema_description: Dynamic[Text] | None = Field(default=None, description="What the schema is for.")
    strict_json: Dynamic[bool] = Field(default=False, description="Whether the provider enforces the schema.")


class ChatConfiguration(Model):
    """How a model answers; what is not set is left to the provider."""

    temperature: Dynamic[float] | None = Field(default=None, description="0 for always the likeliest words.")
    top_k: Dynamic[int] | None = Field(default=None, description="Words to choose from.")
    top_p: Dynamic[float] | None = Field(default=None, description="Share of likelihood to choose words from.")
    seed: Dynamic[int] | None = Field(default=None, description="Makes answers repeatable, where providers can.")
    max_token: Dynamic[int] | None = Field(default=None, description="Longest answer, in tokens.")
    response_format: Dynamic[ResponseFormat] | None = Field(default=None, description="What an answer has to be.")
    thinking_enabled: Dynamic[bool] | None = Field(default=None, description="Whether the model thinks first.")
    thinking_budget_tokens: Dynamic[int] | None = Field(default=None, description="Tokens to think with at most.")
    return_thinking: Dynamic[bool] | None = Field(default=None, description="Whether to put out what it thought.")
    prompt_caching: Dynamic[bool] | None = Field(default=None, description="Accepted; providers cache by themselves.")
    log_requests: Dynamic[bool] = Field(default=False, description="Whether to log what is sent, at DEBUG.")
    log_responses: Dynamic[bool] = Field(default=False, description="Whether to log what comes back, at DEBUG.")

    @property
    def wants_json(self) -> bool:
        """Whether an answer has to be JSON."""
        return self.response_format is not None and self.response_format.type is ResponseFormatType.JSON

    @property
    def schema_of_answer(self) -> dict[str, JsonValue] | None:
        """The schema an answer has to meet, if there is one."""
        return self.response_format.json_schema if self.response_format and self.wants_json else None


class TokenUsage(Model):
    """How much was read and written."""

    input_token_count: int | None = Field(default=None, description="Tokens sent.")
    output_token_count: int | None = Field(default=None, description="Tokens that came back.")
    total_token_count: int | None = Field(default=None, description="Both.")

    @classmethod
    def of(cls, read: object, written: object = None, total: object = None) -> TokenUsage:
        """From what an answer says, if it does."""
        sent, back, both = (value if isinstance(value, int) else None for value in (read, written, total))
        if both is None and sent is not None:
            both = sent + (back or 0)
        return cls(input_token_count=sent, output_token_count=back, total_token_count=both)

    def __add__(self, other: TokenUsage) -> TokenUsage:
        def plus(name: str) -> int | None:
            values = [value for value in (getattr(self, name), getattr(other, name)) if value is not None]
            return sum(values) if values else None

        return TokenUsage(**{name: plus(name) for name in TokenUsage.model_fields})


class ContentSource(Model):
    """A piece of a document that an answer rests on."""

    content: str = Field(description="The text.")
    metadata: dict[str, JsonValue] = Field(default_factory=dict, description="Where it is from.")


class ChatOutput(RunnableTask.Output):
    """What a model has answered."""

    text_output: Text | None = Field(default=None, description="The answer, unless it is JSON.")
    json_output: JsonValue = Field(default=None, description="The answer, with the response format JSON.")
    completion: Text | None = Field(default=None, description="The answer as text; older form of `textOutput`.")
    token_usage: TokenUsage = Field(description="How much was read and written.")
    finish_reason: FinishReason = Field(description="Why the answer ends.")
    thinking: Text | None = Field(default=None, description="What the model thought, with `returnThinking`.")
    request_duration: int = Field(description="How long it took, in milliseconds.")
    sources: list[ContentSource] | None = Field(default=None, description="The pieces it was given to answer from.")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model has answered, read from a provider's JSON."""

    text: str
    usage: TokenUsage
    finish: FinishReason
    thinking: str | None = None


@dataclass(frozen=True, slots=True)
class Talk:
    """What is said to a model: instructions first, then messages in turn."""

    messages: Sequence[tuple[Role, str]]
    system: str = ""
    configuration: ChatConfiguration = field(default_factory=ChatConfiguration)

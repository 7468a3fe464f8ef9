"""Who runs the models: their names, addresses and keys, and what is taken when a task names none."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from pydantic import AliasChoices, Field, model_validator

from nbflow.errors import TaskFailedError, TemplateError
from nbflow.nearest import did_you_mean
from nbflow.plugins import Dynamic, Model, RunContext, Text

_PACKAGE = "io.kestra.plugin.ai.provider."


class Wire(StrEnum):
    """How requests and answers are shaped; many providers share OpenAI's way."""

    OPENAI = "openai"
    AZURE = "azure"
    GEMINI = "gemini"
    ANTHROPIC = "anthropic"
    OLLAMA = "ollama"


@dataclass(frozen=True, slots=True)
class Service:
    """A provider: how it is spoken to, where, with whose key, and which models are taken unless named."""

    name: str
    wire: Wire
    base: str = ""
    key: str = ""
    """Name of the secret or environment variable with the key; empty when none is needed."""
    chat_model: str = ""
    embedding_model: str = ""
    short: str = ""


SERVICES = {
    service.name: service
    for service in (
        Service(
            "OpenAI",
            Wire.OPENAI,
            "https://api.openai.com/v1",
            "OPENAI_API_KEY",
            "gpt-4o-mini",
            "text-embedding-3-small",
            "openai",
        ),
        Service(
            "GoogleGemini",
            Wire.GEMINI,
            "https://generativelanguage.googleapis.com/v1beta",
            "GEMINI_API_KEY",
            "gemini-2.5-flash",
            "gemini-embedding-001",
            "gemini",
        ),
        Service(
            "Anthropic",
            Wire.ANTHROPIC,
            "https://api.anthropic.com/v1",
            "ANTHROPIC_API_KEY",
            "claude-sonnet-4-5",
            "",
            "anthropic",
        ),
        Service(
            "MistralAI",
            Wire.OPENAI,
            "https://api.mistral.ai/v1",
            "MISTRAL_API_KEY",
            "mistral-small-latest",
            "mistral-embed",
            "mistral",
        ),
        Service("OpenRouter", Wire.OPENAI, "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", short="openrouter"),
        Service(
            "DeepSeek", Wire.OPENAI, "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", "deepseek-chat", "", "deepseek"
        ),
        Service("HuggingFace", Wire.OPENAI, "https://router.huggingface.co/v1", "HF_TOKEN", short="huggingface"),
        Service("GitHubModels", Wire.OPENAI, "https://models.inference.ai.azure.com", "GITHUB_TOKEN", short="github"),
        Service("LocalAI", Wire.OPENAI, "http://localhost:8080/v1", short="localai"),
        Service("Ollama", Wire.OLLAMA, "http://localhost:11434", short="ollama"),
        Service("AzureOpenAI", Wire.AZURE, "", "AZURE_OPENAI_API_KEY", short="azure"),
    )
}
_BY_SHORT_NAME = {service.short: service for service in SERVICES.values()}


class Provider(Model):
    """Who runs a model, which one, and with whose key."""

    type: Text = Field(
        description="OpenAI, GoogleGemini, Anthropic, MistralAI, OpenRouter, DeepSeek, HuggingFace, GitHubModels, "
        "LocalAI, Ollama or AzureOpenAI, with `io.kestra.plugin.ai.provider.` in front or in lower case."
    )
    model_name: Dynamic[Text] | None = Field(
        default=None, description="The model; one that suits the task unless said, where the provider has such."
    )
    api_key: Dynamic[Text] | None = Field(
        default=None,
        validation_alias=AliasChoices("apiKey", "gitHubToken"),
        description="Key; the secret or environment variable such as OPENAI_API_KEY unless said.",
    )
    base_url: Dynamic[Text] | None = Field(
        default=None,
        validation_alias=AliasChoices("baseUrl", "endpoint"),
        description="Address of the service, for another than the provider's own.",
    )
    service_version: Dynamic[Text] | None = Field(default=None, description="Version of the API, for AzureOpenAI.")
    max_tokens: Dynamic[int] | None = Field(default=None, description="Longest answer in tokens, for Anthropic.")
    embedding_model_configuration: Dynamic[EmbeddingModelConfiguration] | None = Field(
        default=None, description="How texts become vectors, for GoogleGemini."
    )

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        if find_service(self.type) is None:
            names = [*SERVICES, *_BY_SHORT_NAME]
            advice = did_you_mean(self.type.removeprefix(_PACKAGE), names) or f"there are {', '.join(SERVICES)}"
            raise ValueError(f"there is no provider `{self.type}`: {advice}")
        return self

    @property
    def service(self) -> Service:
        """What is known of the provider."""
        found = find_service(self.type)
        assert found is not None  # checked when the flow was read
        return found


class EmbeddingModelConfiguration(Model):
    """How texts become vectors, for GoogleGemini."""

    title_metadata_key: Dynamic[Text] | None = Field(default=None, description="Metadata key with a document's title.")
    task_type: Dynamic[Text] | None = Field(
        default=None, description="What the vectors are for, such as RETRIEVAL_DOCUMENT."
    )
    output_dimensionality: Dynamic[int] | None = Field(default=None, description="Numbers in a vector.")
    max_retries: Dynamic[int] | None = Field(default=None, description="Accepted; a `retry` of the task does this.")
    timeout: Dynamic[Text] | None = Field(default=None, description="Accepted; the task's `timeout` does this.")


Provider.model_rebuild()


@dataclass(frozen=True, slots=True)
class Target:
    """Where one request goes: everything known, nothing left to look up."""

    service: Service
    base: str
    model: str
    key: str | None
    provider: Provider


def find_service(name: str) -> Service | None:
    """The provider of a `type`, in whichever spelling."""
    return SERVICES.get(name.removeprefix(_PACKAGE)) or _BY_SHORT_NAME.get(name.lower())


def chat_target(ctx: RunContext, provider: Provider | None) -> Target:
    """Where to chat. Raises: TaskFailedError when no provider, model or key is set."""
    return _target(ctx, provider, "NBFLOW_AI_MODEL", lambda service: service.chat_model)


def embedding_target(ctx: RunContext, provider: Provider | None) -> Target:
    """Where to have texts made into vectors. Raises: TaskFailedError when no provider, model or key is set."""
    target = _target(ctx, provider, "NBFLOW_AI_EMBEDDING_MODEL", lambda service: service.embedding_model)
    if target.service.wire is Wire.ANTHROPIC:
        raise TaskFailedError("Anthropic has no models for embeddings", hint="name another `provider` for these")
    return target


def _target(ctx: RunContext, provider: Provider | None, variable: str, model: Callable[[Service], str]) -> Target:
    chosen = provider or _provider_of_environment(ctx)
    service = chosen.service
    # What the environment says belongs to the provider it names.
    named = chosen.model_name or (None if provider else setting(ctx, variable)) or model(service)
    if not named:
        also = "" if provider else f", or {variable}"
        raise TaskFailedError(f"no model of {service.name} is named", hint=f"set `modelName` of the provider{also}")
    key = chosen.api_key or (setting(ctx, service.key) if service.key else None)
    if service.key and not key:
        raise TaskFailedError(
            f"there is no key for {service.name}", hint=f"set `apiKey` of the provider, or the secret {service.key}"
        )
    base = (chosen.base_url or (None if provider else setting(ctx, "NBFLOW_AI_BASE_URL")) or service.base).rstrip("/")
    if not base:
        raise TaskFailedError(f"{service.name} has no address of its own", hint="set `endpoint` of the provider")
    return Target(service, base, named, key, chosen)


def _provider_of_environment(ctx: RunContext) -> Provider:
    """The provider to take when a task names none."""
    named = setting(ctx, "NBFLOW_AI_PROVIDER")
    if named:
        if find_service(named) is None:
            raise TaskFailedError(
                f"NBFLOW_AI_PROVIDER is `{named}`, and there is no such provider",
                hint=did_you_mean(named, [*SERVICES, *_BY_SHORT_NAME]) or f"there are {', '.join(SERVICES)}",
            )
        return Provider(type=named)
    for service in SERVICES.values():
        if service.key and service.chat_model and setting(ctx, service.key):
            return Provider(type=service.name)
    raise TaskFailedError(
        "no provider of language models is set",
        hint="set `provider` in the task, or in `pluginDefaults` for io.kestra.plugin.ai; or a secret or environment "
        "variable such as OPENAI_API_KEY, GEMINI_API_KEY or ANTHROPIC_API_KEY; or NBFLOW_AI_PROVIDER: ollama",
    )


def setting(ctx: RunContext, name: str) -> str | None:
    """What the secrets of the namespace, else the environment, have under a name."""
    try:
        return ctx.secret(name)
    except TemplateError:
        return os.environ.get(name) or None

"""Every provider is asked in its own way, and answers in the same words."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from nbflow.engine import Engine
from nbflow.errors import FlowValidationError
from nbflow.tasks.ai.completion import ChatCompletion
from nbflow.tasks.ai.providers import Provider
from nbflow.tasks.ai.talking import ChatConfiguration, ChatMessage, ResponseFormat, Role
from nbflow.testing import run_task
from tests.tasks.ai.conftest import Models
from tests.tasks.conftest import RunTasks, messages

_P = "io.kestra.plugin.ai.provider."
OPENAI = {"model": "m", "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]}

WAYS: list[tuple[str, str, dict[str, str], dict[str, Any]]] = [
    (
        "OpenAI",
        "/chat/completions",
        {"authorization": "Bearer k"},
        {**OPENAI, "temperature": 0.5, "top_p": 0.9, "seed": 1, "max_completion_tokens": 9},
    ),
    (
        "MistralAI",
        "/chat/completions",
        {"authorization": "Bearer k"},
        {**OPENAI, "temperature": 0.5, "top_p": 0.9, "seed": 1, "max_tokens": 9},
    ),
    (
        "AzureOpenAI",
        "/openai/deployments/m/chat/completions?api-version=2024-10-21",
        {"api-key": "k"},
        {**OPENAI, "temperature": 0.5, "top_p": 0.9, "seed": 1, "max_completion_tokens": 9},
    ),
    (
        "GoogleGemini",
        "/models/m:generateContent",
        {"x-goog-api-key": "k"},
        {
            "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "generationConfig": {"temperature": 0.5, "topP": 0.9, "topK": 5, "seed": 1, "maxOutputTokens": 9},
        },
    ),
    (
        "Anthropic",
        "/messages",
        {"x-api-key": "k", "anthropic-version": "2023-06-01"},
        {
            "model": "m",
            "max_tokens": 9,
            "system": "Be brief.",
            "messages": [{"role": "user", "content": "Hi"}],
            "temperature": 0.5,
            "top_p": 0.9,
            "top_k": 5,
        },
    ),
    (
        "Ollama",
        "/api/chat",
        {},
        {
            **OPENAI,
            "stream": False,
            "options": {"temperature": 0.5, "top_k": 5, "top_p": 0.9, "seed": 1, "num_predict": 9},
        },
    ),
]


@pytest.mark.parametrize(("name", "path", "headers", "body"), WAYS, ids=[way[0] for way in WAYS])
def test_each_provider_is_asked_in_its_own_way(
    models: Models, name: str, path: str, headers: dict[str, str], body: dict[str, Any]
) -> None:
    task = ChatCompletion(
        id="chat",
        provider=Provider(type=_P + name, base_url=models.url, api_key="k", model_name="m"),
        messages=[ChatMessage(type=Role.SYSTEM, content="Be brief."), ChatMessage(content="Hi")],
        configuration=ChatConfiguration(temperature=0.5, top_p=0.9, top_k=5, seed=1, max_token=9),
    )
    result = run_task(task)
    assert result.state == "SUCCESS", result.messages
    asked_path, asked_headers, asked_body = models.asked[0]
    assert (asked_path, asked_body) == (path, body)
    assert {name: asked_headers.get(name) for name in headers} == headers
    outputs = result.outputs
    assert outputs["textOutput"] == outputs["completion"] == outputs["aiResponse"] == "Hi"
    assert outputs["finishReason"] == ("LENGTH" if name == "Ollama" else "STOP")
    usage = {"inputTokenCount": 3, "outputTokenCount": 4, "totalTokenCount": 9 if name == "GoogleGemini" else 7}
    assert outputs["tokenUsage"] == usage
    assert isinstance(outputs["requestDuration"], int)


def test_the_short_form_takes_a_prompt_and_the_provider_of_plugin_defaults(models: Models, run_tasks: RunTasks) -> None:
    execution = run_tasks(
        """
        - id: ai_response
          type: io.kestra.plugin.ai.ChatCompletion
          prompt: "Which features were released in Kestra 1.1?"
        """,
        more=f"""
        pluginDefaults:
          - type: io.kestra.plugin.ai
            values:
              provider: {{type: openai, baseUrl: "{models.url}", modelName: m, apiKey: k}}
        """,
    )
    assert execution.state == "SUCCESS", messages(execution)
    assert execution.task_runs["ai_response"].outputs["textOutput"] == "Which features were released in Kestra 1.1?"


def test_the_form_of_the_lessons_takes_its_key_from_the_kv_store(models: Models, run_tasks: RunTasks) -> None:
    execution = run_tasks(f"""
        - {{id: key, type: kv_set, key: GEMINI_API_KEY, value: k-1}}
        - id: chat
          type: io.kestra.plugin.ai.completion.ChatCompletion
          provider:
            type: io.kestra.plugin.ai.provider.GoogleGemini
            modelName: gemini-2.5-flash
            apiKey: "{{{{ kv('GEMINI_API_KEY') }}}}"
            baseUrl: {models.url}
          messages:
            - type: USER
              content: "From {{{{ flow.id }}}}?"
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert models.asked[0][:2] == ("/models/gemini-2.5-flash:generateContent", models.asked[0][1])
    assert models.asked[0][1]["x-goog-api-key"] == "k-1"
    assert execution.task_runs["chat"].outputs["textOutput"] == "From flow?"


def test_the_environment_names_the_provider(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBFLOW_AI_PROVIDER", "openai")
    monkeypatch.setenv("NBFLOW_AI_BASE_URL", models.url)
    monkeypatch.setenv("NBFLOW_AI_MODEL", "mine")
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    assert run_task(ChatCompletion(id="chat", prompt="Hi")).outputs["textOutput"] == "Hi"
    monkeypatch.setenv("SECRET_OPENAI_API_KEY", base64.b64encode(b"from-secret").decode())
    run_task(ChatCompletion(id="chat", prompt="Hi"))
    assert [asked[1]["authorization"] for asked in models.asked] == ["Bearer from-environment", "Bearer from-secret"]
    assert models.asked[0][2]["model"] == "mine"


def test_without_a_provider_the_message_says_how_to_name_one(models: Models) -> None:
    said = run_task(ChatCompletion(id="chat", prompt="Hi")).messages[-1]
    assert said.startswith("no provider of language models is set (set `provider` in the task, or in `pluginDefaults`")


@pytest.mark.parametrize(
    ("provider", "message"),
    [
        ({"type": "openai"}, "there is no key for OpenAI (set `apiKey` of the provider, or the secret OPENAI_API_KEY)"),
        ({"type": "ollama"}, "no model of Ollama is named (set `modelName` of the provider)"),
        (
            {"type": "azure", "api_key": "k", "model_name": "m"},
            "AzureOpenAI has no address of its own (set `endpoint` of the provider)",
        ),
    ],
)
def test_what_is_missing_is_named(models: Models, provider: dict[str, str], message: str) -> None:
    assert run_task(ChatCompletion(id="chat", prompt="Hi", provider=Provider(**provider))).messages[-1] == message


def test_an_unknown_provider_is_refused_with_the_nearest_name(engine: Engine) -> None:
    with pytest.raises(FlowValidationError) as refused:
        engine.deploy(f"""
id: f
namespace: n
tasks:
  - id: chat
    type: io.kestra.plugin.ai.completion.ChatCompletion
    prompt: Hi
    provider:
      type: {_P}GoogleGemni
""")
    (problem,) = refused.value.problems
    assert "did you mean `GoogleGemini`?" in problem.message
    assert problem.path.startswith("tasks[0].provider")


def test_a_refusal_is_repeated_without_the_key(models: Models) -> None:
    models.refuses = 401, {"error": {"message": "Incorrect API key provided"}}
    provider = Provider(type="openai", base_url=models.url, api_key="very-secret")
    result = run_task(ChatCompletion(id="chat", prompt="Hi", provider=provider))
    assert result.messages[-1] == "OpenAI (127.0.0.1) answered 401: Incorrect API key provided (check `apiKey`)"
    models.refuses = 429, b"slow down"
    result = run_task(ChatCompletion(id="chat", prompt="Hi", provider=provider))
    assert result.messages[-1] == "OpenAI (127.0.0.1) answered 429: slow down (a `retry` helps when that passes)"
    models.refuses = 200, {"hello": "world"}
    result = run_task(ChatCompletion(id="chat", prompt="Hi", provider=provider))
    assert result.messages[-1] == (
        'OpenAI answered something else than expected: {"hello": "world"} (check `baseUrl` and `type` of the provider)'
    )
    assert not any("very-secret" in message for message in result.messages)


SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        (
            "OpenAI",
            ["response_format"],
            {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": False}},
        ),
        ("GoogleGemini", ["generationConfig"], {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}),
        ("Ollama", ["format"], SCHEMA),
    ],
)
def test_json_is_asked_for_and_read(models: Models, name: str, path: list[str], expected: object) -> None:
    models.says = '```json\n{"n": 5}\n```'
    task = ChatCompletion(
        id="chat",
        provider=Provider(type=name, base_url=models.url, api_key="k", model_name="m"),
        prompt="How many?",
        configuration=ChatConfiguration(response_format=ResponseFormat(type="JSON", json_schema=SCHEMA)),
    )
    result = run_task(task)
    assert result.outputs["jsonOutput"] == {"n": 5}
    assert "textOutput" not in result.outputs
    assert models.asked[0][2][path[0]] == expected
    models.says = "five"
    assert run_task(task).messages[-1] == "the answer is no JSON: 'five' (say in the prompt what it has to hold)"


def test_thoughts_are_put_out_when_wanted(models: Models) -> None:
    provider = Provider(type="gemini", base_url=models.url, api_key="k")
    wanted = ChatConfiguration(return_thinking=True, thinking_enabled=True, thinking_budget_tokens=10)
    result = run_task(ChatCompletion(id="chat", prompt="Hi", provider=provider, configuration=wanted))
    assert (result.outputs["thinking"], result.outputs["textOutput"]) == ("hm", "Hi")
    assert models.asked[0][2]["generationConfig"]["thinkingConfig"] == {"thinkingBudget": 10, "includeThoughts": True}

"""The task type that asks a language model."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.ai.models import chat
from nbflow.tasks.ai.providers import Provider, chat_target
from nbflow.tasks.ai.talking import ChatConfiguration, ChatMessage, ChatOutput, Role, Talk


@task_type(
    "io.kestra.plugin.ai.completion.ChatCompletion",
    aliases=["io.kestra.plugin.ai.ChatCompletion", "chat"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.ai.completion.ChatCompletion
            provider:
              type: io.kestra.plugin.ai.provider.GoogleGemini
              modelName: gemini-2.5-flash
              apiKey: "{{ secret('GEMINI_API_KEY') }}"
            configuration:
              temperature: 0
            messages:
              - type: SYSTEM
                content: You answer in one sentence.
              - type: USER
                content: What is a workflow?
            """,
            title="A chat with a system message",
            needs="a key for Gemini",
        ),
        Example(
            """
            type: io.kestra.plugin.ai.ChatCompletion
            prompt: "Which taxi data does {{ flow.id }} load?"
            """,
            title="One question, to the provider of the environment",
            needs="a key for a provider",
        ),
    ],
)
class ChatCompletion(RunnableTask):
    """Ask a language model."""

    class Output(ChatOutput):
        ai_response: Text | None = Field(default=None, description="The answer as text; older form of `textOutput`.")

    messages: Dynamic[list[ChatMessage]] = Field(default_factory=list, description="What is said, in turn.")
    prompt: Dynamic[Text] | None = Field(default=None, description="One question, after the messages if there are any.")
    system_message: Dynamic[Text] | None = Field(default=None, description="How the model is to behave.")
    provider: Dynamic[Provider] | None = Field(
        default=None, description="Who runs the model; what secrets or the environment name unless said."
    )
    configuration: Dynamic[ChatConfiguration] = Field(
        default_factory=ChatConfiguration, description="How the model answers."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.messages and self.prompt is None:
            raise ValueError("it says nothing: write `messages` or `prompt`")
        return self

    async def run(self, ctx: RunContext) -> Output:
        said = [(message.type, message.content) for message in self.messages]
        if self.prompt is not None:
            said.append((Role.USER, self.prompt))
        talk = Talk(said, self.system_message or "", self.configuration)
        answer = await chat(ctx, chat_target(ctx, self.provider), talk, timeout=self.timeout_after)
        return self.Output(ai_response=answer.completion, **dict(answer))

"""Task types that answer from documents: take them in, look pieces up, and ask a model with these at hand."""

from __future__ import annotations

import asyncio
from enum import StrEnum

from pydantic import Field, NonNegativeFloat, PositiveInt

from nbflow.plugins import Dynamic, Example, Model, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.ai.chunks import Document, DocumentSplitter, cut
from nbflow.tasks.ai.documents import InlineDocument, from_addresses, from_path, from_stored
from nbflow.tasks.ai.models import chat, count_tokens, embed
from nbflow.tasks.ai.providers import Provider, chat_target, embedding_target
from nbflow.tasks.ai.talking import ChatConfiguration, ChatOutput, ContentSource, Role, Talk, TokenUsage
from nbflow.tasks.ai.vectors import Embeddings, Match, VectorStore, find_store, read_kv, write_kv
from nbflow.tasks.sql.values import json_line
from nbflow.types import JsonValue

_NEEDS = "a key for Gemini"


@task_type(
    "io.kestra.plugin.ai.rag.IngestDocument",
    aliases=["rag_ingest"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.ai.rag.IngestDocument
            provider:
              type: io.kestra.plugin.ai.provider.GoogleGemini
              modelName: gemini-embedding-001
              apiKey: "{{ secret('GEMINI_API_KEY') }}"
            embeddings:
              type: io.kestra.plugin.ai.embeddings.KestraKVStore
            drop: true
            fromExternalURLs:
              - https://example.com/release-notes.md
            """,
            title="Take in a page, in place of what was there",
            needs=_NEEDS,
        )
    ],
)
class IngestDocument(RunnableTask):
    """Cut documents into pieces, have vectors made of them, and keep both."""

    class Output(RunnableTask.Output):
        ingested_documents: int = Field(description="Documents taken in.")
        segments: int = Field(description="Pieces they were cut into.")
        input_token_count: int | None = Field(default=None, description="Tokens sent.")
        output_token_count: int | None = Field(default=None, description="Tokens that came back.")
        total_token_count: int | None = Field(default=None, description="Both.")
        embedding_store_outputs: dict[str, JsonValue] = Field(description="Where they are: `kvName`.")

    provider: Dynamic[Provider] | None = Field(
        default=None, description="Who makes the vectors; what secrets or the environment name unless said."
    )
    embeddings: Dynamic[Embeddings] = Field(default_factory=Embeddings, description="Where they are kept.")
    from_path: Dynamic[Text] | None = Field(
        default=None, description="File of the working directory, or a folder of it with all below."
    )
    from_internal_uris: Dynamic[list[Text]] = Field(
        default_factory=list, alias="fromInternalURIs", description="URIs of stored files."
    )
    from_external_urls: Dynamic[list[Text]] = Field(
        default_factory=list, alias="fromExternalURLs", description="Addresses of pages: text, Markdown or HTML."
    )
    from_documents: Dynamic[list[InlineDocument]] = Field(
        default_factory=list, description="Documents written in the flow."
    )
    metadata: Dynamic[dict[str, Text]] = Field(default_factory=dict, description="What to remember with every piece.")
    document_splitter: DocumentSplitter = Field(
        default_factory=DocumentSplitter, description="How documents are cut; pieces of 1000 characters unless said."
    )
    drop: Dynamic[bool] = Field(default=False, description="Whether to drop what is there first.")
    bulk_size: Dynamic[PositiveInt] = Field(default=500, description="Accepted; vectors are asked for 96 at a time.")

    async def run(self, ctx: RunContext) -> Output:
        target = embedding_target(ctx, self.provider)
        documents = await self._read(ctx)
        if not documents:
            ctx.log.warning("there is no document to take in")
        pieces = await asyncio.to_thread(cut, documents, self.document_splitter, dict(self.metadata))
        vectors, usage = await embed(target, [piece.text for piece in pieces], timeout=self.timeout_after)
        key = self.embeddings.key(ctx)
        await asyncio.to_thread(self._keep, ctx, key, target.model, pieces, vectors)
        count_tokens(ctx, usage)
        ctx.metric("indexed.documents", len(documents))
        ctx.log.info("%d documents in %d pieces kept under `%s`", len(documents), len(pieces), key)
        return self.Output(
            ingested_documents=len(documents),
            segments=len(pieces),
            embedding_store_outputs={"kvName": key},
            **dict(usage),
        )

    async def _read(self, ctx: RunContext) -> list[Document]:
        documents = [Document(one.content.strip(), dict(one.metadata)) for one in self.from_documents]
        if self.from_path is not None:
            documents += await asyncio.to_thread(lambda name: list(from_path(ctx, name)), self.from_path)
        documents += await asyncio.to_thread(lambda: list(from_stored(ctx, self.from_internal_uris)))
        documents += [document async for document in from_addresses(self.from_external_urls)]
        return documents

    def _keep(self, ctx: RunContext, key: str, model: str, pieces: list[Document], vectors: list[list[float]]) -> None:
        store = (None if self.drop else read_kv(ctx, key)) or VectorStore()
        store.add(model, pieces, vectors)
        write_kv(ctx, key, store)


class Retrieval(Model):
    """Which pieces are looked up."""

    max_results: PositiveInt = Field(default=3, description="How many at most.")
    min_score: NonNegativeFloat = Field(
        default=0.0, le=1.0, description="How near they have to be: 1 is the same direction, 0.5 nothing in common."
    )


@task_type(
    "io.kestra.plugin.ai.rag.ChatCompletion",
    aliases=["io.kestra.plugin.ai.RAGQuery", "rag"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.ai.rag.ChatCompletion
            chatProvider:
              type: io.kestra.plugin.ai.provider.GoogleGemini
              modelName: gemini-2.5-flash
              apiKey: "{{ secret('GEMINI_API_KEY') }}"
            embeddingProvider:
              type: io.kestra.plugin.ai.provider.GoogleGemini
              modelName: gemini-embedding-001
              apiKey: "{{ secret('GEMINI_API_KEY') }}"
            embeddings:
              type: io.kestra.plugin.ai.embeddings.KestraKVStore
            systemMessage: Answer from the documents alone.
            prompt: Which features are new?
            """,
            title="Ask with what an IngestDocument task has kept",
            needs=_NEEDS,
        )
    ],
)
class ChatCompletion(RunnableTask):
    """Ask a language model, with pieces of documents at hand that are nearest to the question."""

    class Output(ChatOutput):
        pass

    prompt: Dynamic[Text] = Field(description="The question.")
    system_message: Dynamic[Text] | None = Field(default=None, description="How the model is to behave.")
    chat_provider: Dynamic[Provider] | None = Field(
        default=None, description="Who runs the model; what secrets or the environment name unless said."
    )
    embedding_provider: Dynamic[Provider] | None = Field(
        default=None, description="Who makes a vector of the question; `chatProvider` unless said."
    )
    embeddings: Dynamic[Embeddings] = Field(
        default_factory=Embeddings, description="Where vectors of documents are kept."
    )
    embedding_store: Dynamic[Text] | None = Field(
        default=None, description="Instead of `embeddings`: what an Embed task put out, or a key. nbflow's own."
    )
    chat_configuration: Dynamic[ChatConfiguration] = Field(
        default_factory=ChatConfiguration, description="How the model answers."
    )
    content_retriever_configuration: Dynamic[Retrieval] = Field(
        default_factory=Retrieval, description="Which pieces are looked up."
    )

    async def run(self, ctx: RunContext) -> Output:
        chosen = self.content_retriever_configuration
        chatting = chat_target(ctx, self.chat_provider)
        reference = self.embedding_store or self.embeddings.key(ctx)
        matches, _ = await look_up(
            ctx, self.embedding_provider or self.chat_provider, reference, self.prompt, chosen.max_results,
            chosen.min_score,
        )  # fmt: skip
        ctx.log.debug("%d pieces of documents found", len(matches))
        sources = [ContentSource(content=match.text, metadata=match.metadata) for match in matches]
        said = [(Role.USER, _with_sources(self.prompt, sources))]
        talk = Talk(said, self.system_message or "", self.chat_configuration)
        answer = await chat(ctx, chatting, talk, timeout=self.timeout_after, sources=sources)
        return self.Output(**dict(answer))


def _with_sources(prompt: str, sources: list[ContentSource]) -> str:
    if not sources:
        return prompt
    pieces = "\n\n".join(f"[{number}] {source.content}" for number, source in enumerate(sources, 1))
    return f"{prompt}\n\nUse these pieces of documents for the answer:\n\n{pieces}"


async def look_up(
    ctx: RunContext, provider: Provider | None, reference: str, question: str, most: int, least: float
) -> tuple[list[Match], TokenUsage]:
    """The pieces nearest to a question. Raises: TaskFailedError."""
    target = embedding_target(ctx, provider)
    store = await asyncio.to_thread(find_store, ctx, reference)
    vectors, usage = await embed(target, [question])
    return await asyncio.to_thread(store.nearest, target.model, vectors[0], most, least), usage


class FetchType(StrEnum):
    """What to do with what was found."""

    STORE = "STORE"
    FETCH = "FETCH"
    FETCH_ONE = "FETCH_ONE"
    NONE = "NONE"


@task_type(
    "io.kestra.plugin.ai.rag.Search",
    aliases=["rag_search"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.ai.rag.Search
            provider:
              type: io.kestra.plugin.ai.provider.GoogleGemini
              modelName: gemini-embedding-001
              apiKey: "{{ secret('GEMINI_API_KEY') }}"
            embeddings:
              type: io.kestra.plugin.ai.embeddings.KestraKVStore
            query: new features
            fetchType: FETCH
            """,
            needs=_NEEDS,
        )
    ],
)
class Search(RunnableTask):
    """Look up the pieces of documents that are nearest to a question."""

    class Output(RunnableTask.Output):
        results: list[str] | None = Field(default=None, description="The pieces, best first.")
        uri: Text | None = Field(default=None, description="URI of the stored pieces (JSON Lines).")
        size: int = Field(description="How many there are.")

    query: Dynamic[Text] = Field(description="The question.")
    max_results: Dynamic[PositiveInt] = Field(default=3, description="How many to find at most.")
    min_score: Dynamic[NonNegativeFloat] = Field(default=0.0, description="How near they have to be, up to 1.")
    provider: Dynamic[Provider] | None = Field(
        default=None, description="Who makes a vector of it; what secrets or the environment name unless said."
    )
    embeddings: Dynamic[Embeddings] = Field(default_factory=Embeddings, description="Where vectors are kept.")
    fetch_type: Dynamic[FetchType] = Field(default=FetchType.NONE, description="STORE, FETCH, FETCH_ONE or NONE.")

    async def run(self, ctx: RunContext) -> Output:
        key = self.embeddings.key(ctx)
        matches, _ = await look_up(ctx, self.provider, key, self.query, self.max_results, self.min_score)
        texts = [match.text for match in matches]
        uri = None
        if self.fetch_type is FetchType.STORE:
            lines = "".join(
                json_line({"text": one.text, "metadata": one.metadata, "score": one.score}) for one in matches
            )
            uri = await asyncio.to_thread(ctx.store_bytes, lines.encode(), "results.jsonl")
        shown = {FetchType.FETCH: texts, FetchType.FETCH_ONE: texts[:1]}.get(self.fetch_type)
        return self.Output(results=shown, uri=uri, size=len(texts))

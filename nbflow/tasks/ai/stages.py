"""Task types for the steps before a question, one by one: cut documents into pieces, have vectors made of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.ai.chunks import Document, DocumentSplitter, cut, plain_text
from nbflow.tasks.ai.documents import from_addresses, from_path, from_stored
from nbflow.tasks.ai.models import count_tokens, embed
from nbflow.tasks.ai.providers import Provider, embedding_target
from nbflow.tasks.ai.talking import TokenUsage
from nbflow.tasks.ai.vectors import Embeddings, VectorStore, read_kv, write_kv
from nbflow.tasks.sql.values import json_line
from nbflow.tasks.working_files import is_stored
from nbflow.types import JsonValue


@task_type(
    "io.kestra.plugin.ai.IngestDocument",
    aliases=["ingest"],
    examples=[
        Example(
            """
            - id: ingest
              type: io.kestra.plugin.ai.IngestDocument
              source: "Kestra 1.1 was released in November 2025. It brought human tasks and custom dashboards."
            """,
            title="A text written in the flow; an address or a file is named the same way",
        )
    ],
)
class IngestDocument(RunnableTask):
    """Read documents and cut them into pieces; `Embed` takes these."""

    class Output(RunnableTask.Output):
        documents: Text = Field(description="URI of the pieces (JSON Lines with `text` and `metadata`).")
        size: int = Field(description="How many pieces there are.")

    source: Dynamic[list[Text] | Text] = Field(
        description="What to read, or several such: an address, the URI of a stored file, the name of a file or folder "
        "in the working directory, or a text."
    )
    metadata: Dynamic[dict[str, Text]] = Field(default_factory=dict, description="What to remember with every piece.")
    document_splitter: DocumentSplitter = Field(
        default_factory=DocumentSplitter, description="How documents are cut; pieces of 1000 characters unless said."
    )

    async def run(self, ctx: RunContext) -> Output:
        sources = [self.source] if isinstance(self.source, str) else self.source
        documents = [document for source in sources for document in await _read(ctx, source)]
        pieces = await asyncio.to_thread(cut, documents, self.document_splitter, dict(self.metadata))
        if not pieces:
            raise TaskFailedError("there is no text in `source`")
        lines = "".join(json_line({"text": one.text, "metadata": one.metadata}) for one in pieces)
        uri = await asyncio.to_thread(ctx.store_bytes, lines.encode(), "documents.jsonl")
        ctx.log.info("%d documents cut into %d pieces", len(documents), len(pieces))
        return self.Output(documents=uri, size=len(pieces))


async def _read(ctx: RunContext, source: str) -> list[Document]:
    bare = source.strip()
    if is_stored(bare):
        return await asyncio.to_thread(lambda: list(from_stored(ctx, [bare])))
    if "\n" not in bare and urlsplit(bare).scheme in ("http", "https"):
        return [document async for document in from_addresses([bare])]
    if await asyncio.to_thread(_is_file, ctx, bare):
        return await asyncio.to_thread(lambda: list(from_path(ctx, bare)))
    return [Document(plain_text(source))]


def _is_file(ctx: RunContext, name: str) -> bool:
    if not name or "\n" in name or len(name) > 255:
        return False
    try:
        return ctx.path(name).exists()
    except (TaskFailedError, OSError):  # a text may look like a path that leaves the directory
        return False


@task_type(
    "io.kestra.plugin.ai.Embed",
    aliases=["embed"],
    examples=[
        Example(
            """
            type: io.kestra.plugin.ai.Embed
            documents: "{{ outputs.ingest.documents }}"
            """,
            title="With the provider of the environment",
            needs="a key for a provider",
        )
    ],
)
class Embed(RunnableTask):
    """Have vectors made of pieces of documents, and keep both; `RAGQuery` looks them up."""

    class Output(RunnableTask.Output):
        store: Text = Field(description="Where they are: the URI of a stored file, or a key with `embeddings`.")
        size: int = Field(description="How many pieces there are.")
        token_usage: TokenUsage = Field(description="How much was read.")

    documents: Dynamic[JsonValue] = Field(
        description="What `IngestDocument` put out, a text, or a list of texts or of maps with `text` and `metadata`."
    )
    provider: Dynamic[Provider] | None = Field(
        default=None, description="Who makes the vectors; what secrets or the environment name unless said."
    )
    embeddings: Dynamic[Embeddings] | None = Field(
        default=None, description="Where they are kept; in a file of the execution unless said."
    )
    drop: Dynamic[bool] = Field(default=False, description="Whether to drop what is in `embeddings` first.")

    async def run(self, ctx: RunContext) -> Output:
        target = embedding_target(ctx, self.provider)
        pieces = await asyncio.to_thread(lambda: list(_pieces(ctx, self.documents)))
        vectors, usage = await embed(target, [piece.text for piece in pieces], timeout=self.timeout_after)
        count_tokens(ctx, usage)
        where = await asyncio.to_thread(self._keep, ctx, target.model, pieces, vectors)
        return self.Output(store=where, size=len(pieces), token_usage=usage)

    def _keep(self, ctx: RunContext, model: str, pieces: list[Document], vectors: list[list[float]]) -> str:
        if self.embeddings is None:
            store = VectorStore()
            store.add(model, pieces, vectors)
            return ctx.store_bytes(json.dumps(store.to_json(), ensure_ascii=False).encode(), "embeddings.json")
        key = self.embeddings.key(ctx)
        store = (None if self.drop else read_kv(ctx, key)) or VectorStore()
        store.add(model, pieces, vectors)
        write_kv(ctx, key, store)
        return key


def _pieces(ctx: RunContext, documents: JsonValue) -> Iterator[Document]:
    """Pieces in whichever form they are given. Raises: TaskFailedError when there is none."""
    if isinstance(documents, str) and is_stored(documents.strip()):
        lines = ctx.file(documents.strip()).read_text(encoding="utf-8").splitlines()
        documents = [_item(line) for line in lines if line.strip()]
    items = documents if isinstance(documents, list) else [documents]
    count = 0
    for item in items:
        if isinstance(item, str) and item.strip():
            yield Document(item)
        elif isinstance(item, dict) and isinstance(item.get("text", item.get("content")), str):
            metadata = item.get("metadata")
            yield Document(str(item.get("text", item.get("content"))), metadata if isinstance(metadata, dict) else {})
        else:
            raise TaskFailedError(
                f"item {count + 1} of `documents` is no text: {json.dumps(item, ensure_ascii=False)[:200]}",
                hint="give texts, or maps with `text`",
            )
        count += 1
    if not count:
        raise TaskFailedError("`documents` is empty")


def _item(line: str) -> JsonValue:
    try:
        found: JsonValue = json.loads(line)
    except ValueError:
        return line  # a stored file of plain lines
    return found if isinstance(found, dict) else line

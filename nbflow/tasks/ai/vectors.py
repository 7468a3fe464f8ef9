"""Where vectors are kept, and which are nearest to a question.

A store is JSON, in the KV store of the namespace or as a stored file:
`{"model": …, "entries": [{"text": …, "metadata": {…}, "vector": […]}, …]}`. It is read whole: right for thousands of
pieces, not for millions.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import mul
from typing import Any

from pydantic import Field, field_validator

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Model, RunContext, Text
from nbflow.tasks.ai.chunks import Document
from nbflow.tasks.working_files import is_stored
from nbflow.types import JsonValue

_KV_TYPE = "io.kestra.plugin.ai.embeddings.KestraKVStore"
_DIGITS = 7
"""Of a number in a vector; models give no more than a float of 32 bits holds."""


class Embeddings(Model):
    """Where vectors are kept."""

    type: Text = Field(default=_KV_TYPE, description=f"`{_KV_TYPE}`: in the KV store of the namespace.")
    kv_name: Dynamic[Text] | None = Field(
        default=None, description="Key to keep them under; the flow's id and `-embedding-store` unless said."
    )

    @field_validator("type")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value.removeprefix("io.kestra.plugin.ai.embeddings.") not in ("KestraKVStore", "kv"):
            raise ValueError(f"vectors are kept in {_KV_TYPE} only, not in `{value}`")
        return value

    def key(self, ctx: RunContext) -> str:
        """The key they are under."""
        return self.kv_name or f"{ctx.flow_id}-embedding-store"


@dataclass(frozen=True, slots=True)
class Entry:
    """A piece of a document and its vector."""

    text: str
    metadata: dict[str, JsonValue]
    vector: Sequence[float]


@dataclass(frozen=True, slots=True)
class Match:
    """A piece that was found; `score` is 1 for the same direction and 0 for the opposite one."""

    text: str
    metadata: dict[str, JsonValue]
    score: float


@dataclass(slots=True)
class VectorStore:
    """Pieces with their vectors, all of one model."""

    model: str = ""
    entries: list[Entry] = field(default_factory=list)

    def add(self, model: str, documents: Sequence[Document], vectors: Sequence[Sequence[float]]) -> None:
        """Add pieces. Raises: TaskFailedError when their vectors are not as long as those there."""
        for document, vector in zip(documents, vectors, strict=True):
            self._check(model, vector)
            rounded = [float(f"{number:.{_DIGITS}g}") for number in vector]
            self.entries.append(Entry(document.text, document.metadata, rounded))
        self.model = model

    def nearest(self, model: str, vector: Sequence[float], most: int, least: float = 0.0) -> list[Match]:
        """The pieces nearest to a vector by the angle between them, best first.

        Raises: TaskFailedError when the vector is not as long as those there.
        """
        self._check(model, vector)
        length = math.hypot(*vector) or 1.0
        matches = []
        for entry in self.entries:
            cosine = sum(map(mul, entry.vector, vector)) / (length * (math.hypot(*entry.vector) or 1.0))
            matches.append(Match(entry.text, entry.metadata, (cosine + 1) / 2))
        matches.sort(key=lambda match: -match.score)
        return [match for match in matches[:most] if match.score >= least]

    def _check(self, model: str, vector: Sequence[float]) -> None:
        if self.entries and len(self.entries[0].vector) != len(vector):
            raise TaskFailedError(
                f"the store holds vectors of {len(self.entries[0].vector)} numbers made by {self.model}, "
                f"and {model} makes such of {len(vector)}",
                hint="use the model that filled it, or fill it anew with `drop: true`",
            )

    def to_json(self) -> dict[str, Any]:
        entries = [{"text": one.text, "metadata": one.metadata, "vector": list(one.vector)} for one in self.entries]
        return {"model": self.model, "entries": entries}

    @classmethod
    def from_json(cls, value: object, where: str) -> VectorStore:
        """Raises: TaskFailedError when it is no store."""
        try:
            found: Any = json.loads(value) if isinstance(value, str | bytes) else value
            entries = [Entry(one["text"], one["metadata"], one["vector"]) for one in found["entries"]]
            return cls(str(found["model"]), entries)
        except (ValueError, LookupError, TypeError) as cause:
            raise TaskFailedError(f"{where} holds no vectors", hint="fill it with an ingest or embed task") from cause


def read_kv(ctx: RunContext, key: str) -> VectorStore | None:
    """The store under a key of the namespace; None when there is none."""
    found = ctx.kv.get(ctx.namespace, key, ctx.now())
    return None if found is None else VectorStore.from_json(found.value, f"the key `{key}` of {ctx.namespace}")


def write_kv(ctx: RunContext, key: str, store: VectorStore) -> None:
    ctx.kv.put(
        ctx.namespace, key, store.to_json(), ctx.now(), type="JSON", description=f"Vectors made by {store.model}"
    )


def find_store(ctx: RunContext, reference: str) -> VectorStore:
    """The store that a URI or a key names. Raises: TaskFailedError when there is none."""
    reference = reference.strip()
    if is_stored(reference):
        return VectorStore.from_json(ctx.file(reference).read_bytes(), reference)
    store = read_kv(ctx, reference)
    if store is None:
        raise TaskFailedError(
            f"there are no vectors under the key `{reference}` of {ctx.namespace}",
            hint="fill it first with io.kestra.plugin.ai.rag.IngestDocument",
        )
    return store

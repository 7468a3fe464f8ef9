"""Documents are taken in, found again, and given to a model with the question."""

from __future__ import annotations

import json

import pytest

from nbflow.engine import Engine
from tests.tasks.ai.conftest import Models
from tests.tasks.conftest import RunTasks, Site, messages

RELEASES = b"""<!doctype html><html><head><title>Kestra</title><style>p {color: red}</style></head><body>
<h1>Releases</h1><p>Kestra 1.1 brought human tasks &amp; custom dashboards.</p><script>alert(1)</script>
<p>Bananas are yellow fruit from warm countries.</p><p>Version 0.9 was about plugins for storage.</p></body></html>"""


def defaults(models: Models) -> str:
    provider = f'{{type: gemini, baseUrl: "{models.url}", apiKey: k}}'
    values = f"{{provider: {provider}, chatProvider: {provider}, embeddingProvider: {provider}}}"
    return f"pluginDefaults: [{{type: io.kestra.plugin.ai, values: {values}}}]"


def test_the_three_steps_of_the_lessons_lead_to_an_answer_from_the_page(
    models: Models, site: Site, run_tasks: RunTasks, engine: Engine
) -> None:
    url = site.answer("/releases", RELEASES, Content_Type="text/html; charset=utf-8")
    execution = run_tasks(
        f"""
        - id: ingest
          type: io.kestra.plugin.ai.IngestDocument
          source: "{url}"
          documentSplitter: {{maxSegmentSizeInChars: 70, maxOverlapSizeInChars: 0}}
        - id: embed
          type: io.kestra.plugin.ai.Embed
          documents: "{{{{ outputs.ingest.documents }}}}"
        - id: query
          type: io.kestra.plugin.ai.RAGQuery
          prompt: "Which features were released in Kestra 1.1?"
          embeddingStore: "{{{{ outputs.embed.store }}}}"
          contentRetrieverConfiguration: {{maxResults: 1}}
        """,
        more=defaults(models),
    )
    assert execution.state == "SUCCESS", messages(execution)
    pieces = engine.read_file(str(execution.task_runs["ingest"].outputs["documents"])).decode().splitlines()
    assert [json.loads(piece)["text"] for piece in pieces] == [
        "Releases\n\nKestra 1.1 brought human tasks & custom dashboards.",
        "Bananas are yellow fruit from warm countries.",
        "Version 0.9 was about plugins for storage.",
    ]
    outputs = execution.task_runs["query"].outputs
    found = "Releases\n\nKestra 1.1 brought human tasks & custom dashboards."
    assert outputs["sources"] == [{"content": found, "metadata": {"url": url, "index": 0}}]
    assert str(outputs["textOutput"]).startswith("Which features were released in Kestra 1.1?")
    assert found in str(outputs["textOutput"])  # the stand-in repeats what it is asked


INGEST = """
- id: ingest
  type: io.kestra.plugin.ai.rag.IngestDocument
  embeddings:
    type: io.kestra.plugin.ai.embeddings.KestraKVStore
  drop: true
  fromExternalURLs:
    - {url}
  fromDocuments:
    - content: Oslo lies at a fjord.
      metadata: {{source: atlas}}
  fromInternalURIs: ["{uri}"]
- id: chat
  type: io.kestra.plugin.ai.rag.ChatCompletion
  embeddings:
    type: io.kestra.plugin.ai.embeddings.KestraKVStore
  systemMessage: Answer from the documents.
  prompt: Where lies Oslo?
  contentRetrieverConfiguration: {{maxResults: 3, minScore: 0.6}}
- id: search
  type: io.kestra.plugin.ai.rag.Search
  query: yellow bananas
  maxResults: 1
  fetchType: FETCH
  embeddings: {{type: io.kestra.plugin.ai.embeddings.KestraKVStore, kvName: "{{{{ flow.id }}}}-embedding-store"}}
"""


def test_documents_kept_in_the_kv_store_are_found_again(
    models: Models, site: Site, run_tasks: RunTasks, engine: Engine
) -> None:
    uri = engine.store.files.put_bytes("tests/fruit.md", b"# Fruit\n\nBananas are yellow.")
    tasks = INGEST.format(url=site.answer("/a.txt", b"Plain text about trains."), uri=uri)
    for _ in range(2):
        execution = run_tasks(tasks, more=defaults(models))
        assert execution.state == "SUCCESS", messages(execution)
    ingested = execution.task_runs["ingest"].outputs
    assert (ingested["ingestedDocuments"], ingested["segments"]) == (3, 3)
    assert ingested["embeddingStoreOutputs"] == {"kvName": "flow-embedding-store"}
    assert execution.task_runs["chat"].outputs["sources"] == [
        {"content": "Oslo lies at a fjord.", "metadata": {"source": "atlas", "index": 0}}
    ]
    chat = next(body for path, _, body in models.asked if path.endswith(":generateContent"))
    assert chat["systemInstruction"] == {"parts": [{"text": "Answer from the documents."}]}
    assert execution.task_runs["search"].outputs["results"] == ["# Fruit\n\nBananas are yellow."]


def test_what_is_there_stays_unless_dropped(models: Models, run_tasks: RunTasks) -> None:
    add = "- {id: add, type: rag_ingest, fromDocuments: [{content: 'number %d of many'}], drop: %s}"
    search = "\n- {id: find, type: rag_search, query: number, maxResults: 9}"
    sizes = []
    for number, drop in enumerate(("false", "false", "true")):
        execution = run_tasks(add % (number, drop) + search, more=defaults(models))
        sizes.append(execution.task_runs["find"].outputs["size"])
    assert sizes == [1, 2, 1]


def test_vectors_of_another_model_are_told_apart(models: Models, run_tasks: RunTasks) -> None:
    execution = run_tasks(
        """
        - id: put
          type: kv_set
          key: other
          kvType: JSON
          value: '{"model": "old", "entries": [{"text": "a", "metadata": {}, "vector": [1, 0]}]}'
        - {id: find, type: rag_search, query: a, embeddings: {kvName: other}}
        """,
        more=defaults(models),
    )
    assert messages(execution)[-1] == (
        "the store holds vectors of 2 numbers made by old, and gemini-embedding-001 makes such of 64 "
        "(use the model that filled it, or fill it anew with `drop: true`)"
    )


def test_files_of_the_working_directory_are_taken_in(models: Models, run_tasks: RunTasks) -> None:
    execution = run_tasks(
        """
        - id: dir
          type: working_directory
          inputFiles:
            docs/a.html: "<html><body><p>A page</p></body></html>"
            docs/deep/b.md: "# B"
          tasks:
            - {id: ingest, type: rag_ingest, fromPath: docs}
            - {id: short, type: ingest, source: docs}
            - {id: outside, type: rag_ingest, fromPath: ../.., allowFailure: true}
        """,
        more=defaults(models),
    )
    assert execution.task_runs["ingest"].outputs["segments"] == 2
    assert execution.task_runs["short"].outputs["size"] == 2
    assert execution.task_runs["outside"].state == "WARNING"


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (
            "- {id: ask, type: rag, prompt: Hi, embeddingStore: nowhere}",
            "there are no vectors under the key `nowhere` of tests "
            "(fill it first with io.kestra.plugin.ai.rag.IngestDocument)",
        ),
        ("- {id: embed, type: embed, documents: []}", "`documents` is empty"),
        (
            "- {id: embed, type: embed, documents: [a, {b: 1}]}",
            'item 2 of `documents` is no text: {"b": 1} (give texts, or maps with `text`)',
        ),
        (
            "- {id: embed, type: embed, documents: a, provider: {type: anthropic, apiKey: k, modelName: m}}",
            "Anthropic has no models for embeddings (name another `provider` for these)",
        ),
    ],
)
def test_what_cannot_be_done_is_said(models: Models, run_tasks: RunTasks, task: str, message: str) -> None:
    assert messages(run_tasks(task, more=defaults(models)))[-1] == message


def test_pieces_can_be_texts_and_vectors_can_go_to_the_kv_store(models: Models, run_tasks: RunTasks) -> None:
    execution = run_tasks(
        """
        - {id: embed, type: embed, documents: [yellow bananas, {text: red apples, metadata: {a: 1}}], embeddings: {}}
        - {id: ask, type: rag, prompt: Which apples?, embeddingStore: "{{ outputs.embed.store }}"}
        """,
        more=defaults(models),
    )
    assert execution.state == "SUCCESS", messages(execution)
    assert execution.task_runs["embed"].outputs["store"] == "flow-embedding-store"
    sources = execution.task_runs["ask"].outputs["sources"]
    assert isinstance(sources, list)
    assert sources[0] == {"content": "red apples", "metadata": {"a": 1}}


def test_many_pieces_are_sent_in_portions(models: Models, run_tasks: RunTasks) -> None:
    texts = json.dumps([f"piece number {number}" for number in range(200)])
    tasks = f"- {{id: embed, type: embed, documents: {texts}}}"
    execution = run_tasks(tasks, more=defaults(models))
    assert execution.task_runs["embed"].outputs["size"] == 200
    assert [len(body["requests"]) for _, _, body in models.asked] == [96, 96, 8]

"""Tasks on files of the internal storage."""

from __future__ import annotations

import io
import json

import pytest
from pydantic import ValidationError

from nbflow.engine import Engine, Execution
from nbflow.tasks.storage.files import lines_backwards
from nbflow.tasks.storage.splitting import Split
from tests.tasks.conftest import RunTasks, messages

WRITE = "- {{id: write, type: io.kestra.plugin.core.storage.Write, content: {}, extension: {}}}\n"


def write(content: str, extension: str = ".txt") -> str:
    """A task that stores a text."""
    return WRITE.format(json.dumps(content), json.dumps(extension))


def text(engine: Engine, execution: Execution, task: str, output: str = "uri") -> str:
    """What is in the file that a task has put out."""
    assert execution.state == "SUCCESS", messages(execution)
    return engine.read_file(str(execution.task_runs[task].outputs[output])).decode()


def test_a_text_is_written_and_measured(run_tasks: RunTasks, engine: Engine) -> None:
    execution = run_tasks("""
        - {id: write, type: io.kestra.plugin.core.storage.Write, content: "a{{ 1 + 1 }}ä", extension: csv}
        - {id: json, type: write_file, content: {a: "{{ 1 + 1 }}"}}
        - {id: size, type: io.kestra.plugin.core.storage.Size, uri: "{{ outputs.write.uri }}"}
    """)
    assert text(engine, execution, "write") == "a2ä"
    assert str(execution.task_runs["write"].outputs["uri"]).endswith(".csv")
    assert json.loads(text(engine, execution, "json")) == {"a": "2"}
    assert execution.task_runs["size"].outputs == {"size": 4}


@pytest.mark.parametrize("extension", ["../x", "a/b", "."])
def test_an_extension_does_not_lead_elsewhere(run_tasks: RunTasks, extension: str) -> None:
    execution = run_tasks(write("x", extension))
    assert execution.state == "FAILED"
    assert any("is no extension of a file" in message for message in messages(execution))


@pytest.mark.parametrize(
    ("files", "more", "whole"),
    [
        ('["{{ outputs.a.uri }}", "{{ outputs.b.uri }}"]', "", "onetwo"),
        ('["{{ outputs.a.uri }}", "{{ outputs.b.uri }}"]', r', separator: "\n"', "one\ntwo\n"),
        ('"{{ [outputs.a.uri, outputs.b.uri, outputs.a.uri] }}"', ", extension: .csv", "onetwoone"),
        ("\"{{ outputs | jq('[.a.uri, .b.uri]') | first }}\"", "", "onetwo"),
    ],
)
def test_files_are_joined(run_tasks: RunTasks, engine: Engine, files: str, more: str, whole: str) -> None:
    execution = run_tasks(f"""
        - {{id: a, type: write_file, content: one}}
        - {{id: b, type: write_file, content: two}}
        - {{id: join, type: io.kestra.plugin.core.storage.Concat, files: {files}{more}}}
    """)
    assert text(engine, execution, "join") == whole
    assert str(execution.task_runs["join"].outputs["uri"]).endswith(".csv" if ".csv" in more else ".tmp")


def test_only_stored_files_are_joined(run_tasks: RunTasks) -> None:
    execution = run_tasks("- {id: join, type: concat, files: [/etc/passwd]}")
    assert execution.state == "FAILED"
    assert any("`files` must be the URI of a stored file" in message for message in messages(execution))


def test_a_file_is_deleted(run_tasks: RunTasks) -> None:
    execution = run_tasks(
        write("x")
        + """
- {id: delete, type: io.kestra.plugin.core.storage.Delete, uri: "{{ outputs.write.uri }}"}
- {id: again, type: io.kestra.core.tasks.storages.Delete, uri: "{{ outputs.write.uri }}"}
- {id: must, type: delete_file, uri: "{{ outputs.write.uri }}", errorOnMissing: true}
"""
    )
    assert execution.state == "FAILED"
    runs = execution.task_runs
    uri = runs["write"].outputs["uri"]
    assert runs["delete"].outputs == {"uri": uri, "deleted": True}
    assert runs["again"].outputs == {"uri": uri, "deleted": False}
    assert any("there is no file" in message for message in messages(execution))


@pytest.mark.parametrize(
    ("content", "more", "turned"),
    [
        ("1\n2\n3\n", "", "3\n2\n1\n"),
        ("1\r\n2\r\n\r\n3", "", "3\n\n2\n1\n"),
        ("ä\nö", ", separator: '|', charset: UTF-8", "ö|ä|"),
        ("", "", ""),
    ],
)
def test_a_file_is_turned_round(run_tasks: RunTasks, engine: Engine, content: str, more: str, turned: str) -> None:
    task = f'- {{id: turn, type: io.kestra.plugin.core.storage.Reverse, from: "{{{{ outputs.write.uri }}}}"{more}}}\n'
    execution = run_tasks(write(content) + task)
    assert text(engine, execution, "turn") == turned
    assert str(execution.task_runs["turn"].outputs["uri"]).endswith(".txt")


def test_a_file_in_any_charset_is_turned_round(run_tasks: RunTasks, engine: Engine) -> None:
    uri = engine.store.files.put_bytes("tests/x.txt", "ä\n\u0a0a\nz".encode("utf-16-le"))
    execution = run_tasks(f"- {{id: turn, type: reverse, from: '{uri}', charset: UTF-16LE}}")
    assert execution.state == "SUCCESS", messages(execution)
    turned = engine.read_file(str(execution.task_runs["turn"].outputs["uri"]))
    assert turned.decode("utf-16-le") == "z\n\u0a0a\nä\n"


@pytest.mark.parametrize("ends", ["", "\n", "\n\n"])
def test_lines_longer_than_what_is_read_at_once_stay_whole(ends: str) -> None:
    lines = [b"x" * length for length in (3, 70_000, 0, 65_536, 200_000, 1)]
    content = b"\n".join(lines) + ends.encode()
    expected = [*lines, b""] if ends == "\n\n" else lines
    assert list(lines_backwards(io.BytesIO(content))) == expected[::-1]


@pytest.mark.parametrize(
    ("how", "parts"),
    [
        ("rows: 2", ["1\n2\n", "3\n4\n", "5\n"]),
        ("partitions: 2", ["1\n3\n5\n", "2\n4\n"]),
        ("bytes: '{{ 6 }}'", ["1\n2\n3\n", "4\n5\n"]),
        ("bytes: 1KB, rows: 1", ["1\n2\n3\n4\n5\n"]),
    ],
)
def test_a_file_is_split(run_tasks: RunTasks, engine: Engine, how: str, parts: list[str]) -> None:
    task = f'- {{id: split, type: io.kestra.plugin.core.storage.Split, from: "{{{{ outputs.write.uri }}}}", {how}}}\n'
    execution = run_tasks(write("1\n2\n3\n4\n5") + task)
    assert execution.state == "SUCCESS", messages(execution)
    uris = execution.task_runs["split"].outputs["uris"]
    assert isinstance(uris, list)
    assert [engine.read_file(str(uri)).decode() for uri in uris] == parts
    assert all(str(uri).endswith(".txt") for uri in uris)


def test_two_splits_in_one_directory_do_not_mix(run_tasks: RunTasks, engine: Engine) -> None:
    execution = run_tasks("""
        - id: dir
          type: working_directory
          outputFiles: ["**"]
          tasks:
            - {id: write, type: write_file, content: "1 2"}
            - {id: one, type: split, from: "{{ outputs.write.uri }}", separator: " ", rows: 1}
            - {id: two, type: split, from: "{{ outputs.write.uri }}", separator: " ", rows: 1}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    for name in ("one", "two"):
        uris = execution.task_runs[name].outputs["uris"]
        assert isinstance(uris, list)
        assert [engine.read_file(str(uri)) for uri in uris] == [b"1 ", b"2 "]
    assert not execution.task_runs["dir"].outputs.get("outputFiles")


def test_a_split_must_say_how() -> None:
    with pytest.raises(ValidationError, match="needs `bytes`, `partitions` or `rows`"):
        Split.model_validate({"id": "s", "from": "kestra:///x"})


ROWS = "".join(
    json.dumps({"key": key, "value": value}) + "\n" for key, value in zip("abcab", [1, 2, 3, 4, None], strict=True)
)


def chosen(engine: Engine, execution: Execution) -> list[object]:
    """The values of the rows that are left."""
    return [json.loads(line)["value"] for line in text(engine, execution, "choose").splitlines()]


def choose(kind: str, **properties: object) -> str:
    return json.dumps([{"id": "choose", "type": kind, "from": "{{ outputs.write.uri }}", **properties}])[1:-1]


FILTER = "io.kestra.plugin.core.storage.FilterItems"


@pytest.mark.parametrize(
    ("properties", "left"),
    [
        ({"filterCondition": "{{ record.key == 'a' }}"}, [1, 4]),
        ({"filterCondition": " {{ key == 'a' }} ", "filterType": "EXCLUDE"}, [2, 3, None]),
        ({"filterCondition": "{{ value == null }}", "filterType": "EXCLUDE"}, [1, 2, 3, 4]),
        ({"filterCondition": "{{ value % 2 == 0 }}", "errorOrNullBehavior": "EXCLUDE"}, [2, 4]),
        ({"filterCondition": "{{ value % 2 == 0 }}", "errorOrNullBehavior": "INCLUDE"}, [2, 4, None]),
        ({"filterCondition": "{{ value }}", "errorOrNullBehavior": "EXCLUDE"}, [1, 2, 3, 4]),
        (
            {"filterCondition": "{{ nowhere }}", "errorOrNullBehavior": "INCLUDE", "filterType": "EXCLUDE"},
            [1, 2, 3, 4, None],
        ),
        ({"filterCondition": "{{ value > vars.least | default(99) }}", "errorOrNullBehavior": "EXCLUDE"}, [3, 4]),
    ],
)
def test_items_are_filtered(
    run_tasks: RunTasks, engine: Engine, properties: dict[str, object], left: list[object]
) -> None:
    execution = run_tasks(f"{write(ROWS, '.jsonl')}- {choose(FILTER, **properties)}\n", more="variables: {least: 2}")
    assert chosen(engine, execution) == left
    outputs = execution.task_runs["choose"].outputs
    assert (outputs["processedItemsTotal"], outputs["droppedItemsTotal"]) == (5, 5 - len(left))


@pytest.mark.parametrize(
    ("condition", "why"), [("{{ value % 2 == 0 }}", "item 5 cannot be evaluated"), ("{{ value }}", "item 5 is null")]
)
def test_an_item_that_cannot_be_judged_fails_the_task(run_tasks: RunTasks, condition: str, why: str) -> None:
    execution = run_tasks(f"{write(ROWS)}- {choose(FILTER, filterCondition=condition)}\n")
    assert execution.state == "FAILED"
    assert any(f"`filterCondition` of {why}" in message for message in messages(execution))


def test_the_last_of_items_with_one_key_stays(run_tasks: RunTasks, engine: Engine) -> None:
    kind = "io.kestra.plugin.core.storage.DeduplicateItems"
    execution = run_tasks(
        f"{write(ROWS, '')}- {choose(kind, expr='{{ record.key }}-{{ vars.x }}')}\n", more="variables: {x: 1}"
    )
    assert chosen(engine, execution) == [3, 4, None]
    outputs = dict(execution.task_runs["choose"].outputs)
    assert str(outputs.pop("uri")).endswith(".jsonl")
    assert outputs == {"numKeys": 3, "processedItemsTotal": 5, "droppedItemsTotal": 2}


def test_what_is_no_json_is_said(run_tasks: RunTasks) -> None:
    execution = run_tasks(f"{write('{}' + chr(10) + chr(10) + '{a:1}')}- {choose('deduplicate_items', expr='x')}\n")
    assert execution.state == "FAILED"
    assert any("item 2 is no JSON: '{a:1}'" in message for message in messages(execution))


def test_local_files_are_written_and_stored(run_tasks: RunTasks, engine: Engine) -> None:
    execution = run_tasks("""
        - {id: write, type: write_file, content: stored}
        - id: dir
          type: working_directory
          tasks:
            - id: in
              type: io.kestra.plugin.core.storage.LocalFiles
              inputs: {hello.txt: "Hello {{ flow.id }}", sub/copy.txt: "{{ outputs.write.uri }}"}
            - {id: sh, type: shell, commands: ["cat hello.txt sub/copy.txt > sub/both.txt"]}
            - {id: out, type: io.kestra.core.tasks.storages.LocalFiles, outputs: ["sub/**"]}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    uris = execution.task_runs["out"].outputs["uris"]
    assert isinstance(uris, dict)
    assert sorted(uris) == ["sub/both.txt", "sub/copy.txt"]
    assert engine.read_file(str(uris["sub/both.txt"])) == b"Hello flowstored"


def test_files_of_the_execution_are_purged(run_tasks: RunTasks, engine: Engine) -> None:
    first = run_tasks(write("other"))
    execution = run_tasks(
        write("x") + "- {id: purge, type: io.kestra.plugin.core.storage.PurgeCurrentExecutionFiles}\n"
    )
    assert execution.state == "SUCCESS"
    uri = str(execution.task_runs["write"].outputs["uri"])
    assert execution.task_runs["purge"].outputs == {"uris": [uri]}
    assert not engine.store.files.exists(uri)
    assert text(engine, first, "write") == "other"

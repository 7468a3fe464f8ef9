"""Triggers on folders of this machine and of real SFTP, FTP and FTPS servers: the same ones do the same everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbflow.engine import Engine
from nbflow.errors import TaskFailedError
from tests.tasks.fs.conftest import Server

FLOW = """
id: job
namespace: tests
tasks:
  - {id: say, type: return, format: "{% for f in trigger.files %}{{ f.name }}: {{ read(f.path) }}; {% endfor %}"}
triggers:
"""


def watch(engine: Engine, server: Server, **properties: object) -> None:
    trigger = {"id": "s", "type": f"io.kestra.plugin.fs.{server.kind}.Trigger", **server.login, **properties}
    text = json.dumps(trigger).replace("{}", server.base)
    engine.deploy(f"{FLOW}  - {text}\n")


def polled(engine: Engine) -> str | None:
    """What the execution says that a look started; None when it started none."""
    execution = engine.poll("tests", "job", "s")
    return None if execution is None else str(execution.wait(30).task_runs["say"].outputs["value"])


def put(server: Server, name: str, text: str) -> None:
    path = server.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_files_that_are_moved_or_deleted_start_the_flow_once(engine: Engine, server: Server) -> None:
    put(server, "in/a.csv", "1")
    put(server, "in/b.txt", "no")
    given = {"from": "{}/in/", "regExp": ".*[.]csv", "moveDirectory": "{}/done/"}
    watch(engine, server, action="MOVE", **given)
    assert polled(engine) == "a.csv: 1; "
    assert (server.folder / "done" / "a.csv").read_text() == "1"
    assert polled(engine) is None
    put(server, "in/c.csv", "3")
    watch(engine, server, action="DELETE", **given)
    assert polled(engine) == "c.csv: 3; "
    assert [path.name for path in (server.folder / "in").iterdir()] == ["b.txt"]


@pytest.mark.parametrize(
    ("on", "said"),
    [
        ("CREATE", ["a.csv: 1; ", None, "b.csv: 2; "]),
        ("UPDATE", [None, "a.csv: changed; ", None]),
        ("CREATE_OR_UPDATE", ["a.csv: 1; ", "a.csv: changed; ", "b.csv: 2; "]),
    ],
)
def test_files_that_stay_count_when_they_are_new_or_changed(
    engine: Engine, server: Server, on: str, said: list[str | None]
) -> None:
    put(server, "in/a.csv", "1")
    watch(engine, server, on=on, **{"from": "{}/in/"})
    found = [polled(engine)]
    put(server, "in/a.csv", "changed")
    found.append(polled(engine))
    put(server, "in/b.csv", "2")
    found.append(polled(engine))
    assert found == said


def test_more_files_than_wanted_at_once_start_the_flow_again(engine: Engine, server: Server) -> None:
    for name in ("a", "b", "c"):
        put(server, f"in/{name}.csv", name)
    watch(engine, server, maxFiles=2, **{"from": "{}/in/"})
    assert [polled(engine), polled(engine), polled(engine)] == ["a.csv: a; b.csv: b; ", "c.csv: c; ", None]


def test_files_behind_any_url_start_the_flow(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("1")
    place = Server("nowhere", tmp_path, {"type": "nbflow.fs.Trigger"})
    url = f"file://{tmp_path}"
    watch(engine, place, action="MOVE", **{"from": f"{url}/in/", "moveDirectory": f"{url}/done/"})
    assert polled(engine) == "a.csv: 1; "
    assert (tmp_path / "done" / "a.csv").read_text() == "1"
    assert polled(engine) is None


def test_a_file_that_was_replaced_meanwhile_is_left_for_the_next_look(engine: Engine, tmp_path: Path) -> None:
    """The files can only be moved at the second try; until then one of them has changed."""
    server = Server("local", tmp_path, {}, base=str(tmp_path))
    put(server, "in/a.csv", "1")
    put(server, "in/b.csv", "2")
    put(server, "done", "a file where the folder is to be")
    watch(engine, server, action="MOVE", **{"from": "{}/in/", "moveDirectory": "{}/done"})
    with pytest.raises((TaskFailedError, OSError)):
        engine.poll("tests", "job", "s")
    assert len(engine.executions("tests", "job")) == 1
    with pytest.raises((TaskFailedError, OSError)):
        engine.poll("tests", "job", "s")
    assert len(engine.executions("tests", "job")) == 1
    (tmp_path / "done").unlink()
    put(server, "in/a.csv", "changed")
    assert polled(engine) == "a.csv: changed; "
    assert sorted(path.name for path in (tmp_path / "done").iterdir()) == ["a.csv", "b.csv"]

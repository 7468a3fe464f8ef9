"""The same commands against a server: a real `nbflow server` process, asked over its REST API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from nbflow.testing import eventually
from tests.cli.cli_calls import BROKEN, FAILING, HELLO, SLEEPER, Done, Nbflow
from tests.server.live import LiveServer, live_server

TOKEN = "a-token-of-the-tests"

NIGHTLY = """\
id: nightly
namespace: company.team
tasks:
  - id: date
    type: io.kestra.plugin.core.debug.Return
    format: "{{ trigger.date }}"
triggers:
  - id: daily
    type: io.kestra.plugin.core.trigger.Schedule
    cron: "0 6 * * *"
    disabled: true
"""

WITH_FILE = """\
id: reader
namespace: company.team
inputs:
  - {id: doc, type: FILE}
tasks:
  - id: read
    type: io.kestra.plugin.core.debug.Return
    format: "{{ read(inputs.doc) }}"
"""

PAUSED = """\
id: paused
namespace: company.team
tasks:
  - id: ask
    type: io.kestra.plugin.core.flow.Pause
    onResume:
      - {id: answer, type: STRING}
  - id: told
    type: io.kestra.plugin.core.debug.Return
    format: "{{ outputs.ask.onResume.answer }}"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    home = tmp_path_factory.mktemp("server") / "home"
    with live_server(home, "--token", TOKEN, "--basic-auth", "ada:pass:word") as running:
        yield running


@pytest.fixture
def remote(nbflow: Nbflow, server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Nbflow:
    """`remote("flows", "list")` asks the server."""
    monkeypatch.setenv("NBFLOW_SERVER", server.url)
    monkeypatch.setenv("NBFLOW_TOKEN", TOKEN)
    return nbflow


@pytest.fixture
def deployed(remote: Nbflow, tmp_path: Path) -> Callable[..., None]:
    """Deploys sources to the server."""

    def deploy(*sources: str) -> None:
        for number, source in enumerate(sources):
            file = tmp_path / f"flow{number}.yaml"
            file.write_text(source)
            done = remote("flows", "deploy", str(file))
            assert done.status == 0, done.err

    return deploy


def newest(remote: Nbflow, flow: str) -> str:
    return str(remote("executions", "list", "--flow", flow, "--limit", "1", "-o", "json").json[0]["id"])


def said(done: Done) -> Done:
    assert done.status == 0, done.err
    return done


def test_flows_are_deployed_listed_shown_switched_and_deleted(remote: Nbflow, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(HELLO.replace("id: hello", "id: shown"))
    assert said(remote("flows", "create", str(file))).out == "deployed company.team.shown, revision 1\n"
    again = remote("flows", "create", str(file))
    assert (again.status, again.err.splitlines()[0]) == (2, "error: the flow company.team.shown is there already")
    file.write_text(file.read_text().replace("Greets", "Says hello"))
    assert said(remote("flows", "update", str(file))).out == "deployed company.team.shown, revision 2\n"
    assert "company.team  shown" in remote("flows", "list").out
    assert remote("flows", "get", "company.team", "shown").out == file.read_text()
    assert "-description: Greets." in remote("flows", "diff", "company.team.shown").out
    assert remote("flows", "graph", "company.team.shown").out.splitlines()[1].endswith("after greet")
    assert said(remote("flows", "disable", "company.team.shown")).out == "company.team.shown is off\n"
    refused = remote("flows", "execute", "company.team.shown")
    assert (refused.status, "is disabled" in refused.err) == (2, True)
    assert said(remote("flows", "enable", "company.team.shown")).status == 0
    assert said(remote("flows", "delete", "company.team.shown")).out == "deleted company.team.shown\n"
    gone = remote("flows", "get", "company.team.shown")
    assert (gone.status, gone.err.splitlines()[0]) == (2, "error: there is no flow `company.team.shown`")


def test_a_flow_that_is_not_valid_is_told_with_its_places(remote: Nbflow, tmp_path: Path) -> None:
    file = tmp_path / "b.yaml"
    file.write_text(BROKEN)
    done = remote("flows", "deploy", str(file))
    assert done.status == 2
    assert "io.kestra.plugin.core.log.Lob" in done.err
    checked = remote("validate", str(file), "-o", "json")
    assert (checked.status, checked.json[0]["problems"][0]["line"]) == (2, 5)


def test_an_execution_is_started_and_shown_as_it_goes(remote: Nbflow, deployed: Callable[..., None]) -> None:
    deployed(HELLO)
    done = said(remote("flows", "execute", "--namespace", "company.team", "--flow", "hello", "--input", "name=Bob"))
    assert "INFO  greet: Hello Bob" in done.out
    assert "SUCCESS after" in done.out
    assert "greeted: Bob" in done.out
    id_ = newest(remote, "hello")
    assert remote("executions", "get", id_, "-o", "json").json["outputs"] == {"greeted": "Bob"}
    assert "INFO  greet: Hello Bob" in remote("executions", "logs", id_).out
    assert "INFO  greet: Hello Bob" in remote("executions", "logs", id_, "--follow", "--level", "info").out
    assert remote("executions", "eval", id_, "{{ inputs.name }}").out == "Bob\n"
    assert remote("executions", "outputs", id_).out == "greeted: Bob\n"
    assert remote("executions", "outputs", id_, "--task", "answer", "-o", "json").json == {"value": "Bob"}
    assert {one["taskId"] for one in remote("executions", "metrics", id_, "-o", "json").json} == {"greet", "answer"}
    assert said(remote("executions", "replay", id_, "name=Ada")).out.count("Hello Ada") == 1
    assert said(remote("executions", "labels", id_, "team=qa", "-o", "json")).json[-1] == {"key": "team", "value": "qa"}
    assert id_ in remote("executions", "list", "--label", "team=qa").out
    assert f"{id_} company.team.hello" in remote("logs", "search", "Hello Bob", "--flow", "hello").out
    assert remote("executions", "delete", id_).out == f"{id_} deleted\n"
    assert remote("executions", "get", id_).status == 2


def test_a_file_is_deployed_and_run_at_once(remote: Nbflow, tmp_path: Path) -> None:
    file = tmp_path / "flow.yaml"
    file.write_text(HELLO.replace("id: hello", "id: atonce"))
    assert "Hello Eve" in said(remote("run", str(file), "name=Eve")).out
    assert remote("flows", "get", "company.team.atonce", "-o", "yaml").status == 0
    listed = remote("flows", "by-query", "delete", "-n", "company.team", "--query", "atonce").out
    assert listed == "company.team.atonce\ndelete: 1 flow\n"
    assert remote("flows", "get", "company.team.atonce").status == 2


def test_the_status_tells_that_an_execution_failed(remote: Nbflow, deployed: Callable[..., None]) -> None:
    deployed(FAILING)
    done = remote("executions", "run", "company.team", "failing")
    assert done.status == 1
    assert "FAILED broken" in done.out
    assert remote("executions", "restart", newest(remote, "failing")).status == 1
    assert remote("executions", "watch", newest(remote, "failing")).status == 1


def test_a_file_goes_along(remote: Nbflow, deployed: Callable[..., None], tmp_path: Path) -> None:
    deployed(WITH_FILE)
    (tmp_path / "doc.txt").write_text("what is in it")
    said(remote("flows", "execute", "company.team.reader", "--file", f"doc=@{tmp_path / 'doc.txt'}"))
    id_ = newest(remote, "reader")
    assert remote("executions", "outputs", id_, "--task", "read").out == "value: what is in it\n"
    assert remote("executions", "file", id_, "doc.txt").out == "what is in it"
    said(remote("executions", "files", id_, "--save", str(tmp_path / "saved")))
    assert (tmp_path / "saved" / "inputs" / "doc.txt").read_text() == "what is in it"


def test_an_execution_is_only_started_and_then_killed(remote: Nbflow, deployed: Callable[..., None]) -> None:
    deployed(SLEEPER)
    started = said(remote("flows", "execute", "company.team.sleeper", "--no-wait", "-o", "json")).json["id"]
    assert said(remote("executions", "kill", started)).out.startswith(f"{started} KILL")
    assert remote("executions", "watch", started, "-o", "json").json["state"]["current"] == "KILLED"
    timed = remote("flows", "execute", "company.team.sleeper", "--timeout", "0.2")
    assert (timed.status, "KILLED" in timed.out) == (1, True)


def test_a_paused_execution_is_resumed_with_its_answer(remote: Nbflow, deployed: Callable[..., None]) -> None:
    deployed(PAUSED)
    id_ = said(remote("flows", "execute", "company.team.paused", "--no-wait", "-o", "json")).json["id"]
    eventually(lambda: remote("executions", "get", id_, "-o", "json").json["state"]["current"] == "PAUSED", 60)
    refused = remote("executions", "resume", id_)
    assert (refused.status, "answer" in refused.err) == (2, True)
    said(remote("executions", "resume", id_, "answer=yes"))
    assert remote("executions", "outputs", id_, "--task", "told").out == "value: yes\n"


def test_many_executions_are_steered_by_a_query(remote: Nbflow, deployed: Callable[..., None]) -> None:
    deployed(SLEEPER.replace("id: sleeper", "id: many"))
    ids = {remote("flows", "execute", "company.team.many", "--no-wait", "-o", "json").json["id"] for _ in range(3)}
    listed = remote("executions", "by-query", "kill", "--flow", "many", "--dry-run", "-o", "json").json
    assert {one["id"] for one in listed} == ids
    assert said(remote("executions", "by-query", "kill", "--flow", "many")).out == "kill: 3 of 3 executions\n"
    assert remote("executions", "by-query", "kill").status == 2


def test_triggers_and_backfills_are_steered(remote: Nbflow, deployed: Callable[..., None]) -> None:
    deployed(NIGHTLY)
    assert said(remote("triggers", "list", "company.team", "nightly")).out.splitlines()[1].split()[3:5] == [
        "SCHEDULE",
        "off",
    ]
    assert said(remote("triggers", "disable", "company.team", "nightly", "daily")).out.endswith("/daily off\n")
    assert said(remote("triggers", "enable", "company.team.nightly", "daily")).status == 0
    dates = remote(
        "triggers", "next", "company.team", "nightly", "daily", "--from", "2026-01-01", "-c", "2", "-o", "json"
    )
    assert [one["date"] for one in dates.json] == ["2026-01-01T06:00:00+00:00", "2026-01-02T06:00:00+00:00"]
    names = ("company.team", "nightly", "daily", "--start", "2026-01-01", "--end", "2026-01-03T06:00:00")
    planned = said(remote("backfill", "create", *names, "--dry-run", "--order", "newest", "-o", "json")).json
    assert planned["dates"] == ["2026-01-03T06:00:00.000Z", "2026-01-02T06:00:00.000Z", "2026-01-01T06:00:00.000Z"]
    assert remote("executions", "list", "--flow", "nightly", "-o", "json").json == []
    ended = said(remote("backfill", "create", *names, "--parallelism", "2", "--wait", "-o", "json")).json
    assert (ended["state"], ended["succeeded"], ended["total"]) == ("DONE", 3, 3)
    assert ended["id"] in remote("backfill", "list").out
    assert len(remote("executions", "list", "--flow", "nightly", "-o", "json").json) == 3


def test_values_files_and_secrets_are_kept(remote: Nbflow, tmp_path: Path) -> None:
    said(remote("kv", "set", "company.kept", "answer", "42", "--ttl", "PT1H"))
    said(remote("namespaces", "kv", "set", "company.kept", "name", "Ada"))
    assert remote("kv", "get", "company.kept", "answer", "-o", "json").json["type"] == "NUMBER"
    assert remote("kv", "get", "company.kept", "name").out == "Ada\n"
    assert [one["key"] for one in remote("kv", "list", "company.kept", "-o", "json").json] == ["answer", "name"]
    said(remote("kv", "delete", "company.kept", "name"))
    assert remote("kv", "get", "company.kept", "name").status == 2
    folder = tmp_path / "assets"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.sql").write_text("SELECT 1")
    (folder / "sub" / "b.txt").write_text("b")
    said(remote("nsfiles", "upload", "company.kept", str(folder), "put/here"))
    assert remote("files", "list", "company.kept", "-o", "json").json == ["put/here/a.sql", "put/here/sub/b.txt"]
    assert remote("files", "get", "company.kept", "--path", "put/here/a.sql").out == "SELECT 1"
    said(remote("files", "move", "company.kept", "put/here/a.sql", "a.sql"))
    assert remote("files", "delete", "company.kept", "put").status == 2
    said(remote("files", "delete", "company.kept", "put", "--recursive"))
    assert remote("files", "list", "company.kept", "-o", "json").json == ["a.sql"]
    (tmp_path / "secret").write_text("very secret\n")
    said(remote("secrets", "set", "company.kept", "PASS", "--file", str(tmp_path / "secret")))
    listed = remote("secrets", "list", "company.kept", "-o", "json")
    assert [one["key"] for one in listed.json] == ["PASS"]
    assert "very secret" not in listed.out
    said(remote("secrets", "delete", "company.kept", "PASS"))
    assert remote("secrets", "delete", "company.kept", "PASS").status == 2


def test_a_namespace_has_settings(remote: Nbflow) -> None:
    said(remote("namespaces", "create", "company.set", "--description", "A place", "--var", "size=3"))
    said(remote("namespaces", "update", "company.set", "--var", "name=x"))
    found = remote("namespaces", "get", "company.set", "-o", "json").json
    assert (found["description"], found["variables"]) == ("A place", {"size": 3, "name": "x"})
    said(remote("namespaces", "delete", "company.set"))


def test_flows_are_exported_and_imported(remote: Nbflow, deployed: Callable[..., None], tmp_path: Path) -> None:
    deployed(HELLO.replace("id: hello", "id: moved").replace("company.team", "company.moved"))
    archive = tmp_path / "flows.zip"
    said(remote("flows", "export", "--namespace", "company.moved", "--to", str(archive)))
    with ZipFile(archive, "a") as zipped:
        assert zipped.namelist() == ["company.moved.moved.yml"]
        zipped.writestr("broken.yml", BROKEN)
    said(remote("flows", "delete", "company.moved.moved"))
    done = remote("flows", "import", str(archive), "-o", "json")
    assert done.status == 2
    assert [one["imported"] for one in done.json] == [True, False]


def test_who_may_not_and_where_nobody_answers_is_told(
    nbflow: Nbflow, server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = nbflow("--server", server.url, "flows", "list")
    assert stranger.status == 2
    assert "mend: --token TOKEN" in stranger.err
    known = nbflow("flows", "list", "--server", server.url, "--token", TOKEN, "-o", "json")
    assert known.status == 0
    assert isinstance(json.loads(known.out), list)
    monkeypatch.setenv("NBFLOW_PASSWORD", "pass:word")
    assert nbflow("flows", "list", "--server", f"{server.url}/api/v1/", "--user", "ada").status == 0
    assert nbflow("--user", "ada:wrong", "--password", "wrong", "flows", "list", "--server", server.url).status == 2
    monkeypatch.setenv("NBFLOW_TOKEN", "of-somebody-else")
    assert nbflow("flows", "list", "--server", server.url).status == 2
    assert nbflow("flows", "list", "--server", server.url, "--user", "ada").status == 0
    nobody = nbflow("flows", "list", "--server", "http://127.0.0.1:1")
    assert (nobody.status, nobody.err.splitlines()[0]) == (1, "error: no server answers at http://127.0.0.1:1")
    both = nbflow("flows", "list", "--server", server.url, "--home", "here")
    assert (both.status, "a home and a server are named" in both.err) == (2, True)

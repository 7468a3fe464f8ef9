"""The command line as a whole: its spellings, its help without imports, its output for programs, its completion."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml

from nbflow.cli.groups import LazyGroup
from nbflow.cli.main import COMMANDS, app
from nbflow.cli.options import UsageError
from nbflow.cli.saving import save_below
from nbflow.engine import Engine
from nbflow.testing import eventually
from tests.cli.cli_calls import FAILING, HELLO, Nbflow, environment

NAP = """\
id: nap
namespace: company.team
tasks:
  - {id: say, type: log, message: Good night}
  - {id: nap, type: io.kestra.plugin.core.flow.Sleep, duration: PT0.5S}
"""


@pytest.fixture
def ran(home: Path) -> str:
    """The id of an execution of the deployed hello flow."""
    with Engine(home) as engine:
        engine.deploy(HELLO)
        return engine.run("company.team", "hello", {"name": "Ada"}, wait=True).id


SPELLINGS = {
    "flows": "list get show create update deploy apply validate delete export import revisions diff migrate graph "
    "enable disable execute run",
    "executions": "list get logs kill restart replay resume pause delete by-query outputs files labels eval run watch "
    "force-run metrics diff purge set-state change-status",
    "triggers": "list get enable disable unlock restart delete next simulate poll by-query",
    "backfill": "create list get pause resume cancel watch",
    "namespaces": "list get create update delete files kv secrets",
    "files": "list get cat put upload delete move",
    "kv": "list get set delete",
    "secrets": "list set delete",
    "logs": "search list download",
    "plugins": "list doc schema new",
}
"""The commands that there must be, in the words of kestractl and of the issue."""


@pytest.mark.parametrize("group", SPELLINGS)
def test_every_command_is_there_in_every_spelling(group: str) -> None:
    top = typer.main.get_command(app)
    assert isinstance(top, LazyGroup)
    for name in (group, *COMMANDS[group].also):
        found = top.get_command(None, name)
        assert set(SPELLINGS[group].split()) <= set(found.commands), name


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_explains_itself(nbflow: Nbflow, name: str) -> None:
    done = nbflow(name, "--help")
    assert done.status == 0, done.err
    assert f"Usage: nbflow {name}" in done.out


def test_every_option_of_every_command_has_a_help() -> None:
    top = typer.main.get_command(app)
    assert isinstance(top, LazyGroup)
    for name in COMMANDS:
        command = top.get_command(None, name)
        for one in getattr(command, "commands", {name: command}).values():
            assert one.help or hasattr(one, "commands"), f"{name} {one.name}"
            bare = [param.name for param in one.params if not (param.hidden or getattr(param, "help", None))]
            assert not bare, f"{name} {one.name}: {bare}"


def test_the_help_imports_no_command(home: Path) -> None:
    code = (
        "import sys; from nbflow.cli.main import invoke; sys.argv = ['nbflow', '--help']; invoke(); "
        "heavy = {'pydantic', 'sqlalchemy', 'httpx', 'rich', 'yaml', 'nbflow.engine', 'nbflow.cli.flows'}; "
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(home), check=False
    )
    assert done.returncode == 0, done.stderr
    assert "\n  flows " in done.stdout


def test_a_slip_of_the_pen_is_answered_with_the_nearest_name(nbflow: Nbflow) -> None:
    done = nbflow("flwos", "list")
    assert done.status == 2
    assert "Did you mean 'flows'?" in done.err


@pytest.mark.parametrize(
    "words", [("company.team.hello",), ("company.team", "hello"), ("-n", "company.team", "--flow", "hello")]
)
def test_a_flow_is_named_in_any_way(nbflow: Nbflow, ran: str, words: tuple[str, ...]) -> None:
    assert nbflow("flow", "show", *words).out == HELLO
    assert nbflow("flows", "execute", *words, "--input", "name=Bo").status == 0


def test_rows_come_as_json_yaml_or_csv(nbflow: Nbflow, ran: str) -> None:
    (found,) = nbflow("executions", "list", "-o", "json").json
    assert yaml.safe_load(nbflow("executions", "list", "-o", "yaml").out)[0]["id"] == found["id"] == ran
    (row,) = csv.DictReader(nbflow("executions", "list", "-o", "csv").out.splitlines())
    assert (row["id"], row["state.current"], row["inputs.name"]) == (ran, "SUCCESS", "Ada")
    assert row["labels"] == f"system.correlationId:{ran}"
    assert nbflow("executions", "list", "-o", "table").out == nbflow("executions", "list").out
    assert nbflow("flows", "list", "-o", "xml").status == 2


def test_a_flow_is_not_changed_against_ones_will(nbflow: Nbflow, ran: str, tmp_path: Path) -> None:
    file = tmp_path / "hello.yaml"
    file.write_text(HELLO.replace("Greets", "Says hello"))
    refused = nbflow("flows", "deploy", str(file), "--no-override")
    assert (refused.status, "company.team.hello is there already" in refused.err) == (2, True)
    assert nbflow("flows", "deploy", str(file), "--namespace", "other").out == "deployed other.hello, revision 1\n"
    assert nbflow("flows", "update", str(file)).out == "deployed company.team.hello, revision 2\n"
    (tmp_path / "new.yaml").write_text(FAILING)
    assert "nbflow flows create" in nbflow("flows", "update", str(tmp_path / "new.yaml")).err
    assert [one["revision"] for one in nbflow("flows", "revisions", "company.team.hello", "-o", "json").json] == [1, 2]
    shown = nbflow("flows", "diff", "company.team.hello")
    assert shown.out.splitlines()[:2] == ["--- revision 1", "+++ revision 2"]
    assert nbflow("flows", "diff", "company.team.hello", "--file", str(file)).out == "nothing has changed\n"


def test_a_run_is_left_to_a_server_of_the_home_and_only_to_one(nbflow: Nbflow, ran: str, home: Path) -> None:
    done = nbflow("flows", "execute", "company.team.hello", "--no-wait")
    assert (done.status, "nbflow server" in done.err) == (2, True)
    with Engine(home, scheduler=True) as server:
        eventually(lambda: server.scheduler_status().is_running)
        handed = nbflow("flows", "execute", "company.team.hello", "--no-wait", "-o", "json").json["id"]
        assert server.wait(handed, timeout=30).state == "SUCCESS"


def test_what_many_cannot_do_keeps_nobody_from_the_next(nbflow: Nbflow, ran: str) -> None:
    done = nbflow("executions", "by-ids", "replay", ran, "5LJHz5SSYjdpgYcmLBuFvz")
    assert done.status == 1
    assert "replay: 1 of 2 executions" in done.out
    assert nbflow("executions", "by-query", "delete", "--flow", "hello", "-o", "json").json[0]["done"] is True
    assert nbflow("executions", "list", "-o", "json").json == []


def test_an_execution_of_somebody_else_is_watched(nbflow: Nbflow, home: Path) -> None:
    with Engine(home) as engine:
        engine.deploy(NAP)
        id_ = engine.run("company.team", "nap").id
        done = nbflow("executions", "follow", id_)
    assert done.status == 0, done.err
    assert "Good night" in done.out
    assert "SUCCESS after" in done.out


def test_logs_of_all_executions_are_searched(nbflow: Nbflow, ran: str) -> None:
    assert "greet: Hello Ada" in nbflow("logs", "search", "Hello").out
    assert nbflow("logs", "search", "Hello", "--min-level", "WARNING").out == "no lines\n"
    assert nbflow("logs", "search", "--from", "2999-01-01", "-o", "json").json == []
    assert nbflow("logs", "search", "--from", "tomorrow").status == 2
    assert nbflow("logs", "search", "--level", "LOUD").status == 2


def test_a_number_or_a_date_keeps_its_type_as_a_value(nbflow: Nbflow) -> None:
    for text, kind in (
        ("42", "NUMBER"),
        ("true", "BOOLEAN"),
        ("2026-01-31", "DATE"),
        ("PT1H", "DURATION"),
        ("Pa", "STRING"),
    ):
        assert nbflow("kv", "set", "company.team", "k", text).status == 0
        assert nbflow("kv", "get", "company.team", "k", "-o", "json").json["type"] == kind, text
    assert nbflow("kv", "set", "company.team", "k", "42", "--text").status == 0
    assert nbflow("kv", "get", "company.team", "k", "-o", "json").json == {
        "type": "STRING",
        "value": "42",
        "revision": 6,
    }
    assert nbflow("kv", "set", "company.team", "k", "1", "--ttl", "soon").status == 2


def test_a_namespace_is_named_as_a_word_or_an_option(nbflow: Nbflow, tmp_path: Path) -> None:
    assert nbflow("kv", "set", "--namespace", "company.team", "k", "").status == 0
    assert nbflow("kv", "get", "company.team", "k").out == "\n"
    assert nbflow("kv", "set", "company.team", "k").status == 2
    assert nbflow("kv", "delete", "-n", "company.team", "k").status == 0
    (tmp_path / "a.txt").write_text("a")
    assert nbflow("namespaces", "files", "put", "-n", "company.team", str(tmp_path / "a.txt"), "b.txt").status == 0
    assert nbflow("files", "get", "--namespace", "company.team", "b.txt").out == "a"
    assert nbflow("files", "move", "company.team", "b.txt", "c.txt").status == 0
    assert nbflow("files", "list", "-n", "company.team", "-o", "json").json == ["c.txt"]
    assert nbflow("files", "delete", "company.team", "c.txt", "--namespace", "company.team").status == 2
    assert nbflow("secrets", "set", "company.team", "PASS", "hidden").out == "set PASS of company.team\n"
    assert "hidden" not in nbflow("secrets", "list", "-o", "yaml").out
    assert nbflow("secrets", "delete", "--namespace", "company.team", "PASS").status == 0
    nameless = nbflow("kv", "get", "company.team")
    assert (nameless.status, nameless.err.splitlines()[0]) == (2, "error: name a key")


@pytest.mark.parametrize("name", ["..", "a/b", "a\\b", "", "a\0"])
def test_a_name_from_elsewhere_never_leaves_the_directory(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="can be no name of a file"):
        save_below(tmp_path / "here", ("inputs", name), b"x")
    assert not (tmp_path / "here").exists()


def test_logs_and_sources_are_written_to_files(nbflow: Nbflow, ran: str, tmp_path: Path) -> None:
    assert nbflow("logs", "download", ran, "--to", str(tmp_path / "logs" / "one.txt")).status == 0
    assert "INFO Hello Ada" in (tmp_path / "logs" / "one.txt").read_text()
    assert nbflow("flows", "export", "--to", str(tmp_path / "sources")).status == 0
    assert (tmp_path / "sources" / "company.team.hello.yml").read_text() == HELLO
    (tmp_path / "file").write_text("")
    blocked = nbflow("flows", "export", "--to", str(tmp_path / "file" / "x"))
    assert (blocked.status, "cannot be written" in blocked.err) == (2, True)


def test_what_only_a_home_can_do_is_not_asked_of_a_server(nbflow: Nbflow) -> None:
    done = nbflow("--server", "http://127.0.0.1:1", "gc")
    assert (done.status, "works in a home on this machine" in done.err) == (2, True)


def test_names_are_offered_for_completion(nbflow: Nbflow, ran: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_NBFLOW_COMPLETE", "complete_bash")
    for line, expected in (
        ("nbflow flo", "flows"),
        ("nbflow flows get comp", "company.team.hello"),
        (f"nbflow executions get {ran[:5]}", ran),
    ):
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - 1))
        assert nbflow().out.split() == [expected], line


def test_asking_for_names_makes_no_home(nbflow: Nbflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBFLOW_HOME", str(tmp_path / "nowhere"))
    monkeypatch.setenv("_NBFLOW_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "nbflow flows get c")
    monkeypatch.setenv("COMP_CWORD", "3")
    assert nbflow().out.split() == []
    assert not (tmp_path / "nowhere").exists()

"""The commands that look things up and change them, in all their spellings."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbflow import __version__
from nbflow.engine import Engine
from tests.cli.cli_calls import BROKEN, HELLO, Nbflow


@pytest.fixture
def ran(home: Path) -> str:
    """The id of an execution of the deployed hello flow."""
    with Engine(home) as engine:
        engine.deploy(HELLO)
        return engine.run("company.team", "hello", {"name": "Ada"}, wait=True).id


def test_help_names_the_commands(nbflow: Nbflow) -> None:
    done = nbflow("--help")
    assert done.status == 0
    for name in ("run", "validate", "flows", "executions", "namespaces", "render", "plugins", "version"):
        assert f"\n  {name}" in done.out


def test_the_version_is_told(nbflow: Nbflow) -> None:
    assert nbflow("version").out == nbflow("--version").out == f"nbflow {__version__}\n"
    assert nbflow("version", "--output", "json").json == {"nbflow": __version__}


@pytest.mark.parametrize("arguments", [("dance",), ("run",), ("flows", "list", "--colour", "red"), ("flows", "get")])
def test_wrong_usage_ends_with_2(nbflow: Nbflow, arguments: tuple[str, ...]) -> None:
    done = nbflow(*arguments)
    assert done.status == 2
    assert done.err


def test_flows_are_deployed_listed_shown_and_deleted(nbflow: Nbflow, tmp_path: Path) -> None:
    folder = tmp_path / "flows"
    (folder / ".hidden").mkdir(parents=True)
    (folder / "a.yaml").write_text(HELLO)
    (folder / "b.yml").write_text(HELLO.replace("id: hello", "id: second") + "---\n" + HELLO.replace("hello", "third"))
    (folder / ".hidden" / "c.yaml").write_text(BROKEN)
    deployed = nbflow("flow", "deploy", str(folder))
    assert deployed.out.splitlines() == [
        f"deployed company.team.{each}, revision 1" for each in ("hello", "second", "third")
    ]
    listed = nbflow("flow", "list", "--namespace=company.team")
    assert listed.out.splitlines()[1].split() == ["company.team", "hello", "1", "Greets."]
    assert nbflow("flows", "list", "--namespace", "other").out == "no flows; `nbflow flows deploy FILE` adds one\n"
    assert [flow["id"] for flow in nbflow("flows", "list", "-o", "json").json] == ["hello", "second", "third"]
    assert nbflow("flows", "get", "company.team.hello").out == HELLO
    assert nbflow("flows", "get", "--namespace", "company.team", "--id", "hello", "-o", "json").json["source"] == HELLO
    assert nbflow("namespaces", "list").out.splitlines()[1].split() == ["company.team", "3"]
    assert nbflow("flows", "delete", "company.team.third").out == "deleted company.team.third\n"
    gone = nbflow("flows", "get", "company.team.third")
    assert (gone.status, gone.err.splitlines()[0]) == (2, "error: there is no flow `company.team.third`")


def test_nothing_is_deployed_when_one_flow_is_wrong(nbflow: Nbflow, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(HELLO)
    (tmp_path / "b.yaml").write_text(BROKEN)
    done = nbflow("flows", "deploy", str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml"))
    assert done.status == 2
    assert "nothing was deployed" in done.err
    assert nbflow("flows", "list", "-o", "json").json == []


def test_a_flow_is_executed_in_the_words_of_kestra(nbflow: Nbflow, ran: str) -> None:
    done = nbflow("flows", "execute", "--namespace", "company.team", "--flow", "hello", "name=Bob")
    assert done.status == 0
    assert "Hello Bob" in done.out


def test_executions_are_listed_and_shown(nbflow: Nbflow, ran: str) -> None:
    row = nbflow("executions", "list", "--namespace", "company.team", "--state", "success").out.splitlines()[1]
    assert row.split()[:4] == [ran, "company.team", "hello", "SUCCESS"]
    assert nbflow("executions", "list", "--state", "FAILED").out == "no executions\n"
    assert nbflow("executions", "list", "--state", "DONE").status == 2
    shown = nbflow("execution", "get", ran).out
    assert "name: Ada" in shown
    assert "greeted: Ada" in shown
    assert nbflow("executions", "get", "--id", ran, "-o", "json").json["id"] == ran
    missing = nbflow("executions", "get", "5LJHz5SSYjdpgYcmLBuFvz")
    assert (missing.status, missing.err.splitlines()[0]) == (2, "error: there is no execution `5LJHz5SSYjdpgYcmLBuFvz`")


def test_the_log_is_shown_and_followed(nbflow: Nbflow, ran: str) -> None:
    assert "INFO  greet: Hello Ada" in nbflow("executions", "logs", ran).out
    followed = nbflow("executions", "logs", "--id", ran, "--follow")
    assert "INFO  greet: Hello Ada" in followed.out
    assert nbflow("executions", "logs", ran, "--level", "error").out == ""
    assert nbflow("executions", "logs", ran, "--task", "greet", "-o", "json").json[0]["message"] == "Hello Ada"


def test_what_has_ended_cannot_be_killed(nbflow: Nbflow, ran: str) -> None:
    done = nbflow("executions", "kill", ran)
    assert (done.status, done.err) == (2, f"error: execution {ran} has ended already: SUCCESS\n")


def test_a_home_is_named_in_either_place(nbflow: Nbflow, ran: str, tmp_path: Path) -> None:
    other = str(tmp_path / "other")
    assert nbflow("flows", "list", "--home", other, "-o", "json").json == []
    assert nbflow("flows", "list", "-o", "json").json != []


def test_an_expression_is_rendered(nbflow: Nbflow, tmp_path: Path) -> None:
    assert nbflow("render", "{{ inputs.name | upper }}", "inputs.name=Ada").out == "ADA\n"
    (tmp_path / "v.yaml").write_text("inputs: {name: Bob}\n")
    assert nbflow("render", "{{ inputs.name }}", "--variables", str(tmp_path / "v.yaml"), "-o", "json").json == {
        "result": "Bob"
    }
    wrong = nbflow("render", "{{ inputs.nmae }}", "inputs.name=Ada")
    assert wrong.status == 2
    assert "Traceback" not in wrong.err


def test_an_expression_is_rendered_on_an_execution(nbflow: Nbflow, tmp_path: Path) -> None:
    assert nbflow("render", "x", "--execution", "last").status == 2
    flow = tmp_path / "f.yaml"
    flow.write_text("id: f\nnamespace: n\ntasks: [{id: a, type: return, format: hi}]\n")
    assert nbflow("run", str(flow)).status == 0
    assert nbflow("render", "{{ outputs.a.value }} {{ x }}", "x=1", "--execution", "last").out == "hi 1\n"
    assert nbflow("render", "{{ taskrun.state }}", "--execution", "last", "--task", "a").out == "SUCCESS\n"


def test_what_expressions_can_call_is_listed_and_explained(nbflow: Nbflow) -> None:
    assert "value | upper" in nbflow("expressions").out
    assert nbflow("expressions", "chunk").out.startswith("filter chunk: value | chunk(size)\n")
    assert nbflow("expressions", "uuid", "-o", "json").json[0]["kind"] == "function"
    assert nbflow("expressions", "--page").out.startswith("# Expressions")
    unknown = nbflow("expressions", "uper")
    assert (unknown.status, "did you mean `upper`?" in unknown.err) == (2, True)


def test_types_are_listed_and_explained(nbflow: Nbflow) -> None:
    listed = {entry["type"] for entry in nbflow("plugins", "list", "--kind", "task", "-o", "json").json}
    assert "io.kestra.plugin.core.log.Log" in listed
    explained = nbflow("plugins", "doc", "log").out
    assert explained.startswith("io.kestra.plugin.core.log.Log\nalso: log")
    assert "  message (required): " in explained
    unknown = nbflow("plugins", "doc", "io.kestra.plugin.core.log.Lob")
    assert (unknown.status, "io.kestra.plugin.core.log.Log" in unknown.err) == (2, True)

"""`nbflow flows test`: suites from files, results for people and programs, the exit status."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.cli_calls import HELLO, Nbflow

SUITE = """\
id: hello_tests
namespace: company.team
flowId: hello
testCases:
  - id: greets
    fixtures:
      inputs: {name: Ada}
      tasks: [{id: answer, outputs: {value: Grace}, description: "<not> asked"}]
    assertions:
      - {value: "{{ execution.outputs.greeted }}", equalTo: Grace}
      - {log: Hello Ada}
"""
WRONG = (
    SUITE
    + """\
  - id: wrong
    description: cannot hold
    assertions:
      - value: "{{ execution.outputs.greeted }}"
        equalTo: <Nobody>
        description: the name
  - id: left_out
    disabled: true
    assertions: [{state: SUCCESS}]
"""
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a flow, a suite of it, and what is neither."""
    place = tmp_path / "flows"
    place.mkdir()
    (place / "hello.yaml").write_text(HELLO)
    (place / "hello_tests.yaml").write_text(SUITE)
    (place / "settings.yaml").write_text("a: 1\n")
    return place


def test_a_folder_of_flows_and_suites_is_tested_without_a_home(nbflow: Nbflow, folder: Path, home: Path) -> None:
    done = nbflow("flows", "test", str(folder))
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == f"hello_tests of company.team.hello ({folder}/hello.yaml)"
    assert lines[1].startswith("  ✓ SUCCESS  greets")
    assert lines[1].endswith("1 mocked")
    assert lines[-1] == "1 case, 1 passed"
    assert not home.exists()


def test_what_does_not_hold_is_told_with_its_place_and_fails(nbflow: Nbflow, folder: Path) -> None:
    file = folder / "hello_tests.yaml"
    file.write_text(WRONG)
    done = nbflow("flows", "test", str(file))
    assert done.status == 1
    assert f"{file}:16:9 {{{{ execution.outputs.greeted }}}} equalTo  (the name)" in done.out
    assert "expected: <Nobody>" in done.out
    assert "actual:   World" in done.out
    assert done.out.splitlines()[-1] == "3 cases, 1 passed, 1 failed, 1 skipped"
    assert nbflow("flows", "test", str(file), "--case", "greets").status == 0


def test_a_deployed_flow_is_tested(nbflow: Nbflow, folder: Path, tmp_path: Path) -> None:
    assert nbflow("flows", "deploy", str(folder / "hello.yaml")).status == 0
    alone = tmp_path / "elsewhere" / "suite.yaml"
    alone.parent.mkdir()
    alone.write_text(SUITE)
    done = nbflow("flow", "test", str(alone))
    assert done.status == 0, done.err
    assert done.out.startswith("hello_tests of company.team.hello (deployed, revision 1)")


def test_programs_get_json_and_junit(nbflow: Nbflow, folder: Path, tmp_path: Path) -> None:
    (folder / "hello_tests.yaml").write_text(WRONG)
    report = tmp_path / "reports" / "junit.xml"
    done = nbflow("flows", "test", str(folder), "--output", "json", "--junit", str(report))
    assert done.status == 1
    (suite,) = done.json
    assert (suite["id"], suite["state"], suite["flowId"]) == ("hello_tests", "FAILED", "hello")
    states = {case["testId"]: case["state"] for case in suite["results"]}
    assert states == {"greets": "SUCCESS", "wrong": "FAILED", "left_out": "SKIPPED"}
    (failed,) = suite["results"][1]["assertionResults"]
    assert (failed["operator"], failed["expected"], failed["actual"], failed["line"]) == (
        "equalTo",
        "<Nobody>",
        "World",
        16,
    )
    root = ElementTree.parse(report).getroot()
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
    }
    cases = {case.get("name"): case for case in root.iter("testcase")}
    failure = cases["wrong"].find("failure")
    assert failure is not None
    assert "expected: <Nobody>\nactual:   World" in str(failure.text)
    assert cases["left_out"].find("skipped") is not None
    assert cases["greets"].get("classname") == "company.team.hello"


def test_a_suite_that_is_not_valid_runs_nothing(nbflow: Nbflow, folder: Path) -> None:
    file = folder / "hello_tests.yaml"
    file.write_text(SUITE.replace("equalTo", "equalsto").replace("id: answer", "id: anser"))
    done = nbflow("flows", "test", str(folder))
    assert done.status == 2
    assert f"{file}:10:52  testCases[0].assertions[0].equalsto: there is no property `equalsto` here" in done.err
    assert "mend: did you mean `equalTo`?" in done.err
    file.write_text(SUITE.replace("id: answer", "id: anser"))
    done = nbflow("flows", "test", str(folder))
    assert done.status == 2
    assert (
        f"{file}:8:20  testCases[0].fixtures.tasks[0].id: the flow company.team.hello has no task `anser`" in done.err
    )
    assert "mend: did you mean `answer`?" in done.err


def test_what_cannot_be_tested_is_told(nbflow: Nbflow, folder: Path) -> None:
    done = nbflow("flows", "test", str(folder / "hello.yaml"))
    assert done.status == 2
    assert "there is no test suite in" in done.err
    done = nbflow("flows", "test", str(folder), "--case", "gone")
    assert done.status == 2
    assert "there is no case `gone`" in done.err
    assert nbflow("flows", "test").status == 2


def test_the_schema_of_suites_is_shown(nbflow: Nbflow) -> None:
    assert nbflow("flows", "test", "--schema").json["title"] == "Suite"

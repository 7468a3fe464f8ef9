"""What is wrong with a suite is told with its place, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbflow.flowtests import SuiteError, World, find_suites, is_suite, prepared, read_suite, suite_schema
from tests.flowtests.suites import NOWHERE, flow, problems, suite

FLOW = flow("- {id: load, type: return, format: x}", "inputs: [{id: day, type: STRING, required: false}]")


def test_every_problem_of_a_suite_is_told_at_once() -> None:
    found = problems(
        """\
id: suite
namespace: company.team
testCases:
  - id: one
    typ: io.kestra.core.tests.flow.UnitTest
    fixtures:
      tasks:
        - {id: load, state: RUNNING}
    assertions:
      - {value: "{{ outputs.load.value }}", equalto: 3}
      - {value: "{{ outputs.load.value | uper }}", in: 5}
      - {equalTo: 3}
"""
    )
    assert found == [
        (1, 1, "flowId", "`flowId` is missing", "add `flowId: …` (the id of the flow to test), or `flow: ./FILE.yaml`"),
        (5, 5, "testCases[0].typ", "there is no property `typ` here", "did you mean `type`?"),
        (
            8,
            29,
            "testCases[0].fixtures.tasks[0].state",
            'must be one of SUCCESS, WARNING, FAILED, SKIPPED, KILLED, CANCELLED, got "RUNNING"',
            "did you mean `WARNING`?",
        ),
        (
            10,
            45,
            "testCases[0].assertions[0].equalto",
            "there is no property `equalto` here",
            "did you mean `equalTo`?",
        ),
        (
            11,
            42,
            "testCases[0].assertions[1].value",
            "there is no filter `uper`",
            "did you mean `upper`?",
        ),
        (
            12,
            9,
            "testCases[0].assertions[2]",
            'an assertion needs a `value` to look at, such as "{{ outputs.load.rows }}"',
            "",
        ),
    ]


@pytest.mark.parametrize(
    ("case", "path", "message", "mend"),
    [
        (
            "- {id: one, fixtures: {tasks: [{id: lode}]}, assertions: [{state: SUCCESS}]}",
            "testCases[0].fixtures.tasks[0].id",
            "the flow company.team.etl has no task `lode`",
            "did you mean `load`?",
        ),
        (
            "- {id: one, fixtures: {tasks: [{id: load.x}]}, assertions: [{state: SUCCESS}]}",
            "testCases[0].fixtures.tasks[0].id",
            "the task `load` runs no flow: `x` cannot be in it",
            "name a task that is a Subflow",
        ),
        (
            "- {id: one, fixtures: {inputs: {dai: 1}}, assertions: [{state: SUCCESS}]}",
            "testCases[0].fixtures.inputs.dai",
            "the flow company.team.etl has no input `dai`",
            "did you mean `day`?",
        ),
        (
            "- {id: one, fixtures: {trigger: {id: hook}}, assertions: [{state: SUCCESS}]}",
            "testCases[0].fixtures.trigger.id",
            "the flow company.team.etl has no trigger `hook`",
            "say its `type` as well",
        ),
        (
            "- {id: one, assertions: [{taskId: lod, state: SUCCESS}]}",
            "testCases[0].assertions[0].taskId",
            "the flow company.team.etl has no task `lod`",
            "did you mean `load`?",
        ),
        (
            "- {id: one, fixtures: {files: {../x: y}}, assertions: [{state: SUCCESS}]}",
            'testCases[0].fixtures.files["../x"]',
            "`../x` is no name of a file",
            "one such as data/rows.csv",
        ),
        (
            "- {id: one, assertions: [{value: 1, in: 5}]}",
            "testCases[0].assertions[0].in",
            "`in` must be a list",
            "such as [200, 201]",
        ),
        (
            "- {id: one, assertions: [{state: SUCCESS}]}\n- {id: one, assertions: [{state: SUCCESS}]}",
            "testCases[1].id",
            "there is a case `one` already",
            "give it another name",
        ),
    ],
)
def test_what_does_not_fit_the_flow_is_a_problem(case: str, path: str, message: str, mend: str) -> None:
    assert [one[2:] for one in problems(suite(case), FLOW)] == [(path, message, mend)]


def test_a_flow_that_is_not_there_is_a_problem_of_the_suite() -> None:
    found = problems(suite("- {id: one, assertions: [{state: SUCCESS}]}", "etk"), FLOW)
    assert found == [(3, 9, "flowId", "there is no flow `company.team.etk`", "did you mean `company.team.etl`?")]


def test_a_flow_that_is_not_valid_is_told_with_its_own_file_and_lines() -> None:
    world = World(NOWHERE)
    broken = "# a comment\n---\n" + flow("- {id: load, type: no.such.Type}")
    suites = find_suites([("f.yaml", broken), ("s.yaml", suite("- {id: a, assertions: [{state: SUCCESS}]}"))], world)
    with pytest.raises(SuiteError) as refused, prepared(suites, world):
        pass
    assert refused.value.file == "f.yaml"
    assert [one.line for one in refused.value.problems] == [7]


def test_lines_count_in_the_whole_file_when_a_suite_follows_its_flow() -> None:
    text = f"{FLOW}\n---\n{suite('- {id: one, assertions: []}')}"
    with pytest.raises(SuiteError) as refused:
        find_suites([("all.yaml", text)], World(NOWHERE))
    (problem,) = refused.value.problems
    assert text.splitlines()[problem.line - 1] == "  - {id: one, assertions: []}"


def test_what_exports_of_kestra_add_is_let_through() -> None:
    text = suite("- {id: one, assertions: [{state: SUCCESS}]}")
    assert read_suite(f"{text}\ntenantId: main\ndeleted: false\n").suite.id == "suite"


def test_a_suite_may_name_the_file_of_its_flow(tmp_path: Path) -> None:
    (tmp_path / "etl.yaml").write_text(FLOW)
    named = "id: suite\nflow: ./etl.yaml\ntestCases: [{id: one, assertions: [{state: SUCCESS}]}]"
    loaded = read_suite(named, file=str(tmp_path / "suite.yaml"))
    assert World(NOWHERE).tested(loaded).uid == "company.team.etl"
    with pytest.raises(SuiteError, match="cannot be read"):
        World(NOWHERE).tested(read_suite(named.replace("etl.yaml", "gone.yaml"), file=str(tmp_path / "suite.yaml")))


def test_a_flow_beside_the_suite_is_found(tmp_path: Path) -> None:
    (tmp_path / "anything.yml").write_text(FLOW)
    file = tmp_path / "suite.yaml"
    text = suite("- {id: one, assertions: [{state: SUCCESS}]}")
    file.write_text(text)
    assert World(NOWHERE).tested(read_suite(text, file=str(file))).file == str(tmp_path / "anything.yml")


def test_suites_and_flows_are_told_apart() -> None:
    assert is_suite(suite("- {id: one}"))
    assert is_suite("id: a\nnamespace: b\nflowId: c\n# no cases yet")
    assert is_suite("id: a\ntestCases:\n  - id: [1\n"), "also one that is no YAML: it must not be passed over"
    assert not is_suite(FLOW)
    assert not is_suite("just text")


def test_the_schema_names_every_property() -> None:
    schema = suite_schema()
    assert schema["required"] == ["id", "testCases"]
    assertion = schema["$defs"]["Assertion"]["properties"]  # type: ignore[index,call-overload]  # JSON
    assert {"value", "equalTo", "in", "isNotNull", "state", "taskRuns", "noLog"} <= set(assertion)  # type: ignore[arg-type]


def test_the_suite_in_the_readme_is_valid() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    suite_of_readme = text.partition("## Testing flows")[2].partition("```yaml\n")[2].partition("```")[0]
    (case,) = read_suite(suite_of_readme).suite.test_cases
    assert case.fixtures.inputs == {"day": "2024-01-31"}
    assert case.fixtures.files == {"rows.csv": "id\n1\n2\n"}
    assert case.assertions[-1].asked == ["task_runs", "log"]

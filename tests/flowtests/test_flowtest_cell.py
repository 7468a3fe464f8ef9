"""`%%flowtest`: a suite in a cell, against a deployed flow or that of the notebook's tasks."""

from __future__ import annotations

from tests.cli.cli_calls import HELLO
from tests.magics.conftest import Run

SUITE = """\
id: hello_tests
namespace: company.team
flowId: hello
testCases:
  - id: greets
    fixtures: {inputs: {name: Ada}}
    assertions:
      - {value: "{{ outputs.answer.value }}", equalTo: Ada}
"""


def test_the_suite_of_a_cell_is_run_against_the_deployed_flow(run: Run) -> None:
    assert run(f"%%flow\n{HELLO}").success
    done = run(f"%%flowtest\n{SUITE}")
    assert done.success
    assert "hello_tests of company.team.hello (deployed, revision 1)" in done.text
    assert "✓ SUCCESS  greets" in done.text
    assert "1 case, 1 passed" in done.text
    assert "no executions" in run("%flow executions").text.lower() or "greets" not in run("%flow executions").text


def test_what_does_not_hold_is_shown_and_fails_the_cell_if_asked(run: Run) -> None:
    run(f"%%flow\n{HELLO}")
    wrong = SUITE.replace("equalTo: Ada", "equalTo: Grace")
    done = run(f"%%flowtest --to result\n{wrong}")
    assert done.success
    assert "cell:9:47 {{ outputs.answer.value }} equalTo" in done.text
    assert run("result.cases[0].failed[0].actual").value == "Ada"
    done = run(f"%%flowtest --check\n{wrong}")
    assert "the tests did not pass: 1 case, 1 failed" in str(done.error)


def test_problems_of_a_suite_are_shown_at_their_lines(run: Run) -> None:
    run(f"%%flow\n{HELLO}")
    done = run("%%flowtest\n" + SUITE.replace("testCases", "testcases"))
    assert "nothing was run" in str(done.error)
    assert "cell:5:1  testcases: there is no property `testcases` here" in done.text
    done = run("%%flowtest gone\n" + SUITE)
    assert "there is no case `gone`" in str(done.error)


def test_a_suite_without_a_flow_tests_the_cells_of_the_notebook(run: Run) -> None:
    assert run("%flow new sums rows=3").success
    assert run("%%task extract\nvalues = list(range(rows))").success
    assert run("%%task total\nresult = sum(values)").success
    done = run(
        """%%flowtest
id: own
testCases:
  - id: adds
    fixtures: {inputs: {rows: 4}}
    assertions:
      - {state: SUCCESS}
      - {taskRuns: 3}
"""
    )
    assert done.success
    assert "own of notebooks.sums (the %%task cells of this notebook)" in done.text
    assert "1 case, 1 passed" in done.text, done.text


def test_the_views_escape_what_they_show() -> None:
    from datetime import UTC, datetime

    from nbflow.flowtests import CaseResult, CaseState, Checked, SuiteResult
    from nbflow.widgets.flow_tests import suite_html

    now = datetime.now(UTC)
    failed = Checked("equalTo", "<b>", "<script>", False, subject="<i>", message="expected <i>", description="<u>")
    case = CaseResult("one", CaseState.FAILED, now, now, description="<p>", checked=[failed], logs=["<a>"])
    html = suite_html(SuiteResult("suite", "company.team", "etl", cases=[case]))
    for tag in ("<b>&lt;", "<script>", "<i>", "<u>", "<p>", "<a>"):
        assert tag not in html
    assert "&lt;script&gt;" in html

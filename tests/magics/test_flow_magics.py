"""The magics in an IPython shell without a front end: what they do, what they say, how they refuse."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.magics.conftest import Run

HELLO = """id: hello
namespace: tests
inputs:
  - id: name
    type: STRING
    defaults: Will
  - {id: times, type: INT, required: false}
tasks:
  - id: greet
    type: io.kestra.plugin.core.log.Log
    message: "Hello {{ inputs.name }}"
  - id: answer
    type: io.kestra.plugin.core.debug.Return
    format: "Cheers {{ inputs.name }}"
outputs:
  - {id: out, type: STRING, value: "{{ outputs.answer.value }}"}
"""

WRONG = """id: wrong
namespace: tests
tasks:
  - id: greet
    type: io.kestra.plugin.core.log.Lag
    message: hi
  - id: answer
    type: io.kestra.plugin.core.debug.Return
    formatt: x
"""

SLOW = """id: slow
namespace: tests
tasks:
  - {id: wait, type: io.kestra.plugin.core.flow.Sleep, duration: PT30S}
"""

FAILS = "id: fails\nnamespace: tests\ntasks:\n  - {id: no, type: io.kestra.plugin.core.execution.Fail}\n"


def test_a_cell_deploys_its_flow_and_shows_it(run: Run) -> None:
    outcome = run(f"%%flow\n{HELLO}")
    assert outcome.success
    assert outcome.value is None
    assert "tests.hello  revision 1" in outcome.text
    assert "greet  Log" in outcome.text
    assert "run it: %flow run tests.hello name=… times=…" in outcome.text
    assert "tests.hello" in run("%flow list").text


def test_the_text_is_deployed_byte_for_byte(run: Run) -> None:
    run(f"%%flow\n{HELLO}# {{x}} $y\n")
    assert run("import nbflow; nbflow.Engine.default().flow('tests', 'hello').source").value == f"{HELLO}# {{x}} $y\n"


def test_a_cell_that_waits_returns_the_handle(run: Run) -> None:
    outcome = run(f"%%flow --wait name='Ada Lovelace'\n{HELLO}")
    assert outcome.success
    assert "SUCCESS  tests.hello" in outcome.text
    assert outcome.text.count("Hello Ada Lovelace") == 1
    assert run("ex = _\nex.outputs['out']").value == "Cheers Ada Lovelace"
    assert run("ex.task_runs['answer'].outputs").value == {"value": "Cheers Ada Lovelace"}


def test_run_returns_at_once_and_binds_a_name(run: Run) -> None:
    run(f"%%flow\n{SLOW}")
    outcome = run("%flow run tests.slow --to ex --label team=data")
    assert outcome.value.id == run("ex.id").value
    assert run("ex.labels['team']").value == "data"
    assert run("%flow kill ex").success
    assert run("str(ex.wait(timeout=20).refresh().state)").value == "KILLED"


def test_a_wrong_flow_shows_every_problem_at_its_place_in_the_cell(run: Run, shell: Any) -> None:
    outcome = run(f"%%flow\n{WRONG}")
    assert not outcome.success
    assert "cell:6:11  tasks[0].type: there is no task type `io.kestra.plugin.core.log.Lag`\n" in outcome.text
    assert "    6 |     type: io.kestra.plugin.core.log.Lag\n" in outcome.text
    assert "      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n" in outcome.text
    assert "did you mean `io.kestra.plugin.core.log.Log`" in outcome.text
    assert "cell:10:5  tasks[1].formatt: there is no property `formatt` here\n" in outcome.text
    assert "   mend: did you mean `format`?\n" in outcome.text
    assert "flow: the flow is not valid: 2 problems; nothing was deployed" in outcome.text
    assert "Traceback" not in outcome.text
    assert "There are no flows" in run("%flow list").text


def test_only_validating_deploys_nothing(run: Run) -> None:
    assert "the flow is valid" in run(f"%%flow --validate\n{HELLO}").text
    assert not run(f"%%flow --validate\n{WRONG}").success
    assert "There are no flows" in run("%flow list").text


def test_inputs_that_are_refused_are_listed(run: Run) -> None:
    outcome = run(f"%%flow times=many\n{HELLO}")
    assert not outcome.success
    assert 'times: must be a whole number, got "many"' in outcome.text
    assert "flow: the inputs of tests.hello are not valid" in outcome.text


def test_an_input_that_the_flow_does_not_have_is_refused_with_the_nearest(run: Run) -> None:
    outcome = run(f"%%flow nmae=Ada\n{HELLO}")
    assert "flow: the flow tests.hello has no input `nmae`\n  mend: did you mean `name`?" in outcome.text
    assert run("%flow executions").text.strip() == "There are no such executions."


def test_a_variable_of_the_user_can_be_an_input(run: Run) -> None:
    run("who = 'Grace'")
    assert run(f"%%flow --wait name=:who\n{HELLO}").value.outputs["out"] == "Cheers Grace"


def test_a_wrong_flow_name_offers_the_nearest(run: Run) -> None:
    run(f"%%flow\n{HELLO}")
    outcome = run("%flow run tests.helo")
    assert not outcome.success
    assert "flow: there is no flow `tests.helo`\n  mend: did you mean `tests.hello`?" in outcome.text
    assert "Traceback" not in outcome.text


def test_a_wrong_command_offers_the_nearest(run: Run) -> None:
    assert "`exectuions` is no command of %flow\n  mend: did you mean `executions`?" in run("%flow exectuions").text
    assert "to run a flow: %flow run tests.hello" in run("%flow tests.hello").text


def test_the_line_alone_explains(run: Run) -> None:
    text = run("%flow").text
    for command in ("run", "list", "show", "executions", "logs", "outputs", "gantt", "kill", "validate", "render"):
        assert f"%flow {command}" in text


def test_the_last_execution_is_meant_when_none_is_named(run: Run) -> None:
    run(f"%%flow --wait name=Ada\n{HELLO}")
    assert "Hello Ada" in run("%flow logs").text
    assert "Hello Ada" not in run("%flow logs --level WARN").text
    assert "answer.value: Cheers Ada" in run("%flow outputs").text
    assert "█" in run("%flow gantt").text or "▏" in run("%flow gantt").text
    assert "tests.hello" in run("%flow executions --state success").text


def test_checking_fails_the_cell_when_the_execution_fails(run: Run) -> None:
    assert run(f"%%flow --wait\n{FAILS}").success
    outcome = run(f"%%flow --check\n{FAILS}")
    assert not outcome.success
    assert "ended as FAILED" in outcome.text


def test_a_timeout_leaves_the_execution_running(run: Run) -> None:
    outcome = run(f"%%flow --timeout 0.2 --to ex\n{SLOW}")
    assert not outcome.success
    assert "did not end within 0.20 s" in outcome.text
    assert run("str(ex.state)").value == "RUNNING"
    run("ex.kill()")


def test_quiet_shows_nothing(run: Run) -> None:
    outcome = run(f"ex = get_ipython().run_cell_magic('flow', '--wait --quiet', {HELLO!r})")
    assert outcome.text == ""
    assert run("str(ex.state)").value == "SUCCESS"


def test_render_shows_what_an_expression_gives(run: Run) -> None:
    assert run("%flow render '{{ inputs.a | upper }}!' a=x").value == "X!"
    assert "flow: " in run("%flow render '{{ nope }}'").text


def test_render_on_an_execution(run: Run) -> None:
    run(f"%%flow --wait name=Ada\n{HELLO}")
    assert run("%flow render '{{ inputs.name }} {{ x }}' x=1 --execution last").value == "Ada 1"
    assert run("%flow render '{{ taskrun.state }}' --execution last --task answer").value == "SUCCESS"
    assert "nope" in run("%flow render x --execution nope").text


def test_expressions_are_explained(run: Run) -> None:
    assert "value | upper" in run("%flow expressions").text
    assert "value | chunk(size)" in run("%flow expressions chunk").text
    assert "did you mean `upper`?" in run("%flow expressions uper").text


def test_types_are_explained(run: Run) -> None:
    assert "io.kestra.plugin.core.log.Log" in run("%flow doc").text
    explained = run("%flow doc log").text
    assert "message (required)" in explained
    assert "example: Write a line" in explained
    assert "did you mean `io.kestra.plugin.core.log.Log`" in run("%flow doc io.kestra.plugin.core.log.Lob").text


def test_files_are_validated_and_deployed(run: Run, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(HELLO)
    bad.write_text(WRONG)
    assert "is a valid flow" in run(f"%flow validate {good}").text
    assert f"{bad}:5:11  tasks[0].type" in run(f"%flow validate {bad}").text
    assert run(f"%flow deploy {good}").success
    assert run("%flow show tests.hello --source").text.count("id: greet") == 1
    assert "cannot be read" in run("%flow validate nowhere.yaml").text


def test_a_deleted_flow_is_gone(run: Run) -> None:
    run(f"%%flow\n{HELLO}")
    assert "is deleted" in run("%flow delete tests.hello").text
    assert not run("%flow run tests.hello").success


def test_help_is_there_under_the_question_mark(shell: Any) -> None:
    manager = shell.magics_manager.magics
    assert "ex.task_runs" in manager["line"]["flow"].__doc__
    assert "%%flow --wait" in manager["cell"]["flow"].__doc__


def test_loading_twice_and_unloading_leave_nothing_behind(shell: Any) -> None:
    before = len(shell.Completer.custom_matchers)
    shell.run_line_magic("reload_ext", "nbflow")
    assert len(shell.Completer.custom_matchers) == before
    shell.run_line_magic("unload_ext", "nbflow")
    assert "flow" not in shell.magics_manager.magics["cell"]
    assert len(shell.Completer.custom_matchers) == before - 1


def test_loading_is_quick_and_imports_nothing_heavy() -> None:
    code = (
        "import sys, time\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "begun = time.perf_counter()\n"
        "shell.run_line_magic('load_ext', 'nbflow')\n"
        "assert time.perf_counter() - begun < 0.4\n"
        "heavy = {'sqlalchemy', 'plotly', 'duckdb', 'pandas', 'ipywidgets', 'anywidget', 'papermill', 'pydantic'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_executions_are_paused_resumed_restarted_and_replayed(run: Run) -> None:
    flow = "id: p\nnamespace: tests\ntasks:\n  - {id: ask, type: pause, onResume: [{id: x, type: INT}]}\n"
    fails = "  - {id: bad, type: io.kestra.plugin.core.execution.Fail, condition: '{{ outputs.ask.onResume.x < 5 }}'}\n"
    run(f"%%flow --to ex\n{flow}{fails}")
    run("%flow run tests.p --to ex")
    run("from nbflow import Engine; e = Engine.default().wait(ex.id, 'PAUSED', 20)")
    assert "must be a whole number" in run("%flow resume ex x=many").text
    run("%flow resume ex x=1")
    assert run("str(Engine.default().wait(ex.id, None, 20).state)").value == "FAILED"
    assert "nothing to pause" in run("%flow pause ex").text
    run("%flow restart ex")
    assert run("len(Engine.default().wait(ex.id, None, 20).task_runs['bad'].attempts)").value == 2
    run("%flow replay ex --task bad --to again")
    assert run("again.original_id == ex.id").value is True
    assert "no task run of `nope`" in run("%flow replay ex --task nope").text

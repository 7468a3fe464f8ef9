"""`%%task` cells: what they do when they run, what is inferred of them, and the flow they make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.magics.conftest import Run

EXTRACT = "%%task extract\nimport pandas as pd\ndf = pd.DataFrame({'x': [1, 2, 3]})\ndf.x.sum()"
CLEAN = "%%task clean --retry 3 --timeout PT5M\nbig = df[df.x > least]\nlen(big)"
LOAD = "%%task load\nprint('rows:', len(big), big.x.sum())"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_a_cell_runs_as_usual_and_is_shown_as_a_task(run: Run) -> None:
    outcome = run(EXTRACT)
    assert outcome.success
    assert outcome.value == 6
    assert "task extract of notebooks.notebook:  gives df" in outcome.text


def test_needs_are_inferred_and_constants_come_along(run: Run) -> None:
    run("least = 1")
    run(EXTRACT)
    assert "needs extract (df) · brings along least · gives big" in run(CLEAN).text
    assert "needs clean (big)" in run(LOAD).text


def test_the_flow_of_the_tasks_runs(run: Run, shell: Any) -> None:
    run("%flow new etl --namespace demo")
    run("least = 1")
    for cell in (EXTRACT, CLEAN, LOAD):
        run(cell)
    ex = run("%flow run --wait").value
    assert ex.state == "SUCCESS", [entry.message for entry in ex.logs()]
    assert (ex.namespace, ex.flow_id) == ("demo", "etl")
    assert any("rows: 2 5" in entry.message for entry in ex.logs(task_id="load"))
    outputs = ex["clean"].outputs
    assert outputs["vars"]["big"].endswith("big.parquet")
    assert outputs["values"]["big"].startswith("pandas.DataFrame 2 × 1, ")
    replayed = run(f"%flow replay {ex.id} --from load").value
    assert replayed.wait(60).state == "SUCCESS"


def test_a_task_sees_nothing_of_the_kernel(run: Run, shell: Any) -> None:
    run("%%task one\nimport os\npid = os.getpid()\nassert 'hidden' not in globals()")
    shell.user_ns["hidden"] = 1
    ex = run("%flow run --wait").value
    assert ex.state == "SUCCESS"
    assert ex["one"].outputs["vars"]["pid"] != shell.user_ns["pid"]


def test_running_a_cell_again_replaces_its_task(run: Run) -> None:
    run("%%task one\na = 1")
    run("%%task two\nb = a + 1")
    run("%%task one\na = 10")
    ex = run("%flow run --wait").value
    assert ex["two"].outputs["vars"]["b"] == 11


def test_a_failing_cell_shows_its_own_error_and_stays_a_task(run: Run) -> None:
    outcome = run("%%task broken\nx = 1\ny = x / 0")
    assert isinstance(outcome.error, ZeroDivisionError)
    assert "line 3" in outcome.text or "3 y = x / 0" in outcome.text
    assert "it failed here" in outcome.text


def test_a_syntax_error_is_told_with_its_line_and_keeps_the_task_as_it_was(run: Run) -> None:
    run("%%task one\na = 1")
    outcome = run("%%task one\na = 1\nb = (")
    assert "line 3" in outcome.text or "Cell In" in outcome.text
    assert not outcome.success
    assert run("%flow run --wait").value["one"].outputs["vars"]["a"] == 1


def test_await_at_the_top_works(run: Run) -> None:
    outcome = run("%%task waits\nimport asyncio\nawait asyncio.sleep(0)\nz = 3\nz")
    assert outcome.value == 3
    assert run("%flow run --wait").value["waits"].outputs["vars"]["z"] == 3


def test_sql_runs_over_frames_here_and_in_the_flow(run: Run, shell: Any) -> None:
    run("least = 1")
    run(EXTRACT)
    outcome = run("%%task totals --type sql\nSELECT count(*) AS n, sum(x)::INT AS total FROM df WHERE x > $least")
    assert outcome.success, outcome.text
    assert shell.user_ns["totals"].to_dict("records") == [{"n": 2, "total": 5}]
    assert "needs extract (df) · brings along least · gives totals" in outcome.text
    run("%%task tell\nprint(totals.total[0])")
    ex = run("%flow run --wait").value
    assert ex.state == "SUCCESS", [entry.message for entry in ex.logs()]
    assert any(entry.message == "5" for entry in ex.logs(task_id="tell"))


def test_sql_tells_of_tables_there_are_not(run: Run) -> None:
    outcome = run("%%task t --type sql\nSELECT * FROM nowhere")
    assert not outcome.success
    assert "nowhere" in str(outcome.error)


def test_shell_and_markdown_see_values(run: Run) -> None:
    run("%%task one\nname = 'Ada'\nrows = [1, 2]")
    outcome = run(
        '%%task say --type shell --out size\nfor i in a b; do echo "$i $name $rows"; done\n'
        'echo \'::{"outputs": {"size": 3}}::\''
    )
    assert "a Ada [1, 2]" in outcome.text, outcome.text
    outcome = run("%%task report --type markdown\n## {{ name }}: {{ size }}")
    assert "## Ada: 3" in outcome.text
    ex = run("%flow run --wait").value
    assert ex.state == "SUCCESS", [entry.message for entry in ex.logs()]
    assert any(entry.message == "b Ada [1, 2]" for entry in ex.logs(task_id="say"))
    assert ex["report"].outputs["text"] == "## Ada: 3\n"


def test_inputs_are_names_here_and_inputs_of_the_flow(run: Run, shell: Any) -> None:
    outcome = run("%flow new etl rows=5 day=2024-01-31 ratio=0.5 deep=true tags=[1,2] who=Ada")
    assert "input day: DATE = 2024-01-31" in outcome.text
    assert shell.user_ns["rows"] == 5
    assert shell.user_ns["deep"] is True
    assert shell.user_ns["tags"] == [1, 2]
    run("path = f'data/{day}.csv'")
    outcome = run("%%task one\nmine = [rows, day, ratio, deep, tags, who, path]\nmine")
    assert "takes inputs day, deep, ratio, rows, tags, who" in outcome.text
    assert run("%flow run --wait").value["one"].outputs["vars"]["mine"] == outcome.value
    ex = run("%flow run rows=7 --wait").value
    assert ex["one"].outputs["vars"]["mine"][0] == 7


def test_a_file_may_be_an_input(run: Run, here: Path) -> None:
    (here / "a.json").write_text("[1]")
    run("%flow new etl table:FILE=a.json")
    run("%%task one\nfrom pathlib import Path\ntext = Path(table).read_text()")
    assert run("%flow run --wait").value["one"].outputs["vars"]["text"] == "[1]"


def test_relative_paths_are_those_of_the_notebook(run: Run, here: Path) -> None:
    (here / "mod.py").write_text("VALUE = 7\n")
    (here / "data.txt").write_text("abc")
    run("%%task one\nimport mod\nsize = len(open('data.txt').read()) + mod.VALUE")
    assert run("%flow run --wait").value["one"].outputs["vars"]["size"] == 10


def test_export_runs_as_it_is(run: Run, here: Path, shell: Any) -> None:
    run("%flow new etl --namespace demo n=2")
    run("%%task one\nx = f'{{{n}}} {{ n }}'")
    run("%%task two --needs one\nprint(x)")
    outcome = run("%flow export etl.yaml")
    assert "nbflow run etl.yaml" in outcome.text
    text = (here / "etl.yaml").read_text()
    document = yaml.safe_load(text)
    assert document["id"] == "etl"
    assert [item["task"]["id"] for item in document["tasks"][0]["tasks"]] == ["one", "two"]
    from nbflow.engine import Engine

    engine = Engine.default()
    assert not engine.validate(text)
    engine.deploy(text)
    ex = engine.run("demo", "etl", {"n": 4}, wait=True, timeout=60)
    assert ex["one"].outputs["vars"]["x"] == "{4} { n }"
    assert "id: etl" in run("%flow export").text


def test_tasks_are_listed_and_forgotten(run: Run) -> None:
    run("%%task one\na = 1")
    run("%%task two\nb = a + 1")
    text = run("%flow tasks").text
    assert "one   python         " in text
    assert "two   python  one    a      b" in text
    assert "Forgotten: one" in run("%flow forget one").text
    text = run("%flow tasks").text
    assert "✗ two: nothing defines `a`" in text
    outcome = run("%flow run")
    assert "nothing defines `a`" in str(outcome.error)
    assert "there is no task `thre`" in str(run("%flow forget thre").error)


def test_a_value_of_a_plain_cell_that_is_work_is_refused(run: Run) -> None:
    run("import json")
    run("rows = json.loads('[1]')")
    outcome = run("%%task one\nprint(rows)")
    assert outcome.success
    assert "`rows` comes from In[2], which is no task" in outcome.text
    assert "put %%task on that cell" in outcome.text
    assert not run("%flow run").success


def test_a_value_that_cannot_be_handed_on_names_itself(run: Run) -> None:
    run("%%task opens\nimport sqlite3\nconn = sqlite3.connect(':memory:')")
    run("%%task reads\nprint(conn)")
    ex = run("%flow run --wait").value
    assert ex.state == "FAILED"
    said = " ".join(entry.message for entry in ex.logs(task_id="opens"))
    assert "cell opens: `conn` (sqlite3.Connection) cannot be handed to another task" in said
    assert "make it in the task that uses it" in said


def test_a_circle_is_refused(run: Run) -> None:
    run("%%task one\na = 1")
    run("%%task two --needs one\nb = 1")
    run("%%task one --needs two\na = 1")
    outcome = run("%flow run")
    assert "in a circle" in str(outcome.error)


def test_an_unknown_need_offers_the_nearest(run: Run) -> None:
    run("%%task extract\na = 1")
    outcome = run("%%task two --needs extrct\nb = 1")
    assert "--needs names no task: extrct" in outcome.text
    assert "did you mean" in outcome.text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "the task has no name"),
        ("a b", "`b` is one word too many"),
        ("a/b", "`a/b` is no name of a task"),
        ("a --type sqll", "there is no type of cell `sqll` (did you mean `sql`?)"),
        ("a --retry 1", "--retry is how often to try in all: 2 or more; got 1"),
        ("a --timeout soon", "--timeout is a number of seconds, or a duration such as PT5M; got soon"),
        ("a --neds b", "there is no option `--neds` here"),
        ("a --in 1=b", "--in is written name, or name=task; got 1=b"),
        ("a --env X", "--env is written NAME=value; got X"),
    ],
)
def test_a_line_that_cannot_be_read_runs_nothing(run: Run, shell: Any, line: str, message: str) -> None:
    outcome = run(f"%%task {line}\nran = 1")
    assert message in str(outcome.error)
    assert "ran" not in shell.user_ns
    assert "no tasks yet" in run("%flow tasks").text


def test_options_become_properties(run: Run) -> None:
    run("%%task a --retry 3 --interval PT2S --timeout 90 --env A=1 --env B=x --description 'what for'\nv = 1")
    task = yaml.safe_load(run("%flow export").text)["tasks"][0]["tasks"][0]["task"]
    assert task["retry"] == {"type": "constant", "maxAttempts": 3, "interval": "PT2S"}
    assert task["timeout"] == "PT90S"
    assert task["env"] == {"A": "1", "B": "x"}
    assert task["description"] == "what for"


def test_retry_tries_again(run: Run, here: Path) -> None:
    flag = here / "flag"
    run(
        f"%%task a --retry 3 --interval PT0.01S --norun\nfrom pathlib import Path\nflag = Path({str(flag)!r})\n"
        "if not flag.exists():\n    flag.touch()\n    raise OSError('first')"
    )
    ex = run("%flow run --wait").value
    assert ex.state == "SUCCESS"
    assert len(ex["a"].attempts) == 2


def test_norun_does_not_run_the_cell(run: Run, shell: Any) -> None:
    outcome = run("%%task a --norun\nran = 1")
    assert outcome.success
    assert "ran" not in shell.user_ns
    assert "task a of" in outcome.text
    assert "in line 3 of the cell" in str(run("%%task b --norun\nx = 1\ny = (").error)


def test_magics_and_shell_lines_run_in_tasks(run: Run) -> None:
    run("%%task a\nlines = !echo hello\n%time x = 1")
    ex = run("%flow run --wait").value
    assert ex.state == "SUCCESS", [entry.message for entry in ex.logs()]
    assert ex["a"].outputs["vars"]["x"] == 1


def test_functions_and_classes_of_tasks_and_plain_cells_come_along(run: Run) -> None:
    run("RATE = 2\ndef twice(n):\n    return n * RATE")
    run("%%task a\nclass Point:\n    x = 1\np = Point()\np.x = twice(4)")
    run("%%task b\nprint('x is', p.x)")
    ex = run("%flow run --wait").value
    assert ex.state == "SUCCESS", [entry.message for entry in ex.logs()]
    assert any(entry.message == "x is 8" for entry in ex.logs(task_id="b"))


def test_help_explains(run: Run) -> None:
    assert "%flow new etl rows=5" in run("%%task?").text
    assert "%flow new NAME" in run("%flow").text


def test_a_notebook_without_tasks_says_so(run: Run) -> None:
    assert "the notebook has no tasks yet" in str(run("%flow run").error)
    assert "the notebook has no tasks yet" in str(run("%flow export").error)


def test_options_and_names_are_completed(run: Run, complete: Any) -> None:
    run("%%task extract\na = 1")
    assert complete("%%task b --ne|") == ["--needs"]
    assert complete("%%task b --needs |") == ["extract"]
    assert complete("%%task b --type s|") == ["sql", "shell"]
    assert complete("%flow forget |") == ["extract"]


def test_a_terminal_waits_for_the_code_of_a_cell(shell: Any) -> None:
    assert shell.check_complete("%%task a")[0] == "incomplete"
    assert shell.check_complete("%%task a\nx = 1\n\n")[0] == "complete"


def test_a_failed_run_is_restarted_with_what_there_is(run: Run, here: Path) -> None:
    run("%%task one\nimport uuid\nrows = str(uuid.uuid4())")
    run("%%task two --norun\nsize = len(open('late.txt').read()), rows")
    ex = run("%flow run --wait").value
    assert ex.state == "FAILED"
    made = ex["one"].outputs["vars"]["rows"]
    (here / "late.txt").write_text("abc")
    ex = run(f"%flow restart {ex.id}").value.wait(60)
    assert ex.state == "SUCCESS", [entry.message for entry in ex.logs()]
    assert ex["one"].outputs["vars"]["rows"] == made


def test_a_change_in_a_plain_cell_is_told(run: Run) -> None:
    run("%%task one\nrows = [1]")
    run("rows.append(2)")
    outcome = run("%%task two\nprint(rows)")
    assert "⚠ `rows` is changed by In[2], which is no task: the flow leaves that out" in outcome.text
    assert run("%flow run --wait").value.state == "SUCCESS"


def test_a_notebook_is_a_task_too(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBFLOW_HOME", str(here / ".nbflow"))
    (here / "report.py").write_text(
        '# %% tags=["parameters"]\nrows = [0]\nname = "x"\n\n'
        "# %%\nimport nbflow\nnbflow.outputs(total=sum(rows), who=name)\n"
    )
    run("%%task one\nrows = [1, 2]")
    assert "there is no notebook nowhere.ipynb" in str(run("%%task report --type notebook\nnowhere.ipynb").error)
    outcome = run("%%task report --type notebook --in rows --out total,who\nreport.py\nparameters: {name: Ada}")
    assert "needs one (rows) · gives total, who" in outcome.text
    run("%%task tell --norun\nprint(who, total)")
    ex = run("%flow run --wait").value
    assert ex.state == "SUCCESS", [entry.message for entry in ex.logs()]
    assert any(entry.message == "Ada 3" for entry in ex.logs(task_id="tell"))

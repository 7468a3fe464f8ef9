"""The flow of some cells: who needs whom, what passes, what is unclear."""

from __future__ import annotations

from nbflow.tasks.cells.cell import Cell
from nbflow.tasks.cells.document import flow_document
from nbflow.tasks.cells.plan import Plan, plan


def planned(*cells: Cell, inputs: tuple[str, ...] = ()) -> Plan:
    return plan(cells, inputs)


def plain(code: str, name: str = "In[1]") -> Cell:
    return Cell(name, code, is_task=False)


def test_a_task_takes_a_name_from_the_last_task_that_bound_it() -> None:
    found = planned(Cell("a", "x = 1"), Cell("b", "x = x + 1"), Cell("c", "print(x)"))
    assert found.tasks["b"].needs == {"a": ("x",)}
    assert found.tasks["c"].needs == {"b": ("x",)}
    assert not found.problems


def test_a_value_changed_in_place_comes_from_the_one_who_changed_it() -> None:
    found = planned(Cell("a", "df = load()\ndef load(): ..."), Cell("b", "df['x'] = 1"), Cell("c", "df.head()"))
    assert found.tasks["c"].needs == {"b": ("df",)}
    assert found.tasks["b"].gives == ["df"]


def test_only_what_is_read_is_handed_on_and_ends_may_be_missing() -> None:
    found = planned(Cell("a", "x = 1\ny = 2"), Cell("b", "z = x"))
    assert found.tasks["a"].gives == ["x"]
    assert found.tasks["b"].gives == ["z?"]


def test_imports_functions_and_constants_come_along_in_order() -> None:
    found = planned(
        plain("import math\nRATE = 2\nUNUSED = 3\ndef area(r):\n    # round\n    return math.pi * r * RATE"),
        Cell("a", "print(area(1))"),
    )
    assert found.tasks["a"].preamble == (
        "import math\nRATE = 2\ndef area(r):\n    # round\n    return math.pi * r * RATE\n"
    )


def test_work_of_a_plain_cell_is_an_error_that_says_how_to_mend_it() -> None:
    found = planned(plain("import pandas as pd\ndf = pd.read_csv('a.csv')", "In[3]"), Cell("a", "df.head()"))
    assert [str(problem) for problem in found.errors] == [
        "a: `df` comes from In[3], which is no task (put %%task on that cell, or give the value with --in df=TASK)"
    ]


def test_a_name_that_nothing_defines_offers_the_nearest() -> None:
    found = planned(Cell("a", "total = 1"), Cell("b", "print(totl)"))
    assert [str(problem) for problem in found.errors] == ["b: nothing defines `totl` (did you mean `total`?)"]


def test_needs_said_by_hand_limit_where_values_come_from() -> None:
    found = planned(Cell("a", "x = 1"), Cell("b", "x = 2"), Cell("c", "print(x)", needs=("a",)))
    assert found.tasks["c"].takes == {"x": "a"}
    found = planned(Cell("a", "x = 1"), Cell("b", "y = 2"), Cell("c", "print(x)", needs=("b",)))
    assert [str(problem) for problem in found.errors] == [
        "c: `x` is given by `a`, which --needs leaves out (add a to --needs)"
    ]


def test_in_said_by_hand_says_from_whom() -> None:
    found = planned(Cell("a", "x = 1"), Cell("b", "x = 2"), Cell("c", "print(x)", takes={"x": "a"}))
    assert found.tasks["c"].takes == {"x": "a"}


def test_a_circle_is_an_error() -> None:
    found = planned(Cell("a", "x = 1", needs=("b",)), Cell("b", "y = 1", needs=("a",)))
    assert "in a circle" in found.errors[0].message


def test_code_that_cannot_be_read_is_an_error_with_its_line() -> None:
    found = planned(Cell("a", "x = 1\ny = ("))
    assert str(found.errors[0]) == "a: it cannot be read: '(' was never closed, line 2"


def test_inputs_of_the_flow_are_names() -> None:
    found = planned(plain("PATH = f'{day}.csv'"), Cell("a", "print(PATH, rows)"), inputs=("day", "rows"))
    assert found.tasks["a"].inputs == ["day", "rows"]
    assert not found.problems


def test_sql_takes_tables_and_names_its_rows_after_the_task() -> None:
    found = planned(Cell("a", "df = 1"), Cell("by-city", "SELECT * FROM df", "sql"), Cell("c", "print(by_city)"))
    assert found.tasks["by-city"].takes == {"df": "a"}
    assert found.tasks["c"].takes == {"by_city": "by-city"}


def test_shell_takes_variables_that_tasks_give_and_leaves_the_rest_to_the_environment() -> None:
    found = planned(Cell("a", "name = 1"), Cell("b", "for f in *; do echo $f $HOME ${name}; done", "shell"))
    assert found.tasks["b"].takes == {"name": "a"}
    assert not found.problems


def test_classes_come_along_to_who_reads_their_objects() -> None:
    found = planned(plain("class P:\n    x = 1"), Cell("a", "p = P()"), Cell("b", "print(p.x)"))
    assert found.tasks["b"].preamble == "class P:\n    x = 1\n"


def test_the_document_keeps_code_that_looks_like_a_template() -> None:
    found = planned(Cell("my-task", "x = f'{{{1}}}'"), Cell("b", "print(x)"))
    document = flow_document(found, "f", "ns", directory=".")
    dag = document["tasks"][0]  # type: ignore[index, call-overload]
    first, second = dag["tasks"]  # type: ignore[index, call-overload]
    assert first["task"]["script"] == "{% verbatim %}x = f'{{{1}}}'\n{% endverbatim %}"
    assert second["task"]["in"] == {"x": "{{ outputs['my-task'].vars.x }}"}
    assert second["dependsOn"] == ["my-task"]


def test_constants_of_plain_cells_are_values_of_shell_and_markdown() -> None:
    found = planned(plain("WHO = 'Ada'"), Cell("a", "echo $WHO", "shell"), Cell("b", "# {{ WHO }}", "markdown"))
    dag = flow_document(found, "f", "ns", directory=".")["tasks"][0]  # type: ignore[index, call-overload]
    assert [item["task"]["in"] for item in dag["tasks"]] == [{"WHO": "Ada"}, {"WHO": "Ada"}]  # type: ignore[index, call-overload, union-attr]

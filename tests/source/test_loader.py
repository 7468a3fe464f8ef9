"""Loading: a text becomes a flow, or every problem of it at once."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from nbflow.errors import FlowValidationError, Problem
from nbflow.model.dynamic import Dynamic
from nbflow.model.flow import Flow, PluginDefault
from nbflow.plugins.registry import Registry
from nbflow.source import load_flow, split_documents, validate
from tests.source.parts import Dag, Group, Log, Query, Script, Switch, make_registry, named

HEAD = "id: f\nnamespace: company.team\n"
Load = Callable[..., Flow]


@pytest.fixture
def load(registry: Registry) -> Load:
    def load(text: str, **options: object) -> Flow:
        return load_flow(HEAD + text, registry=registry, **options).flow  # type: ignore[arg-type]

    return load


@pytest.fixture
def problems(registry: Registry) -> Callable[[str], list[Problem]]:
    return lambda text: validate(HEAD + text, registry=registry)


@pytest.fixture
def shown(problems: Callable[[str], list[Problem]]) -> Callable[[str], list[str]]:
    """Problems as text, without the place."""

    def shown(text: str) -> list[str]:
        return [
            f"{'' if found.is_error else 'warning: '}{found.path}: {found.message}"
            + (f" ({found.hint})" if found.hint else "")
            for found in problems(text)
        ]

    return shown


def test_a_flow_knows_its_source_and_its_values(registry: Registry) -> None:
    text = HEAD + "tasks:\n  - {id: a, type: log, message: hi}\n"
    loaded = load_flow(text, registry=registry)
    assert loaded.flow.source == text
    assert loaded.document == {
        "id": "f",
        "namespace": "company.team",
        "tasks": [{"id": "a", "type": "log", "message": "hi"}],
    }
    assert loaded.problems == []
    assert isinstance(loaded.flow.tasks[0], Log)


def test_nested_tasks_find_their_classes(load: Load) -> None:
    flow = load("""
tasks:
  - id: group
    type: test.core.Group
    tasks:
      - id: switch
        type: test.core.Switch
        value: "{{ inputs.x ?? 'a' }}"
        cases:
          a: [{id: one, type: log, message: m}]
      - id: dag
        type: test.core.Dag
        tasks:
          - task: {id: two, type: log, message: m}
          - {task: {id: three, type: log, message: m}, dependsOn: [two]}
    errors: [{id: four, type: log, message: m}]
""")
    assert [task.id for task in flow.all_tasks()] == ["group", "four", "switch", "one", "dag", "two", "three"]
    assert isinstance(flow.tasks[0], Group)
    assert [type(task) for task in flow.tasks[0].tasks] == [Switch, Dag]


def test_scalars_are_text_where_text_is_wanted(load: Load) -> None:
    flow = load("tasks: [{id: 1, type: test.core.Script, script: 1.10, env: {A: yes, B: 012, C: 1e3}}]\n")
    script = flow.tasks[0]
    assert isinstance(script, Script)
    assert (script.id, script.script, script.env) == ("1", "1.10", {"A": "true", "B": "012", "C": "1e3"})


def test_an_expression_may_stand_for_a_value_of_another_type(load: Load) -> None:
    task = load(
        "tasks: [{id: q, type: test.db.one.Query, url: u, sql: s, rows: '{{ 1 + 1 }}', timeout: '{{ x }}'}]\n"
    ).tasks[0]
    assert isinstance(task, Query)
    assert (task.rows, task.timeout) == ("{{ 1 + 1 }}", "{{ x }}")


def test_all_problems_are_found_at_once(problems: Callable[[str], list[Problem]]) -> None:
    text = """tasks:
  - id: a b
    type: log
    mesage: hi
    level: LOUD
  - id: g
    type: test.core.Grop
  - id: q
    type: test.db.one.Query
    rows: abc
    url: x
triggers:
  - {id: s, type: schedule, cron: "0 9"}
nonsense: 1
"""
    assert [str(problem) for problem in problems(text)] == [
        "4:5  tasks[0].message: `message` is missing (add `message: …` (text to write))",
        '4:9  tasks[0].id: must be letters, digits, `-` and `_`, starting with a letter or digit, got "a b"',
        "6:5  tasks[0].mesage: there is no property `mesage` here (did you mean `message`?)",
        '7:12  tasks[0].level: must be one of INFO, WARN, got "LOUD"',
        "9:11  tasks[1].type: there is no task type `test.core.Grop` (did you mean `test.core.Group`?)",
        "10:5  tasks[2].sql: `sql` is missing (add `sql: …` (the question))",
        '12:11  tasks[2].rows: must be a whole number, got "abc"',
        '15:35  triggers[0].cron: must be a cron expression such as "0 9 * * *", got "0 9"',
        "16:1  nonsense: there is no property `nonsense` here (take it out, or write it into `description`)",
    ]
    assert {problem.length for problem in problems(text)} >= {6, 8}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tasks: [{id: a, type: log, message: m}, {id: a, type: log, message: m}]\n",
         ["tasks[1].id: the task id `a` is used twice, first in line 3 (give each task an id of its own)"]),
        ("tasks:\n- {id: g, type: test.core.Group, tasks: [{id: a, type: log, message: m}]}\n"
         "errors: [{id: a, type: log, message: m}]\n",
         ["errors[0].id: the task id `a` is used twice, first in line 4 (give each task an id of its own)"]),
        ("tasks: [{id: a, type: log, message: m}]\ntriggers:\n- {id: s, type: schedule, cron: 0 9 * * *}\n"
         "- {id: s, type: schedule, cron: 0 9 * * *}\n",
         ["triggers[1].id: the trigger id `s` is used twice, first in line 5 (give each trigger an id of its own)"]),
        ("tasks: [{id: a, type: log, message: m}]\ninputs:\n- {id: i, type: INT}\n- {id: i, type: INT}\n",
         ["inputs[1].id: the input id `i` is used twice, first in line 5 (give each input an id of its own)"]),
        ("tasks: [{id: a, type: log, message: m}]\ninputs:\n- {id: i, type: INT}\n- {id: i.j, type: INT}\n",
         ["inputs[1].id: `i.j` needs `i` to be a group, and there is an input `i` (rename one of the two)"]),
        ("tasks: [{id: a, type: log, message: m}]\ninputs: [{id: i, type: STRNG}]\n",
         ['inputs[0].type: there is no input type "STRNG" (did you mean `STRING`?)']),
        ("tasks: [{id: a, type: log, message: m}]\ninputs: [{id: i, type: INT, defaults: x}]\n",
         ['inputs[0].defaults: must be a whole number, got "x"']),
        ("tasks: [{id: a, type: log, message: m}]\ninputs: [{id: i, type: INT, mim: 1}]\n",
         ["inputs[0].mim: there is no property `mim` here (did you mean `min`?)"]),
        ("tasks: []\n", ["tasks: needs at least 1 item"]),
        ("tasks: {id: a}\n", ['tasks: must be a list, got {"id": "a"}']),
        ("tasks: [{id: a}]\n",
         ["tasks[0]: `type` is missing: it says what the task does (usual ones are io.kestra.plugin.core.log.Log, "
          "io.kestra.plugin.core.http.Request, io.kestra.plugin.scripts.python.Script)"]),
        ("tasks: [3, {id: a, type: [x]}]\n",
         ["tasks[0]: must be a task: a mapping with a `type`, got 3",
          'tasks[1].type: must be the name of a task type, got ["x"]']),
        ("tasks: [{id: a, type: log, message: {a: 1}}]\n", ['tasks[0].message: must be text or a list, got {"a": 1}']),
        ("tasks: [{id: a, type: log, message: m, retry: {maxAttempts: 0}}]\n",
         ["tasks[0].retry.maxAttempts: must be at least 1, got 0 (give 1 or more, or drop `retry` to run once)"]),
        ("tasks: [{id: a, type: log, message: m, disabled: maybe}]\n",
         ['tasks[0].disabled: must be true or false, got "maybe"']),
        ("tasks: [{id: a, type: test.core.Script, script: s, taskRunner: {type: test.core.Proces}}]\n",
         ["tasks[0].taskRunner.type: there is no runner type `test.core.Proces` (did you mean `test.core.Process`?)"]),
        ("tasks: [{id: a, type: log, message: m}]\nconcurrency: {limit: 0, behavior: WAIT}\n",
         ["concurrency.limit: must be at least 1, got 0 (give 1 or more)",
          'concurrency.behavior: must be one of QUEUE, CANCEL, FAIL, got "WAIT"']),
        ("tasks: [{id: a, type: log, message: m}]\n---\nid: b\n",
         [": the text holds 2 documents, and a flow is one (put each flow into a text of its own)"]),
    ],
)  # fmt: skip
def test_messages(shown: Callable[[str], list[str]], text: str, expected: list[str]) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1:1 a flow is a mapping with `id`, `namespace` and `tasks`"),
        ("just text", '1:1 a flow is a mapping with `id`, `namespace` and `tasks`, got "just text"'),
        ("kestra: {server: {port: 8080}}",
         "1:1 this is a configuration of Kestra, not a flow (a flow has `id`, `namespace` and `tasks`)"),
    ],
)  # fmt: skip
def test_a_text_that_is_no_flow(registry: Registry, text: str, problem: str) -> None:
    assert [str(found) for found in validate(text, registry=registry)] == [problem]


def test_the_error_carries_every_problem(registry: Registry) -> None:
    with pytest.raises(FlowValidationError) as refused:
        load_flow("id: f\nid: g\ntasks: []\n", registry=registry)
    assert refused.value.message == "the flow is not valid: 3 problems"
    assert [problem.line for problem in refused.value.problems] == [1, 2, 3]


def test_a_circle_is_printed(shown: Callable[[str], list[str]]) -> None:
    steps = "".join(
        f"  - {{task: {{id: {name}, type: log, message: m}}, dependsOn: [{needs}]}}\n"
        for name, needs in [("start", ""), ("extract", "start, load"), ("load", "extract")]
    )
    assert shown(f"tasks:\n- id: d\n  type: test.core.Dag\n  tasks:\n{steps}") == [
        "tasks[0].tasks[1].dependsOn[1]: tasks depend on each other in a circle: extract → load → extract "
        "(take one of these dependencies out)"
    ]


def test_depends_on_at_the_top_is_a_dag_and_names_are_checked(shown: Callable[[str], list[str]]) -> None:
    text = """tasks:
  - {id: extract, type: log, message: m}
  - {id: load, type: log, message: m, dependsOn: [extrct]}
"""
    assert shown(text) == [
        "warning: tasks[1].dependsOn: tasks that name what they depend on run as a Dag "
        "(put them into a task of type `io.kestra.plugin.core.flow.Dag` to say so)",
        "tasks[1].dependsOn[0]: there is no task `extrct` to depend on here (did you mean `extract`?)",
    ]


def test_older_spellings_are_read_with_a_warning_that_names_the_newer(shown: Callable[[str], list[str]]) -> None:
    text = """inputs:
  - name: day
    type: datetime
    default: "2024-01-01T00:00:00Z"
tasks:
  - id: a
    type: test.old.Log
    message: m
    retry: {maxAttempt: 3, delay: PT1M, multiplier: 2, maxDelay: PT5M}
taskDefaults:
  - type: test.old.Log
    values: {level: WARN}
"""
    assert shown(text) == [
        "warning: inputs[0].name: `name` is an older spelling (write `id`)",
        "warning: inputs[0].type: `datetime` is an older spelling (write `DATETIME`)",
        "warning: inputs[0].default: `default` is an older spelling (write `defaults`)",
        "warning: tasks[0].type: `test.old.Log` is an older name (write `test.core.Log`)",
        "warning: tasks[0].retry.maxAttempt: `maxAttempt` is an older spelling (write `maxAttempts`)",
        "warning: tasks[0].retry.delay: `delay` is an older spelling (write `interval`)",
        "warning: tasks[0].retry.multiplier: `multiplier` is an older spelling (write `delayFactor`)",
        "warning: tasks[0].retry.maxDelay: `maxDelay` is an older spelling (write `maxInterval`)",
        "warning: taskDefaults: `taskDefaults` is an older spelling (write `pluginDefaults`)",
    ]


def first(flow: Flow) -> Query:
    task = flow.tasks[0]
    assert isinstance(task, Query)
    return task


DEFAULTS = """
tasks:
  - id: q
    type: test.db.one.Query
    sql: s
    options: {a: own}
pluginDefaults:
  - type: test.db
    values: {url: default, options: {a: default, b: default}, unheardOf: 1}
  - type: test.d
    values: {rows: 3}
"""


def test_plugin_defaults_fill_in_what_a_part_leaves_out(load: Load) -> None:
    task = first(load(DEFAULTS))
    assert (task.url, task.options) == ("default", {"a": "own", "b": "default"})
    assert task.rows is None  # `test.d` ends inside a word, so it is no beginning of the type


def test_a_default_that_no_part_can_take_is_a_warning(shown: Callable[[str], list[str]]) -> None:
    assert shown(DEFAULTS) == [
        "warning: pluginDefaults[0].values.unheardOf: no part of a type `test.db…` here has a property `unheardOf`"
    ]


def test_forced_defaults_win(load: Load) -> None:
    task = first(load(DEFAULTS.replace("  - type: test.db\n", "  - type: test.db\n    forced: true\n")))
    assert task.options == {"a": "default", "b": "default"}


def test_the_defaults_of_a_flow_win_over_those_of_the_settings(load: Load) -> None:
    settings_defaults = [PluginDefault(type="test.db.one.Query", values={"url": "settings", "rows": 7})]
    task = first(load(DEFAULTS, defaults=settings_defaults))
    assert (task.url, task.rows) == ("default", 7)


def test_defaults_are_found_under_aliases_and_older_names(load: Load) -> None:
    flow = load(
        "tasks: [{id: a, type: log, message: m}]\npluginDefaults: [{type: test.old.Log, values: {level: WARN}}]\n"
    )
    assert isinstance(flow.tasks[0], Log)
    assert flow.tasks[0].level == "WARN"


def test_a_wrong_default_is_shown_where_it_is_written(problems: Callable[[str], list[Problem]]) -> None:
    text = DEFAULTS.replace("url: default", "rows: many, url: u")
    assert [(found.line, found.column, found.path, found.message) for found in problems(text) if found.is_error] == [
        (11, 20, "pluginDefaults[0].values.rows", 'must be a whole number, got "many"')
    ]


def test_a_wrong_default_of_the_settings_is_shown_at_the_part(registry: Registry) -> None:
    defaults = [PluginDefault(type="test.db.one.Query", values={"rows": "many"})]
    found = validate(
        HEAD + "tasks: [{id: q, type: test.db.one.Query, url: u, sql: s}]\n", registry=registry, defaults=defaults
    )
    assert [str(problem) for problem in found] == [
        '3:9  tasks[0].rows: must be a whole number, got "many" (it comes from defaults outside of the flow)'
    ]


def test_defaults_for_nested_parts_validate_there(load: Load) -> None:
    flow = load("""
tasks: [{id: s, type: test.core.Script, script: x}]
pluginDefaults: [{type: test.core.Script, values: {taskRunner: {type: test.core.Process}}}]
""")
    assert isinstance(flow.tasks[0], Script)
    assert flow.tasks[0].task_runner is not None


def test_the_same_text_is_read_once(registry: Registry) -> None:
    text = HEAD + "tasks: [{id: once, type: log, message: m}]\n"
    assert load_flow(text, registry=registry) is load_flow(text, registry=registry)


def test_a_replaced_class_is_used_from_then_on() -> None:
    registry = make_registry()
    text = HEAD + "tasks: [{id: a, type: log, message: m}]\n"
    before = load_flow(text, registry=registry)

    class Newer(Log):
        """Another one of the same name."""

    registry.register(named(Newer, "test.core.Log", aliases=("log",)))
    after = load_flow(text, registry=registry)
    assert type(before.flow.tasks[0]) is Log
    assert type(after.flow.tasks[0]) is Newer


def test_a_plugin_that_fails_to_read_is_a_problem() -> None:
    class Careless(Log):
        """Forgets that an expression may stand for its number."""

        rows: Dynamic[int] | None = Field(default=None, ge=0, description="Rows.")

    careless = make_registry()
    careless.register(named(Careless, "test.Careless"))
    found = validate(HEAD + "tasks: [{id: a, type: test.Careless, message: m, rows: '{{ 1 }}'}]\n", registry=careless)
    assert [problem.path for problem in found] == ["tasks[0].type"]
    assert found[0].message.startswith("the class of `test.Careless` cannot read this: TypeError: ")


def test_documents_are_split_at_their_marks() -> None:
    text = "---\nid: a\ntext: |\n  ---\n  x\n--- \n# only a comment\n---\nid: b\n"
    assert split_documents(text) == ["id: a\ntext: |\n  ---\n  x\n", "id: b\n"]


def test_a_hundred_tasks_load_quickly(registry: Registry) -> None:
    tasks = "".join(f"  - id: t{number}\n    type: log\n    message: plain {number}\n" for number in range(100))
    started = time.perf_counter()
    load_flow(f"{HEAD}tasks:\n{tasks}", registry=registry)
    assert time.perf_counter() - started < 0.1


def test_importing_the_loader_leaves_expressions_alone() -> None:
    code = "import sys, nbflow.source; print('jinja2' in sys.modules, 'nbflow.expressions' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]


WORDS = st.sampled_from(
    ["id", "type", "tasks", "log", "test.core.Group", "test.core.Dag", "message", "inputs", "INT", "defaults",
     "triggers", "schedule", "cron", "namespace", "a.b", "dependsOn", "retry", "maxAttempts", "pluginDefaults",
     "values", "task", "labels", "x", "1", "{{", "variables", "taskDefaults", "errors", "name", "conditions"]
)  # fmt: skip
TREES = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=25,
)


@settings(deadline=None)
@given(st.text() | st.text(alphabet="idtaskspe: -\n{}[]'\"|>&*!#012"))
def test_any_text_gives_a_flow_or_problems(text: str) -> None:
    check_flow_or_problems(text)


@settings(deadline=None)
@given(st.dictionaries(WORDS, TREES, max_size=6))
def test_any_values_give_a_flow_or_problems(values: dict[str, object]) -> None:
    from nbflow.source.writer import dump_yaml

    check_flow_or_problems(
        HEAD + dump_yaml({name: value for name, value in values.items() if name not in ("id", "namespace")})
    )  # type: ignore[misc]


REGISTRY = make_registry()


def check_flow_or_problems(text: str) -> None:
    found = validate(text, registry=REGISTRY)
    assert all(problem.line >= 1 and problem.column >= 1 for problem in found)
    if any(problem.is_error for problem in found):
        with pytest.raises(FlowValidationError):
            load_flow(text, registry=REGISTRY)
    else:
        assert isinstance(load_flow(text, registry=REGISTRY).flow, Flow)

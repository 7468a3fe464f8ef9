"""Types typed into a cell: registered by a decorator, replaced when the cell is run again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbflow.engine import Engine
from nbflow.errors import UnknownTypeError
from nbflow.plugins import Example, RunnableTask, Task, expression_filter, expression_function, registry
from nbflow.plugins.reference import find_type, reference_of
from nbflow.testing import run_example, run_task, undocumented

CELL = """
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, task_type
from pydantic import Field

@task_type("my.Shout", aliases={aliases}, examples=[Example("{{type: my.Shout, text: hi}}", title="Shout.")])
class Shout(RunnableTask):
    '''Shout a text.'''

    class Output(RunnableTask.Output):
        value: str = Field(description="What was shouted.")

    text: Dynamic[str] = Field(description="What to shout.")

    async def run(self, ctx: RunContext) -> Output:
        return self.Output(value=self.text.upper() + {mark!r})
"""
FLOW = "id: flow\nnamespace: tests\ntasks:\n  - {id: s, type: my.Shout, text: hi}\n"


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    known = dict(registry()._classes)
    yield
    registry()._classes = known


def run_cell(mark: str, aliases: list[str]) -> None:
    code = compile(CELL.format(mark=mark, aliases=aliases), "<cell>", "exec", dont_inherit=True)
    exec(code, {"__name__": "__main__"})


def test_a_class_of_a_cell_is_a_type_with_all_that_belongs_to_it() -> None:
    run_cell("!", ["shout"])
    assert run_task("{type: shout, text: '{{ 1 + 1 }}'}").outputs == {"value": "2!"}
    cls = find_type("shout")
    assert undocumented(cls) == []
    run_example(cls, cls.examples[0])
    assert [each.name for each in reference_of(cls).properties] == ["text"]


def test_running_the_cell_again_replaces_the_class_also_in_flows_that_are_deployed(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        run_cell("!", ["shout", "yell"])
        engine.deploy(FLOW)
        assert engine.run("tests", "flow", wait=True, timeout=30)["s"].outputs == {"value": "HI!"}
        run_cell("?", ["shout"])
        assert engine.run("tests", "flow", wait=True, timeout=30)["s"].outputs == {"value": "HI?"}
    assert run_task("{type: shout, text: hi}").outputs == {"value": "HI?"}
    with pytest.raises(UnknownTypeError, match="there is no task type `yell`"):
        registry().find(Task, "yell")


def test_what_a_class_leaves_out_of_its_documentation_is_named() -> None:
    class Bare(RunnableTask):
        text: str

    lacking = [missing.rpartition(".")[2] for missing in undocumented(Bare)]
    assert lacking == ["a docstring that says what it does", "text", "an Example"]


def test_an_example_that_ends_otherwise_shows_the_log() -> None:
    with pytest.raises(AssertionError, match=r"ended in FAILED, not SUCCESS:\nERROR example: broken"):
        run_example(find_type("fail"), Example("{type: fail, errorMessage: broken}"))


def test_filters_and_functions_of_a_cell_are_part_of_the_language_at_once() -> None:
    task = {"type": "return", "format": "{{ 'a' | cell_twice }}{{ cell_dice(6) }}"}
    assert run_task({**task, "allowFailure": True}).state == "WARNING"

    @expression_filter("cell_twice")
    def twice(value: object) -> str:
        return f"{value}{value}"

    @expression_function("cell_dice")
    def dice(sides: int) -> int:
        return sides

    assert run_task(task).outputs == {"value": "aa6"}

    @expression_filter("cell_twice")
    def thrice(value: object, joined_by: str = "") -> str:
        return joined_by.join([str(value)] * 3)

    assert run_task(task).outputs == {"value": "aaa6"}
    assert run_task({"type": "return", "format": "{{ 'a' | cell_twice(joinedBy='-') }}"}).outputs == {"value": "a-a-a"}


def test_the_languages_own_filters_cannot_be_replaced() -> None:
    with pytest.raises(ValueError, match="the language has a filter `upper`: choose another name"):
        expression_filter("upper")

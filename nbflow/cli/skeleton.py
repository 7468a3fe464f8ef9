"""The package that `nbflow plugins new` begins: small, documented, and with tests that pass."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from nbflow.cli.options import UsageError

_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")

_PYPROJECT = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "$name"
version = "0.1.0"
description = "Types for nbflow: $name."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["jupyter-nbflow"]

[project.entry-points."nbflow.plugins"]
$module = "$module:CATALOG"

[dependency-groups]
test = ["pytest>=8"]

[tool.hatch.build.targets.wheel]
packages = ["src/$module"]

[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["src"]
"""

_README = """\
# $name

Types for [nbflow](https://pypi.org/project/jupyter-nbflow/): put this into a notebook cell, or into a file.

```yaml
id: hello_$module
namespace: company.team

tasks:
  - id: greet
    type: $module.Greet
    name: Ada

  - id: show
    type: io.kestra.plugin.core.log.Log
    message: "{{ outputs.greet.greeting | exclaim }}"
```

## Begin

```sh
pip install -e . --group test
python -m pytest
nbflow plugins doc $module.Greet
```

- `src/$module/__init__.py` names what there is; texts only, so that it is found without importing it.
- `src/$module/tasks.py` has the task type, `src/$module/filters.py` a filter for expressions.
- `tests` run the task alone, every example, and the flow above.
"""

_INIT = '''\
"""What $name brings to nbflow: names and where their classes are. Nothing is imported until a flow uses it."""

from nbflow.plugins import Catalog

CATALOG = Catalog(
    tasks=dict.fromkeys(["$module.Greet", "${module}_greet"], "$module.tasks:Greet"),
    filters={"exclaim": "$module.filters:exclaim"},
)
'''

_TASKS = '''\
"""Task types of $name."""

from pydantic import Field

from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, TaskFailedError, Text, task_type


@task_type(
    "$module.Greet",
    aliases=["${module}_greet"],
    examples=[Example("type: $module.Greet\\nname: Ada", title="Greet somebody.")],
)
class Greet(RunnableTask):
    """Greet somebody, and count the letters of the name."""

    class Output(RunnableTask.Output):
        greeting: str = Field(description="The greeting.")

    name: Dynamic[Text] = Field(description="Whom to greet.")
    word: Dynamic[Text] = Field(default="Hello", description="What to say before the name.")

    async def run(self, ctx: RunContext) -> Output:
        name = self.name.strip()
        if not name:
            raise TaskFailedError("`name` is empty", hint="say whom to greet")
        ctx.log.info("greeting %s", name)
        ctx.metric("letters", len(name))
        return self.Output(greeting=f"{self.word}, {name}")
'''

_FILTERS = '''\
"""Filters for expressions of $name."""


def exclaim(value: object, times: int = 1) -> str:
    """A text with exclamation marks behind it.

    Example: `{{ 'Hello' | exclaim }}` gives `Hello!`
    """
    return f"{value}{'!' * times}"
'''

_TESTS = '''\
"""What $name does."""

import re
from pathlib import Path

import pytest
from $module.filters import exclaim
from $module.tasks import Greet

from nbflow.plugins import expression_filter
from nbflow.testing import run_example, run_task, undocumented

TYPES = [Greet]
README = Path(__file__).parents[1] / "README.md"


def test_greet_says_hello_and_counts_the_letters():
    result = run_task("{type: $module.Greet, name: '{{ inputs.who }}'}", inputs={"who": "Ada"})
    assert result.outputs == {"greeting": "Hello, Ada"}
    assert result.messages == ["greeting Ada"]
    assert result.metric("letters") == 3


def test_greet_fails_without_a_name():
    assert run_task(Greet(id="greet", name=" ")).state == "FAILED"


@pytest.mark.parametrize("cls", TYPES)
def test_types_are_documented_and_their_examples_run(cls):
    assert undocumented(cls) == []
    for example in cls.examples:
        run_example(cls, example)


def test_the_flow_of_the_readme_runs(tmp_path):
    from nbflow import Engine

    expression_filter("exclaim")(exclaim)  # an installed package needs no such line
    [flow] = re.findall(r"```yaml\\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    with Engine(tmp_path / "home") as engine:
        engine.deploy(flow)
        execution = engine.run("company.team", "hello_$module", wait=True, timeout=60)
        assert execution.state == "SUCCESS"
        assert execution.logs(task_id="show")[0].message == "Hello, Ada!"
'''

_FILES = {
    "pyproject.toml": _PYPROJECT,
    "README.md": _README,
    "src/$module/__init__.py": _INIT,
    "src/$module/py.typed": "",
    "src/$module/tasks.py": _TASKS,
    "src/$module/filters.py": _FILTERS,
    "tests/test_$module.py": _TESTS,
}


def write_skeleton(name: str, folder: Path) -> list[Path]:
    """Write the package `name` into a folder that is empty or not there; the files written.

    Raises: UsageError when the name cannot be a package's, or there is something in the folder.
    """
    if not _NAME.fullmatch(name):
        hint = "small letters, digits and dashes, such as acme-flows"
        raise UsageError(f"`{name}` cannot be the name of a package", hint=hint)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already", hint="choose another directory with --to")
    names = {"name": name, "module": name.replace("-", "_")}
    written = []
    for path, content in _FILES.items():
        target = folder / Template(path).substitute(names)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(Template(content).substitute(names), encoding="utf-8")
        written.append(target)
    return written

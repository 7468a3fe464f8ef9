"""Task types that run JavaScript with Node.js."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nbflow.plugins import Example, Text, task_type
from nbflow.tasks.scripts.languages import NODE, Language
from nbflow.tasks.scripts.script import ScriptTask

_SCRIPT = """\
type: io.kestra.plugin.scripts.node.Script
script: |
  const rows = [1, 2, 3].map((x) => x * 2);
  console.log("::" + JSON.stringify({outputs: {rows}}) + "::");
"""
_COMMANDS = """\
type: io.kestra.plugin.scripts.node.Commands
inputFiles:
  main.js: console.log("rows:", 3)
commands:
  - node main.js
"""


@task_type(
    "io.kestra.plugin.scripts.node.Script",
    aliases=["node"],
    old_names=["io.kestra.core.tasks.scripts.Node"],
    examples=[Example(_SCRIPT, "Hand values to the tasks that follow.")],
)
class Script(ScriptTask):
    """Run a JavaScript script with Node.js."""

    language: ClassVar[Language] = NODE
    main_file: ClassVar[str] = "main.js"

    node_path: Text | None = Field(default=None, description="Older form of `interpreter`.")
    npm_path: Text = Field(default="npm", description="Program that installs the packages of a `package.json`.")

    def _interpreter(self) -> list[str]:
        return super()._interpreter() or ([self.node_path] if self.node_path else [])

    def _before_main(self, files: frozenset[str]) -> list[str]:
        return [f"{self.npm_path} install > /dev/null"] if "package.json" in files else []


@task_type(
    "io.kestra.plugin.scripts.node.Commands",
    aliases=["node_commands"],
    examples=[Example(_COMMANDS, "Run a script that comes as a file.")],
)
class Commands(ScriptTask):
    """Run shell commands such as `npm install` and `node main.js`."""

    language: ClassVar[Language] = NODE

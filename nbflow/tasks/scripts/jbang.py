"""Task types that run Java, and what else JBang understands."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nbflow.plugins import Dynamic, Example, RunContext, Text, task_type
from nbflow.tasks.scripts.languages import JBANG, Language
from nbflow.tasks.scripts.script import ScriptTask

_SCRIPT = """\
type: io.kestra.plugin.scripts.jbang.Script
script: |
  class rows {
      public static void main(String[] args) {
          System.out.println("rows: 3");
      }
  }
"""
_COMMANDS = """\
type: io.kestra.plugin.scripts.jbang.Commands
commands:
  - jbang --quiet main.java
inputFiles:
  main.java: |
    void main() {
        System.out.println("rows: 3");
    }
"""


@task_type(
    "io.kestra.plugin.scripts.jbang.Script",
    aliases=["jbang"],
    examples=[Example(_SCRIPT, "Run a Java script.", needs="JBang")],
)
class Script(ScriptTask):
    """Run a Java, JShell, Kotlin or Groovy script with JBang."""

    language: ClassVar[Language] = JBANG

    extension: Text = Field(default=".java", description="How the script's file ends: .java, .jsh, .kt or .groovy.")
    quiet: Dynamic[bool] = Field(default=True, description="Whether JBang itself says nothing.")

    def _suffix(self, ctx: RunContext) -> str:
        return ctx.render(self.extension)

    def _options(self) -> list[str]:
        return ["--quiet"] if self.quiet else []


@task_type(
    "io.kestra.plugin.scripts.jbang.Commands",
    aliases=["jbang_commands"],
    examples=[Example(_COMMANDS, "Run a script that comes as a file.", needs="JBang")],
)
class Commands(ScriptTask):
    """Run shell commands such as `jbang main.java`."""

    language: ClassVar[Language] = JBANG

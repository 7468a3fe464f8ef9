"""Task types that run Deno."""

from __future__ import annotations

from typing import ClassVar

from nbflow.plugins import Example, task_type
from nbflow.tasks.scripts.languages import DENO, Language
from nbflow.tasks.scripts.script import ScriptTask

_SCRIPT = """\
type: io.kestra.plugin.scripts.deno.Script
script: |
  console.log([1, 2, 3].length);
"""
_COMMANDS = """\
type: io.kestra.plugin.scripts.deno.Commands
inputFiles:
  main.ts: |
    console.log([1, 2, 3].length);
commands:
  - deno run main.ts
"""


@task_type(
    "io.kestra.plugin.scripts.deno.Script",
    aliases=["deno"],
    examples=[Example(_SCRIPT, "Run a TypeScript script.", needs="Deno")],
)
class Script(ScriptTask):
    """Run a TypeScript script with Deno."""

    language: ClassVar[Language] = DENO


@task_type(
    "io.kestra.plugin.scripts.deno.Commands",
    aliases=["deno_commands"],
    examples=[Example(_COMMANDS, "Run a script that comes as a file.", needs="Deno")],
)
class Commands(ScriptTask):
    """Run shell commands such as `deno run main.ts`."""

    language: ClassVar[Language] = DENO

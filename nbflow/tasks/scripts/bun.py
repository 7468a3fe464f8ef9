"""Task types that run Bun."""

from __future__ import annotations

from typing import ClassVar

from nbflow.plugins import Example, task_type
from nbflow.tasks.scripts.languages import BUN, Language
from nbflow.tasks.scripts.script import ScriptTask

_SCRIPT = """\
type: io.kestra.plugin.scripts.bun.Script
script: |
  console.log([1, 2, 3].length);
"""
_COMMANDS = """\
type: io.kestra.plugin.scripts.bun.Commands
inputFiles:
  main.ts: |
    console.log([1, 2, 3].length);
commands:
  - bun run main.ts
"""


@task_type(
    "io.kestra.plugin.scripts.bun.Script",
    aliases=["bun"],
    examples=[Example(_SCRIPT, "Run a TypeScript script.", needs="Bun")],
)
class Script(ScriptTask):
    """Run a TypeScript script with Bun."""

    language: ClassVar[Language] = BUN


@task_type(
    "io.kestra.plugin.scripts.bun.Commands",
    aliases=["bun_commands"],
    examples=[Example(_COMMANDS, "Run a script that comes as a file.", needs="Bun")],
)
class Commands(ScriptTask):
    """Run shell commands such as `bun run main.ts`."""

    language: ClassVar[Language] = BUN

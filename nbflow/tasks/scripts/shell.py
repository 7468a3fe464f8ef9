"""Task types that run shell commands."""

from __future__ import annotations

from typing import ClassVar

from nbflow.plugins import Example, task_type
from nbflow.tasks.scripts.languages import SHELL, Language
from nbflow.tasks.scripts.script import ScriptTask

_SCRIPT = """\
type: io.kestra.plugin.scripts.shell.Script
script: |
  for number in 1 2 3; do
    echo "row $number"
  done
"""
_COMMANDS = """\
type: io.kestra.plugin.scripts.shell.Commands
env:
  WHO: Ada
outputFiles:
  - out.txt
commands:
  - echo "hello $WHO" > out.txt
  - echo '::{"outputs":{"size":9}}::'
"""


@task_type(
    "io.kestra.plugin.scripts.shell.Script",
    aliases=["shell_script", "bash"],
    examples=[Example(_SCRIPT, "Run a shell script.")],
)
class Script(ScriptTask):
    """Run a shell script."""

    language: ClassVar[Language] = SHELL


@task_type(
    "io.kestra.plugin.scripts.shell.Commands",
    aliases=["shell"],
    old_names=["io.kestra.core.tasks.scripts.Shell", "io.kestra.core.tasks.scripts.Bash"],
    examples=[Example(_COMMANDS, "Store a file, and hand on a value.")],
)
class Commands(ScriptTask):
    """Run shell commands, one after another."""

    language: ClassVar[Language] = SHELL

"""Task types that run Groovy."""

from __future__ import annotations

from typing import ClassVar

from nbflow.plugins import Example, task_type
from nbflow.tasks.scripts.languages import GROOVY, Language
from nbflow.tasks.scripts.script import ScriptTask

_SCRIPT = """\
type: io.kestra.plugin.scripts.groovy.Script
script: |
  println([1, 2, 3].sum())
"""
_COMMANDS = """\
type: io.kestra.plugin.scripts.groovy.Commands
inputFiles:
  main.groovy: |
    println([1, 2, 3].sum())
commands:
  - groovy main.groovy
"""


@task_type(
    "io.kestra.plugin.scripts.groovy.Script",
    aliases=["groovy"],
    examples=[Example(_SCRIPT, "Run a Groovy script.", needs="Groovy")],
)
class Script(ScriptTask):
    """Run a Groovy script."""

    language: ClassVar[Language] = GROOVY


@task_type(
    "io.kestra.plugin.scripts.groovy.Commands",
    aliases=["groovy_commands"],
    examples=[Example(_COMMANDS, "Run a script that comes as a file.", needs="Groovy")],
)
class Commands(ScriptTask):
    """Run shell commands such as `groovy main.groovy`."""

    language: ClassVar[Language] = GROOVY

"""Task types that run Julia."""

from __future__ import annotations

from typing import ClassVar

from nbflow.plugins import Example, task_type
from nbflow.tasks.scripts.languages import JULIA, Language
from nbflow.tasks.scripts.script import ScriptTask

_SCRIPT = """\
type: io.kestra.plugin.scripts.julia.Script
script: |
  println(sum(1:10))
"""
_COMMANDS = """\
type: io.kestra.plugin.scripts.julia.Commands
inputFiles:
  main.jl: |
    println(sum(1:10))
commands:
  - julia main.jl
"""


@task_type(
    "io.kestra.plugin.scripts.julia.Script",
    aliases=["julia"],
    examples=[Example(_SCRIPT, "Run a Julia script.", needs="Julia")],
)
class Script(ScriptTask):
    """Run a Julia script."""

    language: ClassVar[Language] = JULIA


@task_type(
    "io.kestra.plugin.scripts.julia.Commands",
    aliases=["julia_commands"],
    examples=[Example(_COMMANDS, "Run a script that comes as a file.", needs="Julia")],
)
class Commands(ScriptTask):
    """Run shell commands such as `julia main.jl`."""

    language: ClassVar[Language] = JULIA

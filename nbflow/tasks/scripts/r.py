"""Task types that run R."""

from __future__ import annotations

from typing import ClassVar

from nbflow.plugins import Example, task_type
from nbflow.tasks.scripts.languages import Language, R
from nbflow.tasks.scripts.script import ScriptTask

_SCRIPT = r"""type: io.kestra.plugin.scripts.r.Script
script: |
  cat(mean(c(1, 2, 3)), "\n")
"""
_COMMANDS = r"""type: io.kestra.plugin.scripts.r.Commands
inputFiles:
  main.R: |
    cat(mean(c(1, 2, 3)), "\n")
commands:
  - Rscript main.R
"""


@task_type(
    "io.kestra.plugin.scripts.r.Script", aliases=["r"], examples=[Example(_SCRIPT, "Run an R script.", needs="R")]
)
class Script(ScriptTask):
    """Run an R script."""

    language: ClassVar[Language] = R


@task_type(
    "io.kestra.plugin.scripts.r.Commands",
    aliases=["r_commands"],
    examples=[Example(_COMMANDS, "Run a script that comes as a file.", needs="R")],
)
class Commands(ScriptTask):
    """Run shell commands such as `Rscript main.R`."""

    language: ClassVar[Language] = R

"""Task types that run PowerShell."""

from __future__ import annotations

from typing import ClassVar

from nbflow.plugins import Example, task_type
from nbflow.tasks.scripts.languages import POWERSHELL, Language
from nbflow.tasks.scripts.script import ScriptTask

_SCRIPT = """\
type: io.kestra.plugin.scripts.powershell.Script
script: |
  $rows = @(1, 2, 3)
  Write-Output "rows: $($rows.Count)"
"""
_COMMANDS = """\
type: io.kestra.plugin.scripts.powershell.Commands
commands:
  - Get-ChildItem | Format-Table
"""


@task_type(
    "io.kestra.plugin.scripts.powershell.Script",
    aliases=["powershell"],
    examples=[Example(_SCRIPT, "Run a PowerShell script.", needs="PowerShell")],
)
class Script(ScriptTask):
    """Run a PowerShell script; with `failFast` the first error ends it."""

    language: ClassVar[Language] = POWERSHELL


@task_type(
    "io.kestra.plugin.scripts.powershell.Commands",
    aliases=["powershell_commands"],
    examples=[Example(_COMMANDS, "Run commands.", needs="PowerShell")],
)
class Commands(ScriptTask):
    """Run PowerShell commands, one after another."""

    language: ClassVar[Language] = POWERSHELL

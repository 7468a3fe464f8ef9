"""Task types that run C# scripts."""

from __future__ import annotations

from typing import ClassVar

from nbflow.plugins import Example, task_type
from nbflow.tasks.scripts.languages import DOTNET, Language
from nbflow.tasks.scripts.script import ScriptTask

_SCRIPT = """\
type: io.kestra.plugin.scripts.dotnet.Script
script: |
  Console.WriteLine($"rows: {new[] {1, 2, 3}.Length}");
"""
_COMMANDS = """\
type: io.kestra.plugin.scripts.dotnet.Commands
namespaceFiles:
  enabled: true
commands:
  - dotnet run
"""


@task_type(
    "io.kestra.plugin.scripts.dotnet.Script",
    aliases=["dotnet"],
    examples=[Example(_SCRIPT, "Run a C# script.", needs="dotnet-script")],
)
class Script(ScriptTask):
    """Run a C# script (`.csx`) with dotnet-script."""

    language: ClassVar[Language] = DOTNET


@task_type(
    "io.kestra.plugin.scripts.dotnet.Commands",
    aliases=["dotnet_commands"],
    examples=[Example(_COMMANDS, "Run commands of the namespace's program.", needs="the .NET SDK")],
)
class Commands(ScriptTask):
    """Run shell commands such as `dotnet run`."""

    language: ClassVar[Language] = DOTNET

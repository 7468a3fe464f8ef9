"""Task types that run Go."""

from __future__ import annotations

from typing import ClassVar

from nbflow.plugins import Example, task_type
from nbflow.tasks.scripts.languages import GO, Language
from nbflow.tasks.scripts.script import ScriptTask

_SCRIPT = """\
type: io.kestra.plugin.scripts.go.Script
script: |
  package main

  import "fmt"

  func main() {
      fmt.Println("rows:", 3)
  }
"""
_COMMANDS = """\
type: io.kestra.plugin.scripts.go.Commands
namespaceFiles:
  enabled: true
commands:
  - go run .
"""


@task_type(
    "io.kestra.plugin.scripts.go.Script", aliases=["go"], examples=[Example(_SCRIPT, "Run a Go script.", needs="Go")]
)
class Script(ScriptTask):
    """Run a Go program of one file, with `go run`."""

    language: ClassVar[Language] = GO


@task_type(
    "io.kestra.plugin.scripts.go.Commands",
    aliases=["go_commands"],
    examples=[Example(_COMMANDS, "Run commands of the namespace's program.", needs="Go")],
)
class Commands(ScriptTask):
    """Run shell commands such as `go run .`."""

    language: ClassVar[Language] = GO

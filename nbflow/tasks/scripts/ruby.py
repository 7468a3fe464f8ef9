"""Task types that run Ruby."""

from __future__ import annotations

from typing import ClassVar

from nbflow.plugins import Example, task_type
from nbflow.tasks.scripts.languages import RUBY, Language
from nbflow.tasks.scripts.script import ScriptTask

_SCRIPT = """\
type: io.kestra.plugin.scripts.ruby.Script
script: |
  puts (1..3).sum
"""
_COMMANDS = """\
type: io.kestra.plugin.scripts.ruby.Commands
inputFiles:
  main.rb: |
    puts (1..3).sum
commands:
  - ruby main.rb
"""


@task_type(
    "io.kestra.plugin.scripts.ruby.Script",
    aliases=["ruby"],
    examples=[Example(_SCRIPT, "Run a Ruby script.", needs="Ruby")],
)
class Script(ScriptTask):
    """Run a Ruby script."""

    language: ClassVar[Language] = RUBY


@task_type(
    "io.kestra.plugin.scripts.ruby.Commands",
    aliases=["ruby_commands"],
    examples=[Example(_COMMANDS, "Run a script that comes as a file.", needs="Ruby")],
)
class Commands(ScriptTask):
    """Run shell commands such as `ruby main.rb`."""

    language: ClassVar[Language] = RUBY

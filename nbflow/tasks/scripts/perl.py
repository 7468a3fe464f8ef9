"""Task types that run Perl."""

from __future__ import annotations

from typing import ClassVar

from nbflow.plugins import Example, task_type
from nbflow.tasks.scripts.languages import PERL, Language
from nbflow.tasks.scripts.script import ScriptTask

_SCRIPT = r"""type: io.kestra.plugin.scripts.perl.Script
script: |
  print join(",", map { $_ * 2 } 1 .. 3), "\n";
"""
_COMMANDS = r"""type: io.kestra.plugin.scripts.perl.Commands
inputFiles:
  main.pl: |
    print join(",", map { $_ * 2 } 1 .. 3), "\n";
commands:
  - perl main.pl
"""


@task_type("io.kestra.plugin.scripts.perl.Script", aliases=["perl"], examples=[Example(_SCRIPT, "Run a Perl script.")])
class Script(ScriptTask):
    """Run a Perl script."""

    language: ClassVar[Language] = PERL


@task_type(
    "io.kestra.plugin.scripts.perl.Commands",
    aliases=["perl_commands"],
    examples=[Example(_COMMANDS, "Run a script that comes as a file.")],
)
class Commands(ScriptTask):
    """Run shell commands such as `perl main.pl`."""

    language: ClassVar[Language] = PERL

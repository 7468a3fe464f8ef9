"""Task types that run PHP."""

from __future__ import annotations

from typing import ClassVar

from nbflow.plugins import Example, task_type
from nbflow.tasks.scripts.languages import PHP, Language
from nbflow.tasks.scripts.script import ScriptTask

_SCRIPT = """\
type: io.kestra.plugin.scripts.php.Script
script: |
  <?php echo array_sum([1, 2, 3]), PHP_EOL;
"""
_COMMANDS = """\
type: io.kestra.plugin.scripts.php.Commands
inputFiles:
  main.php: |
    <?php echo array_sum([1, 2, 3]), PHP_EOL;
commands:
  - php main.php
"""


@task_type(
    "io.kestra.plugin.scripts.php.Script",
    aliases=["php"],
    examples=[Example(_SCRIPT, "Run a PHP script.", needs="PHP")],
)
class Script(ScriptTask):
    """Run a PHP script."""

    language: ClassVar[Language] = PHP


@task_type(
    "io.kestra.plugin.scripts.php.Commands",
    aliases=["php_commands"],
    examples=[Example(_COMMANDS, "Run a script that comes as a file.", needs="PHP")],
)
class Commands(ScriptTask):
    """Run shell commands such as `php main.php`."""

    language: ClassVar[Language] = PHP

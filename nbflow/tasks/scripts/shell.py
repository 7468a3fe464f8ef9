"""Task types that run shell commands."""

from __future__ import annotations

from typing import ClassVar

from nbflow.plugins import task_type
from nbflow.tasks.scripts.languages import SHELL, Language
from nbflow.tasks.scripts.script import ScriptTask


@task_type("io.kestra.plugin.scripts.shell.Script", aliases=["shell_script", "bash"])
class Script(ScriptTask):
    """Run a shell script."""

    language: ClassVar[Language] = SHELL


@task_type(
    "io.kestra.plugin.scripts.shell.Commands",
    aliases=["shell"],
    old_names=["io.kestra.core.tasks.scripts.Shell", "io.kestra.core.tasks.scripts.Bash"],
)
class Commands(ScriptTask):
    """Run shell commands, one after another."""

    language: ClassVar[Language] = SHELL

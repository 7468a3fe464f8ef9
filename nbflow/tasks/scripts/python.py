"""Task types that run Python."""

from __future__ import annotations

from typing import ClassVar

from nbflow.plugins import task_type
from nbflow.tasks.scripts.languages import PYTHON, Language
from nbflow.tasks.scripts.script import ScriptTask


@task_type(
    "io.kestra.plugin.scripts.python.Script", aliases=["python"], old_names=["io.kestra.core.tasks.scripts.Python"]
)
class Script(ScriptTask):
    """Run a Python script in a process of its own, with the interpreter nbflow runs in."""

    language: ClassVar[Language] = PYTHON


@task_type("io.kestra.plugin.scripts.python.Commands", aliases=["python_commands"])
class Commands(ScriptTask):
    """Run shell commands such as `python main.py`."""

    language: ClassVar[Language] = PYTHON

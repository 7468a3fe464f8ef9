"""Task types that run Python."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from nbflow.plugins import Dynamic, Example, RunContext, TaskRunner, Text, task_type
from nbflow.tasks.scripts.environments import environment_with, python_of_version
from nbflow.tasks.scripts.languages import PYTHON, Language
from nbflow.tasks.scripts.script import ScriptTask

_VALUES = """\
type: io.kestra.plugin.scripts.python.Script
script: |
  from kestra import Kestra

  rows = [1, 2, 3]
  Kestra.outputs({"rows": len(rows)})
  Kestra.counter("rows", len(rows), {"file": "a.csv"})
  Kestra.logger().info("%d rows", len(rows))
"""
_FILES = """\
type: io.kestra.plugin.scripts.python.Script
inputFiles:
  data.csv: |
    name,price
    tea,3
outputFiles:
  - "*.json"
script: |
  import csv, json

  with open("data.csv") as source, open("rows.json", "w") as target:
      json.dump(list(csv.DictReader(source)), target)
"""
_DEPENDENCIES = """\
type: io.kestra.plugin.scripts.python.Script
dependencies:
  - requests>=2.32
script: |
  import requests

  print(requests.__version__)
"""
_COMMANDS = """\
type: io.kestra.plugin.scripts.python.Commands
inputFiles:
  main.py: print("rows:", 3)
commands:
  - python main.py
"""


class PackageManager(StrEnum):
    """What installs packages."""

    UV = "UV"
    PIP = "PIP"


class PythonTask(ScriptTask):
    """Runs Python, or commands that do, with the packages and in the version that the task names."""

    language: ClassVar[Language] = PYTHON
    main_file: ClassVar[str] = "main.py"

    python_version: Text | None = Field(
        default=None, description="Version of Python, such as 3.12; unless said, the one nbflow runs in."
    )
    dependency_cache_enabled: Dynamic[bool] = Field(
        default=True, description="Whether the environment with the `dependencies` is kept for the next run."
    )
    package_manager: Dynamic[PackageManager] = Field(
        default=PackageManager.UV, description="What installs the `dependencies`; PIP where there is no uv."
    )
    uv_auto_install_enabled: Dynamic[bool] = Field(default=True, description="Accepted; uv is never downloaded.")
    uv_installer_version: Text | None = Field(default=None, description="Accepted; uv is never downloaded.")
    uv_installer_sha256: Text | None = Field(default=None, description="Accepted; uv is never downloaded.")
    python_path: Text | None = Field(default=None, description="Older form of `interpreter`.")
    virtual_env: Dynamic[bool] = Field(
        default=True, description="Older form: without it the `dependencies` are taken to be there."
    )

    def _interpreter(self) -> list[str]:
        return super()._interpreter() or ([self.python_path] if self.python_path else [])

    async def _python(
        self, ctx: RunContext, runner: TaskRunner, directory: Path, dependencies: list[str]
    ) -> str | None:
        python = self._own_python()
        version = ctx.render(self.python_version).strip() if self.python_version else ""
        if version:
            python = await python_of_version(ctx, runner, version)
        if not dependencies or not self.virtual_env:
            return None if python == sys.executable else python
        place = None if self.dependency_cache_enabled else directory / f".nbflow-env-{ctx.task_run_id}"
        uses_uv = self.package_manager is PackageManager.UV
        return await environment_with(ctx, runner, dependencies, python, uses_uv=uses_uv, place=place)


@task_type(
    "io.kestra.plugin.scripts.python.Script",
    aliases=["python"],
    old_names=["io.kestra.core.tasks.scripts.Python"],
    examples=[
        Example(_VALUES, "Hand values, metrics and log lines to the execution."),
        Example(_FILES, "Take files in, and store files for the tasks that follow."),
        Example(_DEPENDENCIES, "Have packages installed; the second run finds them.", needs="a package index"),
    ],
)
class Script(PythonTask):
    """Run a Python script in a process of its own, with the interpreter nbflow runs in."""


@task_type(
    "io.kestra.plugin.scripts.python.Commands",
    aliases=["python_commands"],
    examples=[Example(_COMMANDS, "Run a script that comes as a file.")],
)
class Commands(PythonTask):
    """Run shell commands such as `python main.py`."""

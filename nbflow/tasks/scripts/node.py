"""Task types that run JavaScript with Node.js."""

from __future__ import annotations

from typing import ClassVar

from nbflow.plugins import task_type
from nbflow.tasks.scripts.languages import NODE, Language
from nbflow.tasks.scripts.script import ScriptTask


@task_type("io.kestra.plugin.scripts.node.Script", aliases=["node"], old_names=["io.kestra.core.tasks.scripts.Node"])
class Script(ScriptTask):
    """Run a JavaScript script with Node.js."""

    language: ClassVar[Language] = NODE


@task_type("io.kestra.plugin.scripts.node.Commands", aliases=["node_commands"])
class Commands(ScriptTask):
    """Run shell commands such as `npm install` and `node main.js`."""

    language: ClassVar[Language] = NODE

"""Task types that run Lua."""

from __future__ import annotations

from typing import ClassVar

from nbflow.plugins import Example, task_type
from nbflow.tasks.scripts.languages import LUA, Language
from nbflow.tasks.scripts.script import ScriptTask

_SCRIPT = """\
type: io.kestra.plugin.scripts.lua.Script
script: |
  print(1 + 1)
"""
_COMMANDS = """\
type: io.kestra.plugin.scripts.lua.Commands
inputFiles:
  main.lua: |
    print(1 + 1)
commands:
  - lua main.lua
"""


@task_type(
    "io.kestra.plugin.scripts.lua.Script",
    aliases=["lua"],
    examples=[Example(_SCRIPT, "Run a Lua script.", needs="Lua")],
)
class Script(ScriptTask):
    """Run a Lua script."""

    language: ClassVar[Language] = LUA


@task_type(
    "io.kestra.plugin.scripts.lua.Commands",
    aliases=["lua_commands"],
    examples=[Example(_COMMANDS, "Run a script that comes as a file.", needs="Lua")],
)
class Commands(ScriptTask):
    """Run shell commands such as `lua main.lua`."""

    language: ClassVar[Language] = LUA

"""The languages of scripts: what a script file is called, and what runs it. A new language is an entry here."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbflow.errors import TaskFailedError

_STAND_IN = Path(__file__).parent / "stand_in"
_SHELLS = {"sh", "bash", "dash", "zsh", "ksh", "ash"}
_POWERSHELLS = {"pwsh", "powershell"}
_NOT_HANDED_ON = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "__PYVENV_LAUNCHER__")
_SECRETS = "SECRET_"


@dataclass(frozen=True, slots=True)
class Language:
    """How scripts of one language are run.

    `programs`: commands that a script's file is handed to; the first one that is installed is taken, and in a container
    the first one. `install` says how to get it. `image` is that of a container when a task names none. `shell` takes
    commands as text, of which `stops` ends it with the first that fails.
    """

    name: str
    suffix: str
    programs: Sequence[str]
    install: str
    image: str = "ubuntu"
    shell: Sequence[str] = ("/bin/sh", "-c")
    stops: str = "set -e"

    @property
    def in_image(self) -> list[str]:
        """The command in a container."""
        return self.programs[0].split()

    def here(self, path: str) -> list[str]:
        """The command on this machine, found by a PATH. Raises: TaskFailedError when none is installed."""
        if self is PYTHON:
            return [sys.executable]
        for program in self.programs:
            words = program.split()
            if shutil.which(words[0], path=path):
                return words
        raise TaskFailedError(
            f"{self.name} is not installed: there is no `{self.in_image[0]}` on the PATH",
            hint=f"{self.install}, or run the task in a container with `containerImage: {self.image}`",
        )


PYTHON = Language("Python", ".py", ["python"], "install Python", image="python:3.13-slim")
SHELL = Language("a shell", ".sh", ["/bin/sh"], "install a POSIX shell")
NODE = Language("Node.js", ".js", ["node", "nodejs"], "get it from nodejs.org", image="node")
R = Language("R", ".R", ["Rscript"], "get it from r-project.org or with `apt install r-base-core`", image="r-base")
JULIA = Language("Julia", ".jl", ["julia"], "get it from julialang.org", image="julia")
PERL = Language("Perl", ".pl", ["perl"], "get it with `apt install perl`", image="perl")
RUBY = Language("Ruby", ".rb", ["ruby"], "get it from ruby-lang.org or with `apt install ruby`", image="ruby")
LUA = Language(
    "Lua",
    ".lua",
    ["lua", "lua5.4", "lua5.3", "lua5.2", "lua5.1", "luajit"],
    "get it with `apt install lua5.4`",
    image="nickblah/lua",
)
PHP = Language("PHP", ".php", ["php"], "get it with `apt install php-cli`", image="php")
# Go builds no file whose name seems to be a test, or for another system: `…_test.go`, `…_windows.go`.
GO = Language("Go", "-main.go", ["go run"], "get it from go.dev", image="golang")
DENO = Language("Deno", ".ts", ["deno run"], "get it from deno.com", image="denoland/deno")
BUN = Language("Bun", ".ts", ["bun run"], "get it from bun.sh", image="oven/bun")
GROOVY = Language("Groovy", ".groovy", ["groovy"], "get it from groovy-lang.org", image="groovy")
JBANG = Language("JBang", ".java", ["jbang"], "get it from jbang.dev", image="jbangdev/jbang-action")
DOTNET = Language(
    "dotnet-script",
    ".csx",
    ["dotnet-script"],
    "get it with `dotnet tool install -g dotnet-script`",
    image="mcr.microsoft.com/dotnet/sdk:10.0",
)
POWERSHELL = Language(
    "PowerShell",
    ".ps1",
    ["pwsh", "powershell"],
    "get it from learn.microsoft.com/powershell",
    image="ghcr.io/kestra-io/powershell:latest",
    shell=("pwsh", "-NoProfile", "-NonInteractive", "-Command"),
    stops="$ErrorActionPreference = 'Stop'",
)


def is_shell(interpreter: Sequence[str]) -> bool:
    """Whether this is a shell that takes its commands as text: `/bin/sh -c`."""
    if len(interpreter) < 2:
        return False
    name = Path(interpreter[0]).name.removesuffix(".exe")
    return takes_text(interpreter) and (name in _SHELLS or name in _POWERSHELLS)


def takes_text(interpreter: Sequence[str]) -> bool:
    """Whether the next argument is what to run, and not the name of a file: `-c`, `-lc`, `-Command`."""
    return re.fullmatch("-[a-z]*c|-command", interpreter[-1], re.IGNORECASE) is not None


def is_posix_shell(program: Sequence[str]) -> bool:
    """Whether this is a shell of the Bourne family, however it takes its commands."""
    return bool(program) and Path(program[0]).name in _SHELLS


def base_environment(own: Mapping[str, str], python: str, *, stand_in: bool) -> dict[str, str]:
    """The environment of a script: that of this process, without what is private to it, and the task's own.

    `python` is the interpreter that `python` and `pip` on the PATH belong to. With `stand_in`, a script may import
    `kestra` even where that package is not installed.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in _NOT_HANDED_ON and not name.startswith(_SECRETS)
    }
    if "inline" in environment.get("MPLBACKEND", ""):  # a kernel's choice, which nothing outside a kernel can follow
        del environment["MPLBACKEND"]
    environment.update(PYTHONUNBUFFERED="1", PYTHONIOENCODING="utf-8")
    if os.path.dirname(python):
        environment["PATH"] = os.pathsep.join([os.path.dirname(python), environment.get("PATH", os.defpath)])
    environment.update(own)
    if stand_in:
        path = [own["PYTHONPATH"]] if own.get("PYTHONPATH") else []
        environment["PYTHONPATH"] = os.pathsep.join([*path, str(_STAND_IN)])
    return environment


def has_kestra() -> bool:
    """Whether the package `kestra` is installed here."""
    return importlib.util.find_spec("kestra") is not None

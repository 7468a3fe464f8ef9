"""The languages of scripts: what a script file is called, and what runs it. A new language is an entry here."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_STAND_IN = Path(__file__).parent / "stand_in"
_SHELLS = {"sh", "bash", "dash", "zsh", "ksh", "ash"}
_NOT_HANDED_ON = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "__PYVENV_LAUNCHER__")
_SECRETS = "SECRET_"


@dataclass(frozen=True, slots=True)
class Language:
    """How scripts of one language are run. `program` gives the command that a script's file is handed to."""

    name: str
    suffix: str
    program: Callable[[], Sequence[str]]
    comment: str = "#"


PYTHON = Language("Python", ".py", lambda: [sys.executable])
SHELL = Language("shell", ".sh", lambda: ["/bin/sh"])
NODE = Language("Node.js", ".js", lambda: ["node"], comment="//")


def is_shell(interpreter: Sequence[str]) -> bool:
    """Whether this is a shell that takes its commands as text: `/bin/sh -c`."""
    return len(interpreter) > 1 and interpreter[-1] == "-c" and Path(interpreter[0]).name in _SHELLS


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

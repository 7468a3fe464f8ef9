"""The command line of a script task: a program with the script's file, or a shell with commands."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbflow.tasks.scripts.languages import POWERSHELL, SHELL, Language, is_posix_shell, is_shell, takes_text

_LONGEST_ARGUMENT = 100_000
"""Bytes of commands that are handed to a shell as an argument; Linux refuses more than 128 KiB."""

Write = Callable[[str, str], Path]
"""Writes a text into a file of the working directory whose name ends so; its path."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Makes command lines. `interpreter` is what the task names: a shell for its commands, or a program for its script.

    With `fail_fast` the first command that fails is the last one.
    """

    language: Language
    interpreter: Sequence[str]
    fail_fast: bool
    write: Write

    def of_commands(self, lines: Sequence[str]) -> list[str]:
        """The command line that runs these commands, one after another."""
        return self._with_shell(list(self.interpreter) or list(self.language.shell), lines)

    def of_script(
        self, text: str, program: Sequence[str], before: Sequence[str], args: Sequence[str], suffix: str
    ) -> list[str]:
        """The command line that hands a script to a program, after commands that come `before` it."""
        file = self.write(text, suffix)
        words = [*self._program(program), str(file), *args]
        if self.language is POWERSHELL and (before or self.fail_fast):
            call = " ".join(f"'{word.replace(chr(39), chr(39) * 2)}'" for word in words[len(words) - 1 - len(args) :])
            shell = list(self.interpreter) if is_shell(self.interpreter) else [program[0], *POWERSHELL.shell[1:]]
            return self._with_shell(shell, [*before, f"& {call}", "exit $LASTEXITCODE"])
        if not before:
            return words
        shell = list(self.interpreter) if is_shell(self.interpreter) else list(SHELL.shell)
        return self._with_shell(shell, [*before, shlex.join(words)])

    def _program(self, usual: Sequence[str]) -> list[str]:
        given = list(self.interpreter)
        if self.language is SHELL:
            shell = (given[:-1] if is_shell(given) else given) or list(usual)
            return [*shell, "-e"] if self.fail_fast and is_posix_shell(shell) else shell
        return given if given and not is_shell(given) else list(usual)

    def _with_shell(self, shell: list[str], lines: Sequence[str]) -> list[str]:
        powershell = self.language is POWERSHELL and is_shell(shell) and not is_posix_shell(shell)
        stops = POWERSHELL.stops if powershell else SHELL.stops if is_posix_shell(shell) else ""
        text = "\n".join([stops, *lines] if self.fail_fast and stops else lines)
        is_text = takes_text(shell)
        if is_text and (powershell or len(text.encode()) <= _LONGEST_ARGUMENT):
            return [*shell, text]
        program = shell[:-1] if is_text else shell
        return [*program, str(self.write(text, ".commands.sh"))]

"""What a script task starts: an interpreter with a file, or a shell with commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbflow.tasks.scripts.command_line import CommandLine
from nbflow.tasks.scripts.languages import POWERSHELL, PYTHON, SHELL, Language, is_shell

FILE = Path("work") / "file"
PWSH = ["pwsh", "-NoProfile", "-NonInteractive", "-Command"]


def line(language: Language, interpreter: list[str], fail_fast: bool = True) -> CommandLine:
    return CommandLine(language, interpreter, fail_fast, lambda _text, suffix: FILE.with_suffix(suffix))


@pytest.mark.parametrize(
    ("language", "interpreter", "expected"),
    [
        (SHELL, [], ["/bin/sh", "-c", "set -e\na\nb"]),
        (PYTHON, [], ["/bin/sh", "-c", "set -e\na\nb"]),
        (SHELL, ["/bin/bash", "-lc"], ["/bin/bash", "-lc", "set -e\na\nb"]),
        (SHELL, ["bash"], ["bash", f"{FILE}.commands.sh"]),
        (PYTHON, ["python", "-c"], ["python", "-c", "a\nb"]),
        (POWERSHELL, [], [*PWSH, "$ErrorActionPreference = 'Stop'\na\nb"]),
        (POWERSHELL, ["powershell", "-Command"], ["powershell", "-Command", "$ErrorActionPreference = 'Stop'\na\nb"]),
        (POWERSHELL, ["/bin/sh", "-c"], ["/bin/sh", "-c", "set -e\na\nb"]),
    ],
)
def test_commands_go_to_a_shell(language: Language, interpreter: list[str], expected: list[str]) -> None:
    assert line(language, interpreter).of_commands(["a", "b"]) == expected


def test_commands_that_may_fail_are_left_alone() -> None:
    assert line(SHELL, [], fail_fast=False).of_commands(["a", "b"]) == ["/bin/sh", "-c", "a\nb"]


@pytest.mark.parametrize(
    ("language", "interpreter", "usual", "before", "expected"),
    [
        (PYTHON, [], ["python"], [], ["python", f"{FILE}.x", "1"]),
        (PYTHON, ["/bin/sh", "-c"], ["python"], [], ["python", f"{FILE}.x", "1"]),
        (PYTHON, ["pypy"], ["python"], [], ["pypy", f"{FILE}.x", "1"]),
        (PYTHON, [], ["my python"], ["a"], ["/bin/sh", "-c", f"set -e\na\n'my python' {FILE}.x 1"]),
        (PYTHON, ["bash", "-c"], ["python"], ["a"], ["bash", "-c", f"set -e\na\npython {FILE}.x 1"]),
        (SHELL, [], ["/bin/sh"], [], ["/bin/sh", "-e", f"{FILE}.x", "1"]),
        (SHELL, ["/bin/bash", "-c"], ["/bin/sh"], [], ["/bin/bash", "-e", f"{FILE}.x", "1"]),
        (SHELL, ["fish"], ["/bin/sh"], [], ["fish", f"{FILE}.x", "1"]),
        (
            POWERSHELL,
            [],
            ["pwsh"],
            ["a"],
            [*PWSH, f"$ErrorActionPreference = 'Stop'\na\n& '{FILE}.x' '1'\nexit $LASTEXITCODE"],
        ),
    ],
)
def test_a_script_goes_to_its_program(
    language: Language, interpreter: list[str], usual: list[str], before: list[str], expected: list[str]
) -> None:
    assert line(language, interpreter).of_script("text", usual, before, ["1"], ".x") == expected


@pytest.mark.parametrize(
    ("interpreter", "expected"),
    [
        (["/bin/sh", "-c"], True),
        (["bash", "-ec"], True),
        (["pwsh", "-Command"], True),
        (["bash"], False),
        (["bash", "--rcfile"], False),
        (["python", "-c"], False),
        ([], False),
    ],
)
def test_shells_are_told_from_programs(interpreter: list[str], expected: bool) -> None:
    assert is_shell(interpreter) is expected

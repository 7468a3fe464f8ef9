"""Bars for what takes long: on a terminal alone, and never in the result."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from nbflow.cli.progress import tracked
from tests.cli.cli_calls import HELLO, command, environment

pty = pytest.importorskip("pty", reason="terminals are made otherwise here")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve flows."""
    folder = tmp_path / "flows"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.yaml").write_text(HELLO.replace("id: hello", f"id: hello{number}"))
    return folder


def test_a_terminal_shows_how_far_it_has_come(home: Path, folder: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command("flows", "deploy", str(folder)),
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment(home, TERM="xterm", COLUMNS="80"),
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        assert process.stdout is not None
        result = process.stdout.read().decode()
    assert process.returncode == 0
    assert b"deploying" in shown
    assert b"100%" in shown
    assert result.count("deployed company.team.hello") == 12
    assert "100%" not in result


def test_a_program_sees_no_bar(home: Path, folder: Path) -> None:
    done = subprocess.run(
        command("validate", str(folder)), capture_output=True, text=True, env=environment(home), check=True
    )
    assert done.stderr == ""
    assert done.stdout == "12 flows in 12 files: valid, 0 errors, 0 warnings\n"


def test_the_items_come_as_they_are() -> None:
    assert list(tracked(range(30), "counting")) == list(range(30))

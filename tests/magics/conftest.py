"""Fixtures of the magics' tests: an IPython shell in this process, with the extension loaded and a home of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from nbflow.engine import Engine

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

Run = Callable[[str], "Outcome"]


class Outcome:
    """What a cell led to: its value, whether it succeeded, and the text that was shown."""

    def __init__(self, result: Any, text: str) -> None:
        self.value = result.result
        self.success = result.success
        self.error = result.error_in_exec
        self.text = text


@pytest.fixture
def shell(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False
    shell.run_line_magic("load_ext", "nbflow")
    yield shell
    if Engine._default is not None:
        Engine._default.close()
    shell.history_manager.end_session()
    shell.restore_sys_module_state()
    InteractiveShell.clear_instance()


@pytest.fixture
def run(shell: Any, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a cell in the shell."""

    def run_cell(code: str) -> Outcome:
        capsys.readouterr()
        result = shell.run_cell(code, store_history=True)
        captured = capsys.readouterr()
        return Outcome(result, _COLOUR.sub("", captured.out + captured.err))

    return run_cell


@pytest.fixture
def complete(shell: Any) -> Callable[[str], list[str]]:
    """The texts that Tab offers at the `|` of a cell."""

    def complete_at(text: str) -> list[str]:
        position = text.index("|")
        from IPython.core.completer import provisionalcompleter

        with provisionalcompleter():
            return [found.text for found in shell.Completer.completions(text.replace("|", ""), position)]

    return complete_at
